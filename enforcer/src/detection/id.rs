//! Names of detections, tightenings and permits: a letter and a number from the store.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Text that names none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}; {what}s look like {letter}17")]
pub struct IdError {
    what: &'static str,
    letter: char,
    text: String,
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize,
            Deserialize,
        )]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{}{}", $letter, self.0))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix([$letter, $letter.to_ascii_lowercase()])
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| IdError {
                        what: $what,
                        letter: $letter,
                        text: text.to_owned(),
                    })
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
    };
}

numbered!(
    /// A detection's name: `D17`.
    DetectionId,
    'D',
    "detection"
);

impl DetectionId {
    /// Names what could not be stored: no detection of the store has it.
    pub const UNSTORED: Self = Self(0);
}

numbered!(
    /// A tightening's name: `T3`.
    TighteningId,
    'T',
    "tightening"
);

numbered!(
    /// A permit's name: `P2`.
    PermitId,
    'P',
    "permit"
);

#[cfg(test)]
mod tests {
    use super::{DetectionId, TighteningId};

    #[test]
    fn parse_table() {
        #[rustfmt::skip]
        let cases = [
            ("as shown",       "D17",                   Some(17)),
            ("small letter",   "d17",                   Some(17)),
            ("another letter", "T17",                   None),
            ("no letter",      "17",                    None),
            ("no number",      "D",                     None),
            ("a sign",         "D+1",                   None),
            ("negative",       "D-1",                   None),
            ("too big",        "D99999999999999999999", None),
            ("a path",         "/etc/shadow",           None),
        ];
        for (name, text, want) in cases {
            let got = text.parse().ok();
            assert_eq!(got, want.map(DetectionId), "{name}");
        }
        assert_eq!(TighteningId(3).to_string().parse(), Ok(TighteningId(3)));
        let error = "17".parse::<TighteningId>().unwrap_err().to_string();
        assert_eq!(error, "\"17\" is no tightening; tightenings look like T17");
    }
}
