//! Paths of the command line, in the one spelling that tables judge.

use std::{borrow::Cow, ffi::OsStr, os::unix::ffi::OsStrExt as _};

use anyhow::ensure;

use crate::profile::Escaped;

/// The path as the kernel has it: without empty names, `.` and a `/` at its end. What `..`
/// means depends on symbolic links, so that it is refused.
///
/// # Errors
///
/// If the path is relative, or has a `..`.
pub(super) fn canonical(path: &OsStr) -> anyhow::Result<Cow<'_, [u8]>> {
    let path = path.as_bytes();
    ensure!(
        path.starts_with(b"/"),
        "the path {} is relative; give it from the root",
        Escaped(path)
    );
    let names = || path.split(|&byte| byte == b'/');
    ensure!(
        names().all(|name| name != b".."),
        "the path {} has a `..`; give it as the kernel has it, without `..` and symbolic links",
        Escaped(path)
    );
    let mut canonical = Vec::with_capacity(path.len());
    for name in names().filter(|name| !name.is_empty() && *name != b".") {
        canonical.push(b'/');
        canonical.extend(name);
    }
    if canonical.is_empty() {
        canonical.push(b'/');
    }
    Ok(if canonical == path {
        path.into()
    } else {
        canonical.into()
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::canonical;

    #[test]
    fn spellings() {
        // Columns: the path as it is given, and as it is judged or a part of the message.
        #[rustfmt::skip]
        let cases = [
            ("/",                        Ok("/")),
            ("//",                       Ok("/")),
            ("/.",                       Ok("/")),
            ("/srv/www/secret",          Ok("/srv/www/secret")),
            ("/srv/www//secret",         Ok("/srv/www/secret")),
            ("//srv/www/secret",         Ok("/srv/www/secret")),
            ("/srv/www/./secret",        Ok("/srv/www/secret")),
            ("/srv/www/secret/",         Ok("/srv/www/secret")),
            ("/srv/www/secret/.",        Ok("/srv/www/secret")),
            ("/srv/.www/...",            Ok("/srv/.www/...")),
            ("/srv/www/../../etc/shadow", Err("has a `..`; give it as the kernel has it")),
            ("/..",                      Err("has a `..`")),
            ("srv/www",                  Err("is relative")),
            ("./srv",                    Err("is relative")),
            ("",                         Err("is relative")),
        ];
        for (path, want) in cases {
            match (canonical(OsStr::new(path)), want) {
                (Ok(got), Ok(want)) => assert_eq!(&*got, want.as_bytes(), "{path}"),
                (Err(error), Err(want)) => {
                    assert!(error.to_string().contains(want), "{path}: {error}");
                }
                (got, want) => panic!("{path}: {got:?}, expected {want:?}"),
            }
        }
    }
}
