//! What the functions that a program calls tell of it.

use enforcer_abi::Access;

use super::{elf::Elf, libraries::Libraries, sketch::Sketch};

/// Functions by which names of users, groups and hosts are looked up.
const NAMES: [&str; 22] = [
    "getaddrinfo",
    "gethostbyaddr",
    "gethostbyaddr_r",
    "gethostbyname",
    "gethostbyname2",
    "gethostbyname2_r",
    "gethostbyname_r",
    "getnameinfo",
    "getgrgid",
    "getgrgid_r",
    "getgrnam",
    "getgrnam_r",
    "getgrouplist",
    "getpwent",
    "getpwnam",
    "getpwnam_r",
    "getpwuid",
    "getpwuid_r",
    "getservbyname",
    "getservbyport",
    "initgroups",
    "res_query",
];

/// Functions that write to the system's log.
const LOGGING: [&str; 8] = [
    "openlog",
    "syslog",
    "vsyslog",
    "__syslog_chk",
    "__vsyslog_chk",
    "sd_journal_print",
    "sd_journal_send",
    "sd_journal_sendv",
];

/// Functions that start programs.
const STARTS: [&str; 12] = [
    "execl",
    "execle",
    "execlp",
    "execv",
    "execve",
    "execveat",
    "execvp",
    "execvpe",
    "popen",
    "posix_spawn",
    "posix_spawnp",
    "system",
];

/// Functions that change who owns a file, its mode or its times.
const ATTRIBUTES: [&str; 13] = [
    "chmod",
    "chown",
    "fchmod",
    "fchmodat",
    "fchown",
    "fchownat",
    "fsetxattr",
    "futimens",
    "lchown",
    "setxattr",
    "utime",
    "utimensat",
    "utimes",
];

/// Functions that need a privilege of root, with its name.
const PRIVILEGED: [(&str, &[&str]); 12] = [
    ("net_bind_service", &["bind"]),
    ("setuid", &["setuid", "seteuid", "setreuid", "setresuid"]),
    (
        "setgid",
        &[
            "setgid",
            "setegid",
            "setregid",
            "setresgid",
            "setgroups",
            "initgroups",
        ],
    ),
    ("chown", &["chown", "fchown", "fchownat", "lchown"]),
    ("kill", &["kill", "killpg"]),
    ("sys_chroot", &["chroot"]),
    ("sys_nice", &["nice", "setpriority", "sched_setscheduler"]),
    ("sys_resource", &["setrlimit", "setrlimit64"]),
    (
        "sys_time",
        &[
            "adjtimex",
            "clock_adjtime",
            "clock_settime",
            "ntp_adjtime",
            "settimeofday",
        ],
    ),
    ("ipc_lock", &["mlock", "mlock2", "mlockall"]),
    ("mknod", &["mknod", "mknodat", "__xmknod"]),
    ("mount", &["mount", "umount", "umount2"]),
];

/// Adds the abstractions of what a program calls and is linked with.
pub(super) fn include(program: &Elf, libraries: &Libraries, sketch: &mut Sketch) {
    let calls = |functions: &[&str]| call(program, functions);
    let linked = |stems: &[&str]| {
        libraries
            .any(stems)
            .map(|name| format!("linked with {name}"))
    };
    let found = [
        (
            "nameservice",
            calls(&NAMES).or_else(|| linked(&["libresolv", "libnss"])),
        ),
        ("logging", calls(&LOGGING)),
        ("tls", linked(&["libssl", "libcrypto", "libgnutls"])),
        ("authentication", linked(&["libpam"])),
    ];
    for (name, source) in found {
        if let Some(source) = source {
            Sketch::name(&mut sketch.include, name, source);
        }
    }
}

/// Adds the privileges of what a program calls that runs as root.
pub(super) fn privileges(program: &Elf, sketch: &mut Sketch) {
    for (privilege, functions) in PRIVILEGED {
        // Root needs none for its own processes; who changes users has others.
        let others = privilege != "kill" || call(program, &["setuid", "setresuid"]).is_some();
        if others && let Some(source) = call(program, functions) {
            Sketch::name(&mut sketch.privileges, privilege, source);
        }
    }
}

