//! Which package a program is of, and what else that has: from dpkg's files, or from rpm.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::root::Root;

/// Where dpkg keeps what it knows.
const DPKG: &str = "/var/lib/dpkg";

/// Ends of names of packages that have nothing for the program as it runs.
const ASIDE: [&str; 7] = [
    "-dev",
    "-devel",
    "-doc",
    "-docs",
    "-dbg",
    "-dbgsym",
    "-debuginfo",
];

/// A package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// What it is, on a line.
    pub(super) summary: String,
    /// Its files and folders, as it spells them.
    pub(super) files: Vec<PathBuf>,
}

/// The packages of a program: its own first, then those of the same source that it needs.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// None, if no package has the program.
    pub(super) all: Vec<Package>,
    /// Folders of theirs that others have, too.
    shared: BTreeSet<PathBuf>,
}

impl Packages {
    /// Packages, and folders of theirs that others have, too.
    #[cfg(test)]
    pub(super) fn of(all: Vec<Package>, shared: &[&str]) -> Self {
        let shared = shared.iter().map(PathBuf::from).collect();
        Self { all, shared }
    }

    /// Whether other packages have something in a folder, too.
    pub(super) fn is_shared(&self, folder: &Path) -> bool {
        self.shared.contains(folder)
    }
}

/// The packages of the program with these names.
pub(super) fn packages(root: &Root, names: &[PathBuf]) -> Packages {
    // A package may have been made before /bin was a link to /usr/bin.
    let mut spellings: BTreeSet<PathBuf> = names.iter().cloned().collect();
    for name in names {
        if let Ok(short) = name.strip_prefix("/usr") {
            spellings.insert(Path::new("/").join(short));
        }
    }
    let found = dpkg(root, &spellings);
    if found.all.is_empty() {
        rpm(root, &spellings)
    } else {
        found
    }
}

/// What dpkg knows of a package.
#[derive(Default)]
struct Stanza {
    package: Package,
    source: String,
    needs: Vec<String>,
    /// Settings, which may be missing from the list of its files.
    settings: Vec<PathBuf>,
}

fn dpkg(root: &Root, spellings: &BTreeSet<PathBuf>) -> Packages {
    let status = root.text(&Path::new(DPKG).join("status"));
    if status.is_empty() {
        return Packages::default();
    }
    let info = Path::new(DPKG).join("info");
    let mut lists: BTreeMap<String, String> = BTreeMap::new();
    for file in root.list(&info) {
        let name = file.to_string_lossy();
        if let Some(name) = name.strip_suffix(".list") {
            // Where several architectures are installed: `libc6:amd64`.
            let name = name.split(':').next().unwrap_or(name).to_owned();
            let text = root.text(&info.join(&file));
            lists.entry(name).or_default().push_str(&text);
        }
    }
    let stanzas: BTreeMap<String, Stanza> = status
        .split("\n\n")
        .filter_map(stanza)
        .map(|stanza| (stanza.package.name.clone(), stanza))
        .collect();

    let owns = |list: &&str| list.lines().any(|line| spellings.contains(Path::new(line)));
    let mut wanted: Vec<String> = lists
        .iter()
        .filter(|(_, list)| owns(&list.as_str()))
        .map(|(name, _)| name.clone())
        .collect();
    let sources: BTreeSet<&str> = wanted
        .iter()
        .filter_map(|name| Some(stanzas.get(name)?.source.as_str()))
        .collect();

    let mut family: Vec<String> = Vec::new();
    while !wanted.is_empty() {
        let name = wanted.remove(0);
        let Some(stanza) = stanzas.get(&name) else {
            continue;
        };
        let aside = !family.is_empty() && ASIDE.iter().any(|end| name.ends_with(end));
        if family.contains(&name) || aside || !sources.contains(stanza.source.as_str()) {
            continue;
        }
        family.push(name);
        wanted.extend(stanza.needs.iter().cloned());
    }

    let mut packages = Packages::default();
    for name in &family {
        let (Some(stanza), Some(list)) = (stanzas.get(name), lists.get(name)) else {
            continue;
        };
        let mut files: Vec<PathBuf> = list.lines().map(PathBuf::from).collect();
        files.extend(stanza.settings.iter().cloned());
        files.sort();
        files.dedup();
        packages.all.push(Package {
            files,
            ..stanza.package.clone()
        });
    }
    let own: BTreeSet<&Path> = packages
        .all
        .iter()
        .flat_map(|package| package.files.iter().map(PathBuf::as_path))
        .collect();
    for (name, list) in &lists {
        if !family.contains(name) {
            let lines = list.lines().map(Path::new);
            let shared = lines.filter(|path| own.contains(path));
            packages.shared.extend(shared.map(Path::to_owned));
        }
    }
    packages
}

