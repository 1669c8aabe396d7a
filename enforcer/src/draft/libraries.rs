//! Which libraries a program is linked with, in the folders where the loader looks.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use object::elf;

use super::{
    elf::{Elf, Machine, parse},
    root::Root,
};

/// The folders that the loader always looks into, the last of all.
const FOLDERS: [&str; 5] = ["/lib64", "/lib", "/usr/lib64", "/usr/lib", "/usr/local/lib"];

/// The settings of the loader.
const SETTINGS: &str = "/etc/ld.so.conf";

/// Most libraries of a program.
const MOST: usize = 2048;

/// What a program is linked with, and what that is linked with in turn.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    /// Those that are there, as the kernel sees them.
    pub(super) found: Vec<Library>,
    /// Those that are not: the name, and what wants it.
    pub(super) missing: Vec<(String, PathBuf)>,
}

/// A library.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Library {
    /// The name that its users know it by.
    pub(super) name: String,
    /// Its file.
    pub(super) path: PathBuf,
}

impl Libraries {
    /// The first of these libraries, `libssl` and the like, that the program is linked with.
    pub(super) fn any(&self, stems: &[&str]) -> Option<&str> {
        let is = |name: &str| {
            let mut rests = stems.iter().filter_map(|stem| name.strip_prefix(stem));
            rests.any(|rest| rest.starts_with(['.', '-', '_']))
        };
        let found = self.found.iter().map(|library| library.name.as_str());
        let missing = self.missing.iter().map(|(name, _)| name.as_str());
        found.chain(missing).find(|name| is(name))
    }
}

/// What is still to be looked for.
struct Wanted {
    name: String,
    /// What wants it.
    by: PathBuf,
    /// Folders of its own, in their order.
    folders: Vec<String>,
    /// Those that hold for what it needs in turn.
    inherited: Vec<String>,
}

/// Follows what `program`, the file at `path`, is linked with.
pub(super) fn libraries(root: &Root, path: &Path, program: &Elf) -> Libraries {
    let system = system_folders(root, program.machine);
    let mut all = Libraries::default();
    let mut seen = BTreeSet::new();
    let mut wanted = wants(path, program, &[]);
    while let Some(next) = wanted.pop() {
        if !seen.insert(next.name.clone()) || seen.len() > MOST {
            continue;
        }
        match find(root, &next, &system, program.machine) {
            Some((path, library)) => {
                wanted.extend(wants(&path, &library, &next.inherited));
                let name = next.name;
                all.found.push(Library { name, path });
            }
            None => all.missing.push((next.name, next.by)),
        }
    }
    all.found.sort_by(|one, other| one.path.cmp(&other.path));
    all.missing.sort();
    all
}

/// What a program or library needs itself, the last first.
fn wants(path: &Path, program: &Elf, inherited: &[String]) -> Vec<Wanted> {
    let origin = path.parent().unwrap_or(Path::new("/"));
    let origin = origin.to_string_lossy();
    let own = |folders: &[String]| -> Vec<String> {
        let put = |folder: &String| {
            let folder = folder.replace("${ORIGIN}", "$ORIGIN");
            folder.replace("$ORIGIN", &origin)
        };
        folders.iter().map(put).collect()
    };
    // RPATH counts where there is no RUNPATH.
    let mut inherited = inherited.to_vec();
    if program.runpath.is_empty() {
        inherited.splice(0..0, own(&program.rpath));
    }
    let folders = if program.runpath.is_empty() {
        inherited.clone()
    } else {
        own(&program.runpath)
    };
    let wanted = program.needed.iter().rev().map(|name| Wanted {
        name: name.clone(),
        by: path.to_owned(),
        folders: folders.clone(),
        inherited: inherited.clone(),
    });
    wanted.collect()
}

/// Finds a library for a machine.
fn find(
    root: &Root,
    wanted: &Wanted,
    system: &[String],
    machine: Machine,
) -> Option<(PathBuf, Elf)> {
    let places: Vec<PathBuf> = if wanted.name.contains('/') {
        vec![PathBuf::from(&wanted.name)]
    } else {
        let folders = wanted.folders.iter().chain(system);
        // What is relative depends on where the program is started.
        let folders = folders.filter(|folder| folder.starts_with('/'));
        folders
            .map(|folder| Path::new(folder).join(&wanted.name))
            .collect()
    };
    places.iter().find_map(|place| {
        let path = root.resolve(place).ok()?.path;
        let library = parse(&root.read(&path).ok()?).ok()?;
        (library.machine == machine).then_some((path, library))
    })
}

