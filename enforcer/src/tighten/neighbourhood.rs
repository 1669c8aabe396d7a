//! Which rules are near an object.
//!
//! A rule lives in its *directory*: the part of its pattern up to the last `/`
//! before anything that is not literal. `/srv/legacy/**` and `/srv/legacy/*.txt`
//! live in `/srv/legacy`, `/srv/{a,b}/**` in `/srv`, `/**` in `/`.
//!
//! A rule and an object meet in the deepest directory that holds the rule's
//! directory and the object. The more levels the object lies beneath that
//! meeting point, the farther is the rule. What meets in `/` alone is far,
//! however few levels that is: everything meets there.

use crate::profile::Pattern;

/// Most levels between an object and the meeting point with a rule that is near:
/// the object's own directory, and the one above it.
pub const NEAR_LEVELS: usize = 2;
/// Most levels between an object and the meeting point with a rule that still
/// matters where it grants what was refused.
pub const WIDE_LEVELS: usize = 3;

/// How far a rule is from an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// At most [`NEAR_LEVELS`].
    Near,
    /// At most [`WIDE_LEVELS`].
    Wide,
    /// Farther, or only `/` in common.
    Far,
}

/// Returns how far a rule with `pattern` is from the object at `path`.
pub fn distance(pattern: &Pattern, path: &[u8]) -> Distance {
    let prefix = pattern.literal_prefix();
    let end = prefix.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let (directory, _name) = prefix.split_at(end);
    let depth = names(path).count();
    // The object itself is no directory to meet in.
    let common = names(directory)
        .zip(names(path).take(depth.saturating_sub(1)))
        .take_while(|(rule, object)| rule == object)
        .count();
    let levels = depth - common;
    if common == 0 || levels > WIDE_LEVELS {
        Distance::Far
    } else if levels > NEAR_LEVELS {
        Distance::Wide
    } else {
        Distance::Near
    }
}

/// Returns the names in a path.
fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{
        Distance::{self, Far, Near, Wide},
        distance,
    };
    use crate::profile::Pattern;

    #[test]
    fn distance_table() {
        #[rustfmt::skip]
        let cases: [(&str, &str, &str, Distance); 16] = [
            ("the same directory",          "/srv/www/*.html",    "/srv/www/key",          Near),
            ("beneath it",                  "/srv/www/a/b/c/**",  "/srv/www/key",          Near),
            ("a sibling",                   "/srv/legacy/**",     "/srv/secret/key",       Near),
            ("a cousin",                    "/srv/www/a/**",      "/srv/www/b/key",        Near),
            ("a sibling, one level deeper", "/srv/legacy/**",     "/srv/secret/a/key",     Wide),
            ("two levels deeper",           "/srv/legacy/**",     "/srv/secret/a/b/key",   Far),
            ("a grant that spans both",     "/srv/**",            "/srv/secret/key",       Near),
            ("the file itself",             "/srv/www/key",       "/srv/www/key",          Near),
            ("a part of a name",            "/srv/leg*/**",       "/srv/secret/key",       Near),
            ("not by a part of a name",     "/srvx/legacy/**",    "/srv/legacy/key",       Far),
            ("alternatives",                "/srv/{a,b}/**",      "/srv/a/b/key",          Wide),
            ("another tree",                "/var/log/nginx/*",   "/srv/www/key",          Far),
            ("only the root in common",     "/**",                "/key",                  Far),
            ("a top-level file",            "/etc/nginx/**",      "/etc/shadow",           Near),
            ("a file in the root",          "/key2",              "/key",                  Far),
            ("no path",                     "/srv/**",            "",                      Far),
        ];
        for (name, pattern, path, want) in cases {
            let pattern = Pattern::parse(pattern).unwrap();
            assert_eq!(distance(&pattern, path.as_bytes()), want, "{name}");
        }
    }
}
