//! What a guest's kernel said.

use std::fs;
use std::path::Path;

/// How many lines of the console a failure shows.
const TAIL: usize = 40;

/// What a kernel says that meets its own breakpoint where it has just patched itself. One
/// of two emulated processors still saw it; no program of ours can bring that about.
const PATCHED: &str = "int3: 0000 [#";

/// Tells whether the emulator made the kernel crash.
pub(super) fn was_patching(path: &Path) -> bool {
    read(path).contains(PATCHED)
}

/// Returns the last lines of a console's log, and the line that says why if it
/// is not among them.
pub(super) fn tail(path: &Path) -> String {
    let text = read(path);
    let lines: Vec<&str> = text.lines().collect();
    let (before, last) = lines.split_at(lines.len().saturating_sub(TAIL));
    let why = before
        .iter()
        .find(|line| line.contains("BUG: ") || line.contains("panic"));
    why.into_iter()
        .chain(last)
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

/// Returns a log; nothing, if there is none.
fn read(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_has_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut text = "boot\nBUG: kernel NULL pointer\n".to_owned();
        text.push_str(&"trace\n".repeat(TAIL));
        fs::write(&log, text).unwrap();
        let want = format!("BUG: kernel NULL pointer{}", "\ntrace".repeat(TAIL));
        assert_eq!(tail(&log), want);
        assert_eq!(tail(&dir.path().join("none")), "");
    }

    #[test]
    fn a_kernel_that_patched_itself_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        fs::write(&log, "[  183.370647] Oops: int3: 0000 [#1] SMP NOPTI\n").unwrap();
        assert!(was_patching(&log));
        fs::write(&log, "Oops: general protection fault: 0000 [#1] SMP\n").unwrap();
        assert!(!was_patching(&log));
    }
}
