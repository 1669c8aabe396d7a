//! The form of what a table judges: a path as the kernel programs name an object, from the
//! root, each name with a `/` before it, no name empty, `.` or `..`; or a name of something
//! of a network ([`enforcer_abi::endpoint`]).

use enforcer_abi::endpoint::{HEAD_LEN, PORT_LEN, PREFIX, V4, V4_LEN, V6, V6_LEN};

/// Where in a path or a name a walk is.
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
    /// Behind so many bytes of a name of something of a network.
    Network {
        len: u8,
        /// The number of the family, as far as it is known; 0 if no address follows.
        family: u8,
    },
}

impl Place {
    pub(super) const START: Self = Self::Start;

    /// Where `byte` leads; `None`: to nothing that is judged.
    pub(super) fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, b'/') => Some(Self::Root),
            (Self::Start, PREFIX) => Some(Self::Network { len: 1, family: 0 }),
            (Self::Network { len, family }, _) => network(len, family, byte),
            (_, 0)
            | (Self::Start, _)
            | (Self::Root | Self::Slash | Self::Dot | Self::Dots, b'/') => None,
            (Self::Root | Self::Slash, b'.') => Some(Self::Dot),
            (Self::Dot, b'.') => Some(Self::Dots),
            (Self::Name, b'/') => Some(Self::Slash),
            (Self::Root | Self::Slash | Self::Dot | Self::Dots | Self::Name, _) => Some(Self::Name),
        }
    }

    /// Whether a path or a name may end here.
    pub(super) fn is_whole(self) -> bool {
        match self {
            Self::Root | Self::Name => true,
            Self::Network { len, family } => {
                let len = usize::from(len);
                len == HEAD_LEN || Some(len) == len_of(family)
            }
            Self::Start | Self::Slash | Self::Dot | Self::Dots => false,
        }
    }
}

/// Where `byte` leads behind `len` bytes of a name.
fn network(len: u8, family: u8, byte: u8) -> Option<Place> {
    let digit = char::from(byte).to_digit(16)?;
    // The kernel programs write no capitals.
    if byte.is_ascii_uppercase() {
        return None;
    }
    let family = match len {
        1 => u8::try_from(digit << 4).ok()?,
        2 => family | u8::try_from(digit).ok()?,
        _ => family,
    };
    let behind_head = usize::from(len) >= HEAD_LEN;
    if behind_head && len_of(family).is_none_or(|whole| usize::from(len) >= whole) {
        return None;
    }
    // What has no address is told apart no further.
    let family = if len == 2 && len_of(family).is_none() {
        0
    } else {
        family
    };
    Some(Place::Network {
        len: len + 1,
        family,
    })
}

/// Bytes of a name with an address of a family, if it has any.
fn len_of(family: u8) -> Option<usize> {
    match u16::from(family) {
        V4 => Some(HEAD_LEN + V4_LEN + PORT_LEN),
        V6 => Some(HEAD_LEN + V6_LEN + PORT_LEN),
        _ => None,
    }
}

/// What tells bytes apart here.
pub(super) fn kind(byte: u8) -> u8 {
    match byte {
        // Behind the prefix the digits of the families with addresses.
        0 | b'.' | b'/' | PREFIX | b'0' | b'2' | b'a' => byte,
        b'1'..=b'9' | b'b'..=b'f' => b'1',
        _ => b'z',
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn paths_and_names() {
        #[rustfmt::skip]
        let cases = [
            ("/", true), ("/a", true), ("/a/b", true), ("/.a", true), ("/..a", true), ("/...", true),
            ("", false), ("a", false), ("//", false), ("/a/", false), ("/a//b", false), ("/.", false),
            ("/..", false), ("/a/./b", false), ("/a/../b", false), ("/a\0", false), ("/@", true),
            ("@0206", true), ("@02067f0000010050", true), ("@0a06", true), ("@1000", true), ("@63ff", true),
            ("@0a1120010db80000000000000000000000010035", true),
            ("@", false), ("@020", false), ("@02067f00000100", false), ("@02067f00000100500", false),
            ("@10000", false), ("@0A06", false), ("@02/6", false), ("@0a1120010db8", false), ("@zz00", false),
        ];
        for (text, want) in cases {
            let end = text.bytes().try_fold(Place::START, Place::step);
            assert_eq!(end.is_some_and(Place::is_whole), want, "{text:?}");
        }
    }
}