/// The folders of the system's libraries.
fn system_folders(root: &Root, machine: Machine) -> Vec<String> {
    let mut folders = Vec::new();
    settings(root, Path::new(SETTINGS), &mut folders, 0);
    if let Some(triple) = triple(machine) {
        folders.extend([format!("/lib/{triple}"), format!("/usr/lib/{triple}")]);
    }
    folders.extend(FOLDERS.map(str::to_owned));
    folders
}

/// The folders that a file of the loader's settings names, and those that it includes.
fn settings(root: &Root, file: &Path, folders: &mut Vec<String>, depth: usize) {
    for line in root.text(file).lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line.strip_prefix("include ") {
            // It could include itself.
            if depth < 4 {
                for file in matching(root, pattern.trim()) {
                    settings(root, &file, folders, depth + 1);
                }
            }
        } else if line.starts_with('/') {
            folders.push(line.to_owned());
        }
    }
}

/// The files of a pattern with a `*` in its last name.
fn matching(root: &Root, pattern: &str) -> Vec<PathBuf> {
    let (folder, name) = pattern.rsplit_once('/').unwrap_or(("/etc", pattern));
    let Some((start, end)) = name.split_once('*') else {
        return vec![Path::new(folder).join(name)];
    };
    let names = root.list(Path::new(folder)).into_iter().filter(|name| {
        let name = name.to_string_lossy();
        name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
    });
    names.map(|name| Path::new(folder).join(name)).collect()
}

/// The name of a machine's folder of libraries, where a system has several.
fn triple(machine: Machine) -> Option<&'static str> {
    Some(match (machine.processor, machine.wide) {
        (elf::EM_X86_64, true) => "x86_64-linux-gnu",
        (elf::EM_386, false) => "i386-linux-gnu",
        (elf::EM_AARCH64, true) => "aarch64-linux-gnu",
        (elf::EM_ARM, false) => "arm-linux-gnueabihf",
        (elf::EM_RISCV, true) => "riscv64-linux-gnu",
        (elf::EM_PPC64, true) => "powerpc64le-linux-gnu",
        (elf::EM_S390, true) => "s390x-linux-gnu",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::libraries;
    use crate::draft::{
        elf::{
            Elf, Machine,
            tests::{MACHINE, program, texts},
        },
        root::Root,
    };

    /// A library for the machine of tests.
    fn library(needed: &[&str]) -> Elf {
        Elf {
            needed: texts(needed),
            machine: MACHINE,
            ..Elf::default()
        }
    }

    #[test]
    fn libraries_are_found_as_the_loader_finds_them() {
        let base = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = base.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let other = Elf {
            machine: Machine {
                processor: object::elf::EM_AARCH64,
                wide: true,
            },
            ..Elf::default()
        };
        let with_runpath = Elf {
            runpath: texts(&["$ORIGIN/own"]),
            ..library(&["libinner.so"])
        };
        put("etc/ld.so.conf", b"include /etc/ld.so.conf.d/*.conf\n");
        put("etc/ld.so.conf.d/x.conf", b"# here\n/opt/conf\n");
        put("etc/ld.so.conf.d/x.conf.old", b"/opt/old\n");
        put("opt/conf/libconf.so.1", &program(&library(&["libdeep.so"])));
        put("opt/old/libold.so", &program(&library(&[])));
        put(
            "usr/lib/x86_64-linux-gnu/libdeep.so",
            &program(&library(&["libconf.so.1"])),
        );
        put("opt/conf/libalien.so", &program(&other));
        put("usr/lib/libalien.so", &program(&library(&[])));
        put("opt/own/libran.so", &program(&with_runpath));
        put(
            "opt/own/own/libinner.so",
            &program(&library(&["libbeside.so"])),
        );
        put("opt/own/libbeside.so", &program(&library(&[])));
        put("opt/conf/libtext.so", b"INPUT(libc.so)");

        let root = Root::at(base.path()).unwrap();
        let start = Elf {
            rpath: texts(&["${ORIGIN}"]),
            ..library(&[
                "libconf.so.1",
                "libalien.so",
                "libran.so",
                "libold.so",
                "libtext.so",
            ])
        };
        let all = libraries(&root, Path::new("/opt/own/program"), &start);
        let found: Vec<_> = all
            .found
            .iter()
            .map(|one| one.path.to_str().unwrap())
            .collect();
        assert_eq!(
            found,
            [
                "/opt/conf/libconf.so.1",
                "/opt/own/libbeside.so",
                "/opt/own/libran.so",
                "/opt/own/own/libinner.so",
                "/usr/lib/libalien.so",
                "/usr/lib/x86_64-linux-gnu/libdeep.so",
            ]
        );
        let missing: Vec<_> = all.missing.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(missing, ["libold.so", "libtext.so"]);
        assert_eq!(all.any(&["libssl", "libran"]), Some("libran.so"));
        assert_eq!(all.any(&["libra"]), None);
    }
}
