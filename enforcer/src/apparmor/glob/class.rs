//! Sets of bytes.

use std::fmt::Write as _;

/// A set of bytes: ranges with their ends, in order and apart. Neither NUL nor `/` is in
/// one, since neither is in a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::apparmor) struct Class(Vec<(u8, u8)>);

impl Class {
    /// The set of the bytes for which `holds` does.
    pub(super) fn of(holds: impl Fn(u8) -> bool) -> Self {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (1..=u8::MAX).filter(|&byte| byte != b'/' && holds(byte)) {
            match ranges.last_mut() {
                Some((_, end)) if end.checked_add(1) == Some(byte) => *end = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        Self(ranges)
    }

    /// Every byte of a name.
    pub(super) fn any() -> Self {
        Self::of(|_| true)
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0
            .iter()
            .any(|&(start, end)| (start..=end).contains(&byte))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set without `bytes`.
    pub(super) fn minus(&self, bytes: &[u8]) -> Self {
        Self::of(|byte| self.contains(byte) && !bytes.contains(&byte))
    }

    /// Writes the set in our syntax.
    pub(super) fn write(&self, out: &mut String) {
        if *self == Self::any() {
            out.push('?');
            return;
        }
        let others = Self::of(|byte| !self.contains(byte));
        let (sign, shorter) = if others.0.len() < self.0.len() {
            ("!", &others)
        } else {
            ("", self)
        };
        out.push('[');
        out.push_str(sign);
        for &(start, end) in &shorter.0 {
            byte(start, out);
            if end > start {
                // Two neighbours need no `-`.
                if end > start + 1 {
                    out.push('-');
                }
                byte(end, out);
            }
        }
        out.push(']');
    }
}

/// Writes a byte of a class.
fn byte(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || b"_.:+=@ ~".contains(&byte) {
        out.push(char::from(byte));
    } else if byte.is_ascii_punctuation() {
        out.push('\\');
        out.push(char::from(byte));
    } else {
        // Writing to a string does not fail.
        let _written = write!(out, "\\x{byte:02x}");
    }
}
