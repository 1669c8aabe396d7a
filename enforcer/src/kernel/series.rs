//! Kernel series: what of a kernel's version matters here.

use std::fmt;

/// A kernel series: the first two numbers of a version, as in `6.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series(pub u32, pub u32);

impl Series {
    /// Returns the series of a kernel with this release, as `uname -r` tells it.
    pub fn of_release(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some(Self(
            numbers.next()?.parse().ok()?,
            numbers.next()?.parse().ok()?,
        ))
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor) = self;
        f.pad(&format!("{major}.{minor}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    #[test]
    fn of_release_table() {
        #[rustfmt::skip]
        let cases = [
            ("Debian",              "6.12.117+deb13-cloud-amd64", Some(Series(6, 12))),
            ("a release candidate", "7.0-rc1",                    Some(Series(7, 0))),
            ("nothing",             "",                           None),
            ("text",                "linux",                      None),
        ];
        for (name, release, want) in cases {
            assert_eq!(Series::of_release(release), want, "{name}");
        }
        assert!(Series(6, 9) < Series(6, 12), "numbers, not text");
        assert_eq!(Series(6, 12).to_string(), "6.12");
    }
}
