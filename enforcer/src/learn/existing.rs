//! What exists on a host, and what of it a pattern admits.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::MetadataExt as _,
    },
    path::Path,
};

use super::{
    places::{Zone, zone},
    recorded::Found,
};
use crate::{
    draft::{ENTRIES, Root},
    profile::{Compiled, Pattern, Profile, compile_alone, quoted},
};

/// Most that are named as examples.
const EXAMPLES: usize = 10;

/// The files of a host.
pub trait Existing {
    /// What is in a folder, symbolic links not followed; `None` if it is none, or cannot be
    /// read.
    fn names(&self, folder: &[u8]) -> Option<Vec<Entry>>;
}

/// What is in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether it is a folder itself.
    pub is_folder: bool,
}

/// What there is at a path, not followed if it is a symbolic link.
pub fn found(path: &[u8]) -> Option<Found> {
    let metadata = fs::symlink_metadata(OsStr::from_bytes(path)).ok()?;
    Some(Found {
        is_folder: metadata.is_dir(),
        uid: metadata.uid(),
    })
}

impl Existing for Root {
    fn names(&self, folder: &[u8]) -> Option<Vec<Entry>> {
        let folder = Path::new(OsStr::from_bytes(folder));
        let entries = self.entries(folder)?.into_iter();
        let entry = |(name, is_folder): (std::ffi::OsString, bool)| Entry {
            name: name.into_vec(),
            is_folder,
        };
        Some(entries.map(entry).collect())
    }
}

/// What exists and matches a pattern, though nobody used it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// How many these are.
    pub count: usize,
    /// Whether all that is there was looked at.
    pub is_all: bool,
    /// The first of them, ten at most.
    pub examples: Vec<Vec<u8>>,
}

/// What exists beyond `seen` that a pattern admits. `None` where the kernel shows what it
/// wants, or the pattern is none.
pub fn admitted(
    pattern: &str,
    seen: &BTreeSet<Vec<u8>>,
    existing: &dyn Existing,
) -> Option<Admitted> {
    let parsed = Pattern::parse(pattern).ok()?;
    let prefix = parsed.literal_prefix();
    let end = prefix.iter().rposition(|&byte| byte == b'/')?;
    let folder = prefix.get(..end)?;
    if zone(&String::from_utf8_lossy(prefix)) == Zone::Kernel {
        return None;
    }
    let table = matcher(pattern)?;
    let most = (!pattern.contains("**")).then(|| pattern.matches('/').count());
    let mut admitted = Admitted {
        is_all: true,
        ..Admitted::default()
    };
    let mut looked_at = 0;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let of_root: &[u8] = if folder.is_empty() { b"/" } else { &folder };
        for Entry { name, is_folder } in existing.names(of_root).unwrap_or_default() {
            looked_at += 1;
            if looked_at > ENTRIES {
                admitted.is_all = false;
                return Some(admitted);
            }
            let path = [&folder[..], b"/", &name].concat();
            let is_matched = !table.judge(&path).rules.granting.is_empty();
            if is_matched && !seen.contains(&path) {
                admitted.count += 1;
                if admitted.examples.len() < EXAMPLES {
                    admitted.examples.push(path.clone());
                }
            }
            let depth = path.split(|&byte| byte == b'/').skip(1).count();
            if is_folder && most.is_none_or(|most| depth < most) {
                open.push(path);
            }
        }
    }
    Some(admitted)
}

/// A table that tells which paths match a pattern.
fn matcher(pattern: &str) -> Option<Compiled> {
    let text = format!(
        "name: x\nmode: enforce\npaths: [{{ path: {}, allow: [read] }}]\n",
        quoted(pattern)
    );
    let profile = Profile::parse(&text, Path::new("x.yaml"), Path::new("")).ok()?;
    compile_alone(&profile).ok()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::admitted;
    use crate::draft::Root;

    #[test]
    fn what_exists_is_told() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["srv/a1", "srv/a2", "srv/b", "srv/c/a1", "srv/c/d/e"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let root = Root::at(dir.path()).unwrap();
        let seen = BTreeSet::from([b"/srv/a1".to_vec()]);
        // Columns: pattern, how many, one of them.
        #[rustfmt::skip]
        let cases: [(&str, usize, Option<&[u8]>); 6] = [
            ("/srv/a[0-9]*",  1, Some(b"/srv/a2")),
            ("/srv/a1",       0, None),
            ("/srv/*",        3, Some(b"/srv/a2")),
            ("/srv/*/*",      2, Some(b"/srv/c/a1")),
            ("/srv/**",       6, Some(b"/srv/a2")),
            ("/none/**",      0, None),
        ];
        for (pattern, count, example) in cases {
            let got = admitted(pattern, &seen, &root).unwrap();
            assert_eq!(got.count, count, "{pattern}");
            assert_eq!(
                got.examples.first().map(Vec::as_slice),
                example,
                "{pattern}"
            );
            assert!(got.is_all, "{pattern}");
        }
        assert_eq!(admitted("/proc/[0-9]*/stat", &seen, &root), None);
    }
}