/// Notes what a program does with networks, of which no unit says more.
pub(super) fn networks(program: &Elf, sketch: &mut Sketch) {
    if sketch.network.is_empty()
        && let Some(source) = call(program, &["listen"])
    {
        let rule = "{ protocol: tcp, port: PORT, allow: [bind] }";
        let note = format!("{source}: unless that is a unix socket, add {rule} to `network`");
        sketch.notes.push(note);
    }
    if let Some(source) = call(program, &["getaddrinfo", "gethostbyname"])
        && call(program, &["connect", "sendto"]).is_some()
    {
        let rule = "{ protocol: tcp, port: PORT, allow: [connect] }";
        let note = format!("{source}: if it connects to others, add {rule} to `network`");
        sketch.notes.push(note);
    }
}

/// The call by which a program starts others, if it has one.
pub(super) fn starts(program: &Elf) -> Option<String> {
    call(program, &STARTS)
}

/// What is done with state beside reading and writing.
pub(super) fn attributes(program: &Elf) -> Access {
    match call(program, &ATTRIBUTES) {
        Some(_) => Access::ATTRIBUTES,
        None => Access::NONE,
    }
}

/// The first of these functions that a program calls, in words.
fn call(program: &Elf, functions: &[&str]) -> Option<String> {
    let mut functions = functions.iter();
    let function = functions.find(|function| program.imports.contains(**function))?;
    Some(format!("it calls {function}"))
}

#[cfg(test)]
mod tests {
    use enforcer_abi::Privilege;

    use super::{PRIVILEGED, include, networks, privileges, starts};
    use crate::draft::{
        elf::{Elf, tests::texts},
        libraries::{Libraries, Library},
        sketch::Sketch,
    };

    #[test]
    fn privileges_have_names() {
        for (name, _) in PRIVILEGED {
            assert!(Privilege::from_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn networks_are_noted() {
        // Columns: what it calls, whether a unit says where it listens, how the notes begin.
        #[rustfmt::skip]
        let cases: [(&[&str], bool, &[&str]); 5] = [
            (&["listen", "bind"],           false, &["it calls listen: "]),
            (&["listen", "bind"],           true,  &[]),
            (&["connect"],                  false, &[]),
            (&["getaddrinfo"],              false, &[]),
            (&["getaddrinfo", "sendto"],    true,  &["it calls getaddrinfo: "]),
        ];
        for (imports, known, want) in cases {
            let program = Elf {
                imports: texts(imports),
                ..Elf::default()
            };
            let mut sketch = Sketch::default();
            if known {
                Sketch::name(&mut sketch.network, "{ allow: [bind] }", "a unit");
            }
            networks(&program, &mut sketch);
            assert_eq!(sketch.notes.len(), want.len(), "{imports:?}");
            for (note, start) in sketch.notes.iter().zip(want) {
                assert!(note.starts_with(start), "{note}");
            }
        }
    }

    #[test]
    fn calls_tell() {
        let program = Elf {
            imports: texts(&["getpwnam", "__syslog_chk", "kill", "chroot", "posix_spawn"]),
            ..Elf::default()
        };
        let libraries = Libraries {
            found: vec![Library {
                name: "libssl.so.3".to_owned(),
                path: "/usr/lib/libssl.so.3".into(),
            }],
            ..Libraries::default()
        };
        let mut sketch = Sketch::default();
        include(&program, &libraries, &mut sketch);
        privileges(&program, &mut sketch);
        let shown = |list: &[crate::draft::sketch::Named]| -> Vec<String> {
            let shown = list
                .iter()
                .map(|one| format!("{}: {}", one.name, one.source));
            shown.collect()
        };
        assert_eq!(
            shown(&sketch.include),
            [
                "nameservice: it calls getpwnam",
                "logging: it calls __syslog_chk",
                "tls: linked with libssl.so.3",
            ]
        );
        // It can have no processes of others to send signals to.
        assert_eq!(shown(&sketch.privileges), ["sys_chroot: it calls chroot"]);
        assert_eq!(starts(&program).as_deref(), Some("it calls posix_spawn"));
        assert_eq!(starts(&Elf::default()), None);
    }
}
