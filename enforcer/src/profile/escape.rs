//! Bytes as text for people, without loss, and as patterns.

use std::{
    fmt::{self, Write as _},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// Bytes of a path or a name, shown on one line with escapes.
///
/// Printable text stays as it is. A backslash is doubled, what would move the
/// cursor or start a terminal sequence is escaped, and so is what is not UTF-8
/// (`\xff`), so that two different byte strings never look the same.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl<'a> Escaped<'a> {
    /// A path's bytes.
    pub fn path(path: &'a Path) -> Self {
        Self(path.as_os_str().as_bytes())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    // `escape_debug` would escape quotes, too.
                    '"' | '\'' => write!(f, "{c}")?,
                    _ => write!(f, "{}", c.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// The pattern that matches these bytes of a path and nothing else. It is text that is shown
/// as it is.
pub fn literal(bytes: &[u8]) -> String {
    let mut pattern = String::new();
    let escape = |pattern: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // Writing to a string does not fail.
            let _written = write!(pattern, "\\x{byte:02x}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '*' | '?' | '[' | ']' | '{' | '}' | '\\' => pattern.extend(['\\', letter]),
                // What is not shown as itself might show the rule as another.
                _ if !matches!(letter, '"' | '\'') && letter.escape_debug().len() > 1 => {
                    escape(&mut pattern, letter.to_string().as_bytes());
                }
                _ => pattern.push(letter),
            }
        }
        escape(&mut pattern, chunk.invalid());
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::{Escaped, literal};

    #[test]
    fn escapes() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &str); 8] = [
            ("plain",                 b"/srv/www",            "/srv/www"),
            ("quotes and spaces",     b"/a b/'c\"",           "/a b/'c\""),
            ("printable beyond ascii", "/é/日".as_bytes(),    "/é/日"),
            ("backslash",             br"/a\nb",              r"/a\\nb"),
            ("line feed",             b"/a\nb",               r"/a\nb"),
            ("escape",                b"/\x1b[2J",            r"/\u{1b}[2J"),
            ("right to left mark",    "/\u{202e}x".as_bytes(), r"/\u{202e}x"),
            ("not utf-8",             b"/\xff\xc3x",          r"/\xff\xc3x"),
        ];
        for (name, bytes, want) in cases {
            assert_eq!(Escaped(bytes).to_string(), want, "{name}");
        }
    }

    #[test]
    fn literals() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &str); 7] = [
            ("plain",              b"/srv/www",                 "/srv/www"),
            ("quotes and spaces",  b"/a b/'c\"",                "/a b/'c\""),
            ("printable",          "/é/日".as_bytes(),          "/é/日"),
            ("a meaning",          b"/*?[]{}\\",               r"/\*\?\[\]\{\}\\"),
            ("escape",             b"/\x1b[2J",                 r"/\x1b\[2J"),
            ("right to left mark", "/\u{202e}x".as_bytes(),     r"/\xe2\x80\xaex"),
            ("not utf-8",          b"/\xff\xc3x",               r"/\xff\xc3x"),
        ];
        for (name, bytes, want) in cases {
            let pattern = literal(bytes);
            assert_eq!(pattern, want, "{name}");
            let parsed = crate::profile::Pattern::parse(&pattern).unwrap();
            assert!(parsed.matches(bytes), "{name}");
            assert_eq!(parsed.literal_prefix(), bytes, "{name}");
        }
    }
}
