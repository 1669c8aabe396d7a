//! Who is watched, and what a profile for it is about.

use std::{collections::BTreeSet, ffi::OsString, fs, os::unix::ffi::OsStrExt as _, path::PathBuf};

use super::watch::procfs;
use crate::profile::{Escaped, literal, quoted};

/// Who is watched.
#[derive(Debug)]
pub(super) enum Subject {
    /// A command that is started.
    Command(Vec<OsString>),
    /// Running processes.
    Processes(Vec<u32>),
    /// A unit.
    Unit(String),
    /// A program, whoever starts it.
    Program(PathBuf),
}

impl Subject {
    /// The programs that the profile will confine, as far as that can be told.
    pub(super) fn executables(&self) -> Vec<Vec<u8>> {
        let bytes = |path: &PathBuf| path.as_os_str().as_bytes().to_vec();
        let paths: BTreeSet<Vec<u8>> = match self {
            Self::Command(command) => {
                let program = command.first().and_then(in_path);
                program.iter().map(bytes).collect()
            }
            Self::Processes(pids) => {
                let procfs = procfs();
                pids.iter().filter_map(|&pid| procfs.exe(pid)).collect()
            }
            // It is the unit that is confined, whatever it runs.
            Self::Unit(_) => BTreeSet::new(),
            Self::Program(path) => BTreeSet::from([bytes(path)]),
        };
        paths.into_iter().collect()
    }

    /// The units that the profile will confine.
    pub(super) fn units(&self) -> Vec<String> {
        match self {
            Self::Unit(unit) => vec![unit.clone()],
            Self::Command(_) | Self::Processes(_) | Self::Program(_) => Vec::new(),
        }
    }

    /// The name of a profile for it.
    pub(super) fn name(&self, executables: &[Vec<u8>]) -> String {
        let file = match (self, executables) {
            (Self::Unit(unit), _) => unit.rsplit_once('.').map_or(&**unit, |(stem, _)| stem),
            (_, [first, ..]) => {
                let last = first.rsplit(|&byte| byte == b'/').next();
                last.and_then(|name| str::from_utf8(name).ok())
                    .unwrap_or_default()
            }
            _ => "",
        };
        file.to_lowercase()
    }

    /// What the profile applies to under which it is watched, in YAML.
    pub(super) fn applies_to(&self) -> String {
        match self {
            Self::Unit(unit) => format!("applies_to: {{ units: [{}] }}\n", quoted(unit)),
            Self::Program(path) => {
                let path = quoted(&literal(path.as_os_str().as_bytes()));
                format!("applies_to: {{ executables: [{path}] }}\n")
            }
            Self::Processes(_) | Self::Command(_) => String::new(),
        }
    }

    /// What it is, for people.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Unit(unit) => unit.clone(),
            Self::Program(path) => Escaped::path(path).to_string(),
            Self::Processes(pids) => {
                let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
                format!("process {}", pids.join(", "))
            }
            Self::Command(words) => {
                let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
                let text = words.join(" ");
                text.chars()
                    .filter(|one| !one.is_control())
                    .take(80)
                    .collect()
            }
        }
    }
}

/// Where the program of this name is, without symbolic links.
fn in_path(name: &OsString) -> Option<PathBuf> {
    let found = if name.as_bytes().contains(&b'/') {
        Some(PathBuf::from(name))
    } else {
        let path = std::env::var_os("PATH")?;
        let mut all = std::env::split_paths(&path).map(|folder| folder.join(name));
        all.find(|file| file.is_file())
    };
    fs::canonicalize(found?).ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::Subject;

    #[test]
    fn names() {
        let command = |word: &str| Subject::Command(vec![OsString::from(word)]);
        #[rustfmt::skip]
        let cases: [(&str, Subject, &[&[u8]], &str); 4] = [
            ("a command",   command("x"),                           &[b"/usr/bin/Xorg"], "xorg"),
            ("not found",   command("/nowhere"),                    &[],                 ""),
            ("a unit",      Subject::Unit("nginx.service".into()),  &[],                 "nginx"),
            ("a process",   Subject::Processes(vec![1]),            &[b"/sbin/init"],    "init"),
        ];
        for (name, subject, executables, want) in cases {
            let executables: Vec<Vec<u8>> = executables.iter().map(|one| one.to_vec()).collect();
            assert_eq!(subject.name(&executables), want, "{name}");
        }
    }

    #[test]
    fn programs_are_found() {
        let this = std::env::current_exe().unwrap();
        let command = Subject::Command(vec![this.clone().into_os_string()]);
        let want = this.canonicalize().unwrap();
        let got = command.executables();
        assert_eq!(got, [want.to_str().unwrap().as_bytes().to_vec()]);
        let own = Subject::Processes(vec![std::process::id()]);
        assert_eq!(own.executables(), got);
        let none = Subject::Command(vec![OsString::from("/nowhere")]);
        assert!(none.executables().is_empty());
    }
}
