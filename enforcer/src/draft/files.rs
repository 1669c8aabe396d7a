//! From the files of packages to rules: which of them the program has to do with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use enforcer_abi::Access;

use super::{
    package::Packages,
    root::{Kind, Root, is_within},
    sketch::{Group, Scope, Sketch, pattern},
};
use crate::profile::Escaped;

/// Most single files that are named of a folder that is not the packages' alone.
const MOST: usize = 24;

/// A place where packages have something of their own, in a folder of its name.
struct Area {
    /// The folder.
    folder: &'static str,
    /// What the program does with it.
    group: Group,
    allow: Access,
}

/// Who reads and keeps, and takes away.
pub(super) const STATE: Access =
    Access(Access::READ.0 | Access::WRITE.0 | Access::CREATE.0 | Access::REMOVE.0);

/// What is done with logs.
pub(super) const LOGS: Access = Access(Access::APPEND.0 | Access::CREATE.0);

/// What is done with programs and modules.
const CODE: Access = Access(Access::READ.0 | Access::MAP.0);

const AREAS: [Area; 9] = [
    area("/etc", Group::Settings, Access::READ),
    area("/usr/share", Group::Data, Access::READ),
    area("/usr/lib", Group::Data, CODE),
    area("/usr/libexec", Group::Data, CODE),
    area("/opt", Group::Data, CODE),
    area("/var/lib", Group::State, STATE),
    area("/var/cache", Group::State, STATE),
    area("/var/spool", Group::State, STATE),
    area("/var/log", Group::Logs, LOGS),
];

/// Folders in which packages have something for another program, or for people. Of its own
/// package it is the program's all the same.
#[rustfmt::skip]
const OTHERS: [&str; 102] = [
    "NetworkManager", "X11", "alternatives", "apparmor", "apparmor.d", "apport", "apt",
    "applications", "augeas", "bash-completion", "bash_completion.d", "binfmt.d", "bug",
    "cron.d", "cron.daily", "cron.hourly", "cron.monthly", "cron.weekly", "dbus-1", "debconf",
    "debug", "default", "dh-python", "dhcp", "doc", "doc-base", "dpkg", "dracut",
    "environment.d", "firewalld", "fish", "girepository-1.0", "icons", "info", "init", "init.d",
    "initramfs-tools", "insserv.conf.d", "installed-tests", "kernel", "ld.so.conf.d", "licenses",
    "lintian", "locale", "logcheck", "logrotate.d", "logwatch", "man", "man-db", "metainfo",
    "mime", "modprobe.d", "modules", "modules-load.d", "monit", "munin", "network",
    "networkd-dispatcher", "pam-configs", "pam.d", "pixmaps", "pkgconfig", "polkit-1", "ppp",
    "profile.d", "python2.7", "python3", "rc.d", "reportbug", "resolvconf", "rsyslog.d", "runit",
    "security", "skel", "sudoers.d", "sv", "sysconfig", "sysctl.d", "systemd", "sysusers.d",
    "tmpfiles.d", "udev", "ufw", "update-motd.d", "update-notifier", "valgrind", "vim", "xdg",
    "zsh", "emacs", "site-lisp", "nagios", "nagios-plugins", "logstash", "snmp", "needrestart",
    "needrestart.d", "sensible-utils", "selinux", "selinux-policy", "crypto-policies", "menu",
];

/// A place of packages.
const fn area(folder: &'static str, group: Group, allow: Access) -> Area {
    Area {
        folder,
        group,
        allow,
    }
}

/// Whether a folder is one in which packages have folders of theirs.
pub(super) fn is_area(path: &Path) -> bool {
    AREAS.iter().any(|area| path == Path::new(area.folder))
}

/// What packages have for a program.
#[derive(Default)]
struct Found {
    /// Folders that are theirs alone, with the package.
    folders: BTreeMap<PathBuf, String>,
    /// Files, by what of their way lies in an area's folder.
    files: BTreeMap<PathBuf, Vec<(PathBuf, String)>>,
    /// Patterns of programs that are not for people to start.
    helpers: BTreeMap<String, String>,
}

/// Adds rules for the files of packages, for the program `name`. Returns the patterns of
/// programs among them that are not for people to start, each with its package.
pub(super) fn rules(
    root: &Root,
    packages: &Packages,
    name: &str,
    sketch: &mut Sketch,
) -> Vec<(String, String)> {
    let Found {
        folders,
        mut files,
        helpers,
    } = found(root, packages, name);
    files.retain(|top, _| !folders.contains_key(top));
    for (folder, source) in &folders {
        let Some((area, ..)) = area_of(folder) else {
            continue;
        };
        let scope = match area.group {
            Group::Logs => Scope::Beneath,
            _ => Scope::Tree,
        };
        sketch.rule(area.group, (folder, scope), area.allow, source.as_str());
    }
    for (top, files) in files {
        let Some((area, ..)) = area_of(&top) else {
            continue;
        };
        if files.len() > MOST {
            sketch.notes.push(format!(
                "its packages have {} files in {}, which is not theirs alone; add rules for those \
                 that it needs",
                files.len(),
                Escaped::path(&top)
            ));
            continue;
        }
        for (file, source) in files {
            sketch.rule(area.group, (&file, Scope::Path), area.allow, source);
        }
    }
    helpers.into_iter().collect()
}

