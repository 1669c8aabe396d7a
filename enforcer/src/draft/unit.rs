//! Which units of systemd start a program, and what they say.
//!
//! - [`text`]: the form of a unit's file, and of its values

mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

pub(super) use self::text::{Setting, expand, parse, words};
use super::root::Root;

/// Where units lie, the first to win.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Where a program without a `/` is looked for.
pub(super) const PROGRAMS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// A unit, with what changes it in the folder `NAME.d`.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Its name, with its end.
    pub(super) name: String,
    /// What it says, in order.
    pub(super) settings: Vec<Setting>,
}

impl Unit {
    /// The values of a list, which an empty value makes empty again.
    pub(super) fn list(&self, section: &str, key: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for setting in &self.settings {
            if setting.section == section && setting.key == key {
                if setting.value.is_empty() {
                    values.clear();
                } else {
                    values.push(setting.value.as_str());
                }
            }
        }
        values
    }

    /// The value that holds, if there is one.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&str> {
        self.list(section, key).last().copied()
    }

    /// Whether it is said, be it that there is nothing.
    pub(super) fn says(&self, section: &str, key: &str) -> bool {
        let mut settings = self.settings.iter();
        settings.any(|setting| setting.section == section && setting.key == key)
    }

    /// Whether a value says yes.
    pub(super) fn is_on(&self, section: &str, key: &str) -> bool {
        let value = self.value(section, key).unwrap_or_default();
        matches!(
            value.to_ascii_lowercase().as_str(),
            "1" | "yes" | "y" | "true" | "t" | "on"
        )
    }
}

/// The services that start the program at `path`, and their sockets.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub(super) services: Vec<Unit>,
    pub(super) sockets: Vec<Unit>,
}

/// Looks for the units of a program.
pub(super) fn units(root: &Root, path: &Path) -> Units {
    let all = files(root);
    let mut units = Units::default();
    for (name, file) in &all {
        if !name.ends_with(".service") {
            continue;
        }
        let unit = load(root, name, file);
        let mut starts = unit.list("Service", "ExecStart").into_iter();
        if starts.any(|command| program_of(root, command).is_some_and(|program| program == path)) {
            units.services.push(unit);
        }
    }
    for (name, file) in &all {
        let Some(stem) = name.strip_suffix(".socket") else {
            continue;
        };
        let unit = load(root, name, file);
        let service = match unit.value("Socket", "Service") {
            Some(service) => service.to_owned(),
            // One process for each connection has an instance for each.
            None if unit.is_on("Socket", "Accept") => format!("{stem}@.service"),
            None => format!("{stem}.service"),
        };
        let names = |wanted: &Unit| {
            let sockets = wanted.list("Service", "Sockets");
            wanted.name == service || sockets.iter().any(|list| words(list).contains(name))
        };
        if units.services.iter().any(names) {
            units.sockets.push(unit);
        }
    }
    units
}

/// The files of all units, each once, under the first of its names.
fn files(root: &Root) -> BTreeMap<String, PathBuf> {
    let mut names: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        for name in root.list(Path::new(folder)) {
            let file = Path::new(folder).join(&name);
            let name = name.to_string_lossy().into_owned();
            names.entry(name).or_insert(file);
        }
    }
    // Another name of a unit is a link to its file.
    let mut seen = BTreeSet::new();
    let real = |name: &str, file: &Path| {
        let path = root.resolve(file).ok()?.path;
        let is_itself = path.file_name().is_some_and(|own| own == name);
        Some((path, is_itself))
    };
    let mut files = BTreeMap::new();
    for wants_itself in [true, false] {
        for (name, file) in &names {
            let Some((path, is_itself)) = real(name, file) else {
                continue;
            };
            if is_itself == wants_itself && seen.insert(path.clone()) {
                files.insert(name.clone(), path);
            }
        }
    }
    files
}

/// Reads a unit, and what changes it.
fn load(root: &Root, name: &str, file: &Path) -> Unit {
    let mut settings = parse(&root.text(file));
    let mut changes: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = Path::new(folder).join(format!("{name}.d"));
        for name in root.list(&folder) {
            let file = folder.join(&name);
            if file.extension().is_some_and(|end| end == "conf") {
                let name = name.to_string_lossy().into_owned();
                changes.entry(name).or_insert(file);
            }
        }
    }
    for file in changes.values() {
        settings.extend(parse(&root.text(file)));
    }
    Unit {
        name: name.to_owned(),
        settings,
    }
}

/// The program that a command line of systemd starts.
fn program_of(root: &Root, command: &str) -> Option<PathBuf> {
    let program = words(command).into_iter().next()?;
    let program = program.trim_start_matches(['@', '-', ':', '+', '!', '|']);
    if program.starts_with('/') {
        return Some(root.resolve(Path::new(program)).ok()?.path);
    }
    let mut places = PROGRAMS
        .iter()
        .map(|folder| Path::new(folder).join(program));
    places.find_map(|place| Some(root.resolve(&place).ok()?.path))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::units;
    use crate::draft::root::Root;

    #[test]
    fn units_of_a_program() {
        let base = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = base.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("usr/sbin/webd", "");
        symlink("usr/sbin", base.path().join("sbin")).unwrap();
        let lib = "usr/lib/systemd/system";
        put(
            &format!("{lib}/web.service"),
            "[Service]\nExecStart=-/sbin/webd -x\nUser=www\n",
        );
        put(
            &format!("{lib}/web@.service"),
            "[Service]\nExecStart=@webd webd %i\n",
        );
        put(
            &format!("{lib}/other.service"),
            "[Service]\nExecStart=/usr/bin/other /sbin/webd\n",
        );
        put(
            &format!("{lib}/reset.service"),
            "[Service]\nExecStart=/sbin/webd\nExecStart=\nExecStart=/x\n",
        );
        put(
            &format!("{lib}/masked.service"),
            "[Service]\nExecStart=/sbin/webd\n",
        );
        put(&format!("{lib}/web.socket"), "[Socket]\nListenStream=80\n");
        put(
            &format!("{lib}/admin.socket"),
            "[Socket]\nListenStream=/run/a\nService=web.service\n",
        );
        put(
            &format!("{lib}/other.socket"),
            "[Socket]\nListenStream=81\n",
        );
        put(
            "etc/systemd/system/web.service.d/10.conf",
            "[Service]\nUser=web\n",
        );
        put(
            "etc/systemd/system/web.service.d/note.txt",
            "[Service]\nUser=none\n",
        );
        let etc = base.path().join("etc/systemd/system");
        symlink(
            "/usr/lib/systemd/system/web.service",
            etc.join("alias.service"),
        )
        .unwrap();
        symlink("/dev/null", etc.join("masked.service")).unwrap();

        let root = Root::at(base.path()).unwrap();
        let found = units(&root, Path::new("/usr/sbin/webd"));
        let names: Vec<_> = found
            .services
            .iter()
            .map(|unit| unit.name.as_str())
            .collect();
        assert_eq!(names, ["web.service", "web@.service"]);
        assert_eq!(found.services[0].value("Service", "User"), Some("web"));
        let names: Vec<_> = found
            .sockets
            .iter()
            .map(|unit| unit.name.as_str())
            .collect();
        assert_eq!(names, ["admin.socket", "web.socket"]);
    }
}
