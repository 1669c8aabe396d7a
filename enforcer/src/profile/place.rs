//! The form of a path, as the kernel programs name an object: from the root, each name
//! with a `/` before it, no name empty, `.` or `..`.

/// Where in a path a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Before it.
    Start,
    /// Behind its first byte. The path may end here: it is the root.
    Root,
    /// Behind another `/`.
    Slash,
    /// Behind a name that is `.` so far.
    Dot,
    /// Behind a name that is `..` so far.
    Dots,
    /// In a name.
    Name,
}

impl Place {
    pub(super) const START: Self = Self::Start;

    /// Where `byte` leads; `None`: to nothing that is a path.
    pub(super) fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, b'/') => Some(Self::Root),
            (_, 0)
            | (Self::Start, _)
            | (Self::Root | Self::Slash | Self::Dot | Self::Dots, b'/') => None,
            (Self::Root | Self::Slash, b'.') => Some(Self::Dot),
            (Self::Dot, b'.') => Some(Self::Dots),
            (Self::Name, b'/') => Some(Self::Slash),
            (Self::Root | Self::Slash | Self::Dot | Self::Dots | Self::Name, _) => Some(Self::Name),
        }
    }

    /// Whether a path may end here.
    pub(super) fn is_path(self) -> bool {
        matches!(self, Self::Root | Self::Name)
    }
}

/// What tells bytes apart here.
pub(super) fn kind(byte: u8) -> u8 {
    match byte {
        0 | b'.' | b'/' => byte,
        _ => b'a',
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn paths() {
        #[rustfmt::skip]
        let cases = [
            ("/", true), ("/a", true), ("/a/b", true), ("/.a", true), ("/..a", true), ("/...", true),
            ("", false), ("a", false), ("//", false), ("/a/", false), ("/a//b", false), ("/.", false),
            ("/..", false), ("/a/./b", false), ("/a/../b", false), ("/a\0", false),
        ];
        for (text, want) in cases {
            let end = text.bytes().try_fold(Place::START, Place::step);
            assert_eq!(end.is_some_and(Place::is_path), want, "{text:?}");
        }
    }
}