/// Looks through the files of packages.
fn found(root: &Root, packages: &Packages, program: &str) -> Found {
    let mut found = Found::default();
    for package in &packages.all {
        let source = format!("package {}", package.name);
        for spelt in &package.files {
            let file = root.settle(spelt);
            let Some((area, top, name)) = area_of(&file) else {
                continue;
            };
            let is_own = name == program || packages.all.iter().any(|own| own.name == name);
            if OTHERS.contains(&name.as_str()) && !is_own {
                continue;
            }
            let kind = root.kind(&file);
            if area.allow == CODE && is_helper(&file, kind) {
                let pattern = pattern(&file, Scope::Path);
                found.helpers.insert(pattern, source.clone());
            }
            let is_top = file == top;
            if is_top && kind == Kind::Folder && !packages.is_shared(spelt) {
                found.folders.entry(top).or_insert(source.clone());
            } else if kind != Kind::Folder && !(is_top && area.allow == CODE) {
                // Libraries lie beside the folders of packages.
                let files = found.files.entry(top).or_default();
                files.push((file, source.clone()));
            }
        }
    }
    found
}

/// Whether a file is a program for other programs. Some libraries have the bit for that.
fn is_helper(file: &Path, kind: Kind) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let for_people = file
        .parent()
        .is_some_and(|folder| folder.ends_with("bin") || folder.ends_with("sbin"));
    matches!(kind, Kind::File { executable: true }) && !name.contains(".so") && !for_people
}

/// The area that a path lies in, what of it lies in that area's folder, and the name of that.
fn area_of(path: &Path) -> Option<(&'static Area, PathBuf, String)> {
    let area = AREAS.iter().find(|area| is_within(path, area.folder))?;
    let mut rest = path.strip_prefix(area.folder).ok()?.components();
    let mut top = PathBuf::from(area.folder);
    let mut name = rest.next()?.as_os_str();
    top.push(name);
    // A folder for each architecture.
    if area.folder == "/usr/lib" && name.to_string_lossy().contains("-linux-gnu") {
        name = rest.next()?.as_os_str();
        top.push(name);
    }
    Some((area, top, name.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
        path::{Path, PathBuf},
    };

    use super::{OTHERS, area_of, rules};
    use crate::draft::{
        package::{Package, Packages},
        root::Root,
        sketch::Sketch,
    };

    #[test]
    fn areas() {
        // Columns: what it shows, path, what of it lies in the area's folder.
        #[rustfmt::skip]
        let cases = [
            ("settings",             "/etc/nginx/sites/a",             Some("/etc/nginx")),
            ("a file of them",       "/etc/nginx.conf",                Some("/etc/nginx.conf")),
            ("the area itself",      "/etc",                           None),
            ("for an architecture",  "/usr/lib/x86_64-linux-gnu/x/y",  Some("/usr/lib/x86_64-linux-gnu/x")),
            ("its folder",           "/usr/lib/x86_64-linux-gnu",      None),
            ("a program",            "/usr/sbin/nginx",                None),
            ("not the area",         "/etcetera/x",                    None),
        ];
        for (name, path, want) in cases {
            let top = area_of(Path::new(path)).map(|(_, top, _)| top);
            assert_eq!(top, want.map(PathBuf::from), "{name}");
        }
        let all: BTreeSet<&str> = OTHERS.into_iter().collect();
        assert_eq!(all.len(), OTHERS.len(), "each is there once");
    }

    #[test]
    fn files_of_packages() {
        let base = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (file, mode) in [
            ("/etc/web/web.conf", 0o644),
            ("/etc/init.d/web", 0o755),
            ("/etc/shared/web.conf", 0o644),
            ("/usr/lib/web/helper", 0o755),
            ("/usr/lib/web/bin/tool", 0o755),
            ("/usr/lib/web/module.so", 0o755),
            ("/usr/lib/libweb.so.1", 0o644),
            ("/usr/share/doc/web/README", 0o644),
            ("/usr/share/runit/web", 0o644),
            ("/var/log/web/x", 0o644),
            ("/usr/sbin/webd", 0o755),
        ] {
            let outside = base.path().join(&file[1..]);
            fs::create_dir_all(outside.parent().unwrap()).unwrap();
            fs::write(&outside, "").unwrap();
            fs::set_permissions(&outside, Permissions::from_mode(mode)).unwrap();
            all.extend(Path::new(file).ancestors().map(Path::to_owned));
        }
        let root = Root::at(base.path()).unwrap();
        let package = Package {
            name: "web".to_owned(),
            files: all,
            ..Package::default()
        };
        let mut packages = Packages::of(vec![package], &["/etc", "/etc/shared", "/usr/share"]);
        let patterns = |packages: &Packages, name: &str| {
            let mut sketch = Sketch::default();
            let helpers = rules(&root, packages, name, &mut sketch);
            let helpers: Vec<String> = helpers.into_iter().map(|(pattern, _)| pattern).collect();
            let mut patterns: Vec<String> =
                sketch.rules.into_iter().map(|rule| rule.pattern).collect();
            patterns.sort();
            (patterns, helpers)
        };
        let (got, helpers) = patterns(&packages, "webd");
        let mut want = vec![
            "/etc/shared/web.conf",
            "/etc/web{,/**}",
            "/usr/lib/web{,/**}",
            "/var/log/web/**",
        ];
        assert_eq!(got, want);
        assert_eq!(helpers, ["/usr/lib/web/helper"]);

        // What is another's folder is the program's own of that name.
        packages = Packages::of(packages.all, &["/etc", "/etc/shared", "/usr/share"]);
        want.insert(2, "/usr/lib/web{,/**}");
        want[3] = "/usr/share/runit{,/**}";
        let (got, _) = patterns(&packages, "runit");
        assert_eq!(got, want);
    }
}