/// Reads what dpkg says of a package, if it is installed.
fn stanza(text: &str) -> Option<Stanza> {
    let mut stanza = Stanza::default();
    let mut installed = false;
    let mut field = "";
    for line in text.lines() {
        // A line that goes on begins with a space.
        if let Some(more) = line.strip_prefix(' ') {
            let path = more.split(' ').next().unwrap_or_default();
            if field == "Conffiles" && path.starts_with('/') && !more.ends_with(" obsolete") {
                stanza.settings.push(PathBuf::from(path));
            }
            continue;
        }
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        field = name;
        match name {
            "Package" => value.clone_into(&mut stanza.package.name),
            "Version" => value.clone_into(&mut stanza.package.version),
            "Description" => value.clone_into(&mut stanza.package.summary),
            // With the source's version behind it, where that is another.
            "Source" => stanza.source = first_word(value),
            "Status" => installed = value.ends_with(" installed"),
            "Depends" | "Pre-Depends" => {
                let names = value.split([',', '|']).map(first_word);
                stanza.needs.extend(names);
            }
            _ => {}
        }
    }
    if stanza.source.is_empty() {
        stanza.source.clone_from(&stanza.package.name);
    }
    (installed && !stanza.package.name.is_empty()).then_some(stanza)
}

/// The name that a text begins with.
fn first_word(text: &str) -> String {
    let mut words = text.trim().split([' ', '(', ':']);
    words.next().unwrap_or_default().to_owned()
}

/// A package in the words of rpm, one a line.
const RPM_FORMAT: &str = "%{NAME}\\t%{EVR}\\t%{SOURCERPM}\\t%{SUMMARY}\\n";

fn rpm(root: &Root, spellings: &BTreeSet<PathBuf>) -> Packages {
    let owner = spellings.iter().find_map(|path| {
        let path = path.to_str()?;
        let text = root.rpm(&["-q", "--qf", RPM_FORMAT, "-f", path])?;
        rpm_package(text.lines().next()?)
    });
    let Some((owner, source)) = owner else {
        return Packages::default();
    };
    let all = root.rpm(&["-qa", "--qf", RPM_FORMAT]).unwrap_or_default();
    let mut family = vec![owner];
    for (package, of) in all.lines().filter_map(rpm_package) {
        let aside = ASIDE.iter().any(|end| package.name.ends_with(end));
        if of == source && !aside && family.iter().all(|known| known.name != package.name) {
            family.push(package);
        }
    }
    let mut packages = Packages::default();
    for mut package in family {
        let list = root.rpm(&["-ql", &package.name]).unwrap_or_default();
        let files = list.lines().filter(|line| line.starts_with('/'));
        package.files = files.map(PathBuf::from).collect();
        packages.all.push(package);
    }
    // A folder has as many owners as packages list it.
    let folders = packages.all.iter().flat_map(|package| &package.files);
    let folders: BTreeSet<&Path> = folders.filter_map(|file| file.parent()).collect();
    for folder in folders {
        let owners = folder
            .to_str()
            .and_then(|folder| root.rpm(&["-q", "--qf", "%{NAME}\\n", "-f", folder]));
        let owners = owners.unwrap_or_default();
        let is_own = |owner: &str| packages.all.iter().any(|package| package.name == owner);
        if !owners.lines().all(is_own) {
            packages.shared.insert(folder.to_owned());
        }
    }
    packages
}

