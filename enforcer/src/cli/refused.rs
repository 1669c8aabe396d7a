//! Why the kernel refused to run a command under a profile.

use std::{fs, os::unix::ffi::OsStrExt as _, path::Path};

use super::{Socket, client, output};
use crate::{
    detection::{Detection, access_text},
    profile::Escaped,
    protocol::{Request, views::Page},
};

/// Says what was refused of the exec of `program` under `profile`, a line each. As
/// far as the agent knows: this only explains an error that was told.
pub(super) fn tell(socket: &Socket, profile: &str, program: &Path) {
    let request = Request::Recent {
        profile: profile.to_owned(),
    };
    let Ok(Page { detections, .. }) = client::call(&socket.socket, &request) else {
        return;
    };
    let ours = Ours {
        pid: std::process::id(),
        program: fs::canonicalize(program).map_or_else(|_| Vec::new(), |path| bytes(&path)),
        descriptors: descriptors(),
    };
    for line in detections.iter().filter_map(|one| ours.line(one)) {
        output::complain(&format!("enforcer: {line}"));
    }
}

/// What this process tried to run, with what.
struct Ours {
    pid: u32,
    program: Vec<u8>,
    /// Open descriptors, with the paths of their files.
    descriptors: Vec<(u32, Vec<u8>)>,
}

impl Ours {
    /// Says what a detection is about, if it is about this exec. The first process
    /// with the same fault stands for all in a detection, so the process alone does
    /// not tell.
    fn line(&self, detection: &Detection) -> Option<String> {
        if detection.verdict != "denied" {
            return None;
        }
        let Detection {
            id,
            operation,
            path,
            missing,
            ..
        } = detection;
        let needs = access_text(*missing);
        let shown = Escaped(path);
        let mut descriptors = self.descriptors.iter();
        let descriptor = descriptors.find(|(_, target)| operation == "inherit" && target == path);
        if let Some((descriptor, _)) = descriptor {
            return Some(format!(
                "descriptor {descriptor}, {shown}, needs {needs} ({id})"
            ));
        }
        let is_program = operation == "execute" && *path == self.program;
        (is_program || detection.who.pid == self.pid)
            .then(|| format!("{operation} of {shown} needs {needs} ({id})"))
    }
}

/// The open descriptors of this process, with the paths of their files.
fn descriptors() -> Vec<(u32, Vec<u8>)> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let entries = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, bytes(&fs::read_link(entry.path()).ok()?)))
    });
    let mut descriptors: Vec<_> = entries.collect();
    descriptors.sort_unstable();
    descriptors
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{Detection, Ours, descriptors};
    use crate::detection::{Who, sample};

    fn detection(operation: &str, path: &str, pid: u32) -> Detection {
        Detection {
            operation: operation.to_owned(),
            path: path.as_bytes().to_vec(),
            who: Who {
                pid,
                ..Who::default()
            },
            ..sample::detection()
        }
    }

    #[test]
    fn line_table() {
        let ours = Ours {
            pid: 5,
            program: b"/bin/x".to_vec(),
            descriptors: vec![(0, b"/dev/null".to_vec()), (1, b"/out".to_vec())],
        };
        let audited = Detection {
            verdict: "audited".to_owned(),
            ..detection("inherit", "/out", 5)
        };
        #[rustfmt::skip]
        let cases = [
            ("a descriptor",         detection("inherit", "/out", 9),  Some("descriptor 1, /out, needs write (D7)")),
            ("another's",            detection("inherit", "/else", 9), None),
            ("one that was opened",  detection("open", "/out", 9),     None),
            ("the program",          detection("execute", "/bin/x", 9), Some("execute of /bin/x needs write (D7)")),
            ("its interpreter",      detection("execute", "/bin/y", 5), Some("execute of /bin/y needs write (D7)")),
            ("another's program",    detection("execute", "/bin/y", 9), None),
            ("what was let through", audited,                          None),
        ];
        for (name, detection, want) in cases {
            assert_eq!(ours.line(&detection).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn our_own_descriptors() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().canonicalize().unwrap();
        assert!(
            descriptors()
                .iter()
                .any(|(_, target)| *target == super::bytes(&path))
        );
    }
}