/// Reads a line of rpm's: the package, and its source.
fn rpm_package(line: &str) -> Option<(Package, String)> {
    let mut fields = line.split('\t');
    let (name, version, source, summary) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let package = Package {
        name: name.to_owned(),
        version: version.to_owned(),
        summary: summary.to_owned(),
        files: Vec::new(),
    };
    Some((package, source.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::{Package, packages, rpm_package};
    use crate::draft::root::Root;

    const STATUS: &str = "\
Package: webd
Status: install ok installed
Architecture: amd64
Source: web (1.0)
Version: 1.0-1+b1
Depends: web-common (= 1.0-1), web-doc, libc6 (>= 2.36) | libc7
Description: serves the web
 and more.

Package: web-common
Status: install ok installed
Source: web
Version: 1.0-1
Conffiles:
 /etc/web/web.conf 0123456789abcdef
 /etc/web/gone.conf 0123456789abcdef obsolete

Package: web-doc
Status: install ok installed
Source: web
Version: 1.0-1

Package: web-extra
Status: install ok installed
Source: web
Version: 1.0-1

Package: libc6
Status: install ok installed
Source: glibc
Version: 2.36

Package: left
Status: deinstall ok config-files
Version: 3
";

    #[test]
    fn a_package_comes_with_what_it_needs_of_its_source() {
        let base = tempfile::tempdir().unwrap();
        let info = base.path().join("var/lib/dpkg/info");
        fs::create_dir_all(&info).unwrap();
        fs::write(base.path().join("var/lib/dpkg/status"), STATUS).unwrap();
        for (name, list) in [
            ("webd:amd64", "/.\n/usr\n/usr/sbin\n/sbin/webd\n"),
            (
                "web-common",
                "/.\n/etc\n/etc/web\n/usr/share\n/usr/share/web\n",
            ),
            ("web-doc", "/usr/share/doc/web\n"),
            ("web-extra", "/usr/lib/web\n"),
            ("libc6", "/.\n/usr\n/usr/share\n"),
            ("left", "/sbin/webd\n"),
        ] {
            fs::write(info.join(format!("{name}.list")), list).unwrap();
        }
        let root = Root::at(base.path()).unwrap();
        let found = packages(&root, &[PathBuf::from("/usr/sbin/webd")]);
        let names: Vec<_> = found
            .all
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["webd", "web-common"]);
        assert_eq!(found.all[0].summary, "serves the web");
        assert_eq!(found.all[0].version, "1.0-1+b1");
        let files = &found.all[1].files;
        assert!(
            files.contains(&PathBuf::from("/etc/web/web.conf")),
            "{files:?}"
        );
        assert!(
            !files.contains(&PathBuf::from("/etc/web/gone.conf")),
            "{files:?}"
        );
        assert!(found.is_shared(Path::new("/usr/share")));
        assert!(!found.is_shared(Path::new("/usr/share/web")));

        let none = packages(&root, &[PathBuf::from("/usr/local/bin/own")]);
        assert!(none.all.is_empty());
        let empty = tempfile::tempdir().unwrap();
        let empty = Root::at(empty.path()).unwrap();
        assert!(packages(&empty, &[PathBuf::from("/bin/sh")]).all.is_empty());
    }

    #[test]
    fn words_of_rpm() {
        let line = "nginx-core\t2:1.24.0-1.el9\tnginx-1.24.0-1.el9.src.rpm\tA web server";
        let (package, source) = rpm_package(line).unwrap();
        assert_eq!(source, "nginx-1.24.0-1.el9.src.rpm");
        let want = Package {
            name: "nginx-core".to_owned(),
            version: "2:1.24.0-1.el9".to_owned(),
            summary: "A web server".to_owned(),
            files: Vec::new(),
        };
        assert_eq!(package, want);
        assert_eq!(rpm_package("file /x is not owned by any package"), None);
    }
}
