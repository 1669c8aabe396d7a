//! `enforcer new`: on a host made of files.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use super::super::{Folder, Ran};

/// What dpkg says of the packages.
const STATUS: &str = "\
Package: webd
Status: install ok installed
Version: 1.0-1
Depends: webd-common
Description: serves the web
 At length.

Package: webd-common
Status: install ok installed
Source: webd
Version: 1.0-1
Conffiles:
 /etc/webd/webd.conf 00000000000000000000000000000000

Package: other
Status: install ok installed
Version: 2
";

const UNIT: &str = "\
[Service]
Type=notify
ExecStart=/sbin/webd --config=/etc/extra.conf
User=www
PIDFile=/var/run/webd.pid
RuntimeDirectory=webd
LogsDirectory=webd
AmbientCapabilities=CAP_NET_BIND_SERVICE
ReadWritePaths=-/srv/up /srv/%h
";

const SOCKET: &str = "[Socket]\nListenStream=/var/run/webd.sock\nListenStream=8080\n";

const ABSTRACTION: &str = "\
paths:
  - { path: \"/usr/lib{,64}/**/*.so{,.*}\", allow: [read, map] }
";

/// A host with a program that a package brings and a unit starts. It has no byte that a
/// processor would run.
fn host() -> Folder {
    let folder = Folder::with(&[
        ("root/etc/webd/webd.conf", ""),
        ("root/etc/extra.conf", ""),
        (
            "root/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/var/lib/www:/bin/sh\n",
        ),
        ("root/etc/init.d/webd", "#!/bin/sh\n"),
        ("root/usr/share/webd/page.html", ""),
        ("root/usr/lib/systemd/system/webd.service", UNIT),
        ("root/usr/lib/systemd/system/webd.socket", SOCKET),
        ("root/var/lib/dpkg/status", STATUS),
        (
            "root/var/lib/dpkg/info/webd.list",
            "/.\n/sbin/webd\n/usr/share\n/usr/share/webd\n/usr/share/webd/page.html\n",
        ),
        (
            "root/var/lib/dpkg/info/webd-common.list",
            "/etc\n/etc/webd\n/etc/webd/webd.conf\n/etc/init.d/webd\n/var/log/webd\n",
        ),
        (
            "root/var/lib/dpkg/info/other.list",
            "/.\n/etc\n/usr/share\n",
        ),
        ("root/run/x", ""),
        ("root/srv/up/x", ""),
        ("root/var/log/webd/x", ""),
        ("root/usr/bin/tool", "#!/usr/bin/env python3\n"),
        ("root/usr/bin/python3.11", ""),
        ("root/usr/bin/notes", "text\n"),
        ("root/usr/bin/data", "text\n"),
        ("root/usr/bin/cut", "\x7fELF"),
        ("root/usr/lib/python3.11/os.py", ""),
        ("p/abstractions/base.yaml", ABSTRACTION),
        (
            "p/abstractions/service.yaml",
            "paths:\n  - { path: /run/systemd/notify, allow: [connect] }\n",
        ),
        ("p/profile.schema.json", "{}"),
    ]);
    folder.write("root/usr/sbin/webd", &program("/lib64/ld.so.2"));
    folder.write("root/usr/lib64/ld.so.2", &program(""));
    for name in [
        "sbin/webd",
        "bin/tool",
        "bin/python3.11",
        "bin/notes",
        "bin/cut",
    ] {
        let path = folder.join("root/usr").join(name);
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    for (name, target) in [
        ("root/sbin", "usr/sbin"),
        ("root/lib64", "usr/lib64"),
        ("root/var/run", "/run"),
        ("root/usr/bin/python3", "python3.11"),
        ("root/usr/bin/gone", "../../../../secret"),
    ] {
        symlink(target, folder.join(name)).unwrap();
    }
    folder
}

/// The least that is a program: a header, and the name of its loader.
fn program(loader: &str) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(64_u64.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend([
        0,
        0,
        0,
        0,
        64,
        0,
        56,
        0,
        u8::from(!loader.is_empty()),
        0,
        64,
        0,
        0,
        0,
        0,
        0,
    ]);
    bytes.extend([3, 0, 0, 0, 4, 0, 0, 0]);
    let len = loader.len() as u64 + 1;
    for value in [120, 120, 120, len, len, 1] {
        bytes.extend(u64::to_le_bytes(value));
    }
    bytes.extend(loader.as_bytes());
    bytes.push(0);
    bytes
}

fn new(folder: &Folder, arguments: &[&str]) -> Ran {
    let mut all = vec!["new", "--root", "root", "--profiles", "p"];
    all.extend(arguments);
    folder.run(&all)
}

/// The lines of a text that are not comments.
fn said(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim_end);
    lines
        .filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'))
        .collect()
}

#[test]
fn a_service_of_a_package() {
    let folder = host();
    let ran = new(&folder, &["/usr/sbin/webd"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let want = r#"name: webd
description: serves the web
applies_to:
  executables: [/usr/sbin/webd]
mode: audit
include:
  - base  # it is linked with libraries
  - service  # Type= of webd.service
paths:
  - { path: /usr/sbin/webd, allow: [read, map] }  # the program
  - { path: "/etc/webd{,/**}", allow: [read] }  # package webd-common
  - { path: /etc/extra.conf, allow: [read] }  # ExecStart= of webd.service
  - { path: "/usr/share/webd{,/**}", allow: [read] }  # package webd
  - { path: "/run/webd{,/**}", allow: [read, write, create, remove] }  # RuntimeDirectory= of webd.service
  - { path: "/srv/up{,/**}", allow: [read, write, create, remove] }  # ReadWritePaths= of webd.service
  - { path: /run/webd.pid, allow: [read, write, create, remove] }  # PIDFile= of webd.service
  - { path: /run/webd.sock, allow: [read, write] }  # ListenStream= of webd.socket
  - { path: "/var/lib/www{,/**}", allow: [read, write, create, remove] }  # home of www
  - { path: /var/log/webd/**, allow: [append, create] }  # package webd-common; LogsDirectory= of webd.service
privileges:
  - net_bind_service  # AmbientCapabilities= of webd.service"#;
    let got = said(&ran.out);
    let got: Vec<&str> = got
        .into_iter()
        .take_while(|line| !line.starts_with("network"))
        .collect();
    assert_eq!(got.join("\n"), want);
    assert!(ran.out.starts_with("# yaml-language-server: "), "{ran:?}");
    assert!(
        ran.out
            .contains("# It runs as www (User= of webd.service)."),
        "{ran:?}"
    );
    assert!(ran.out.contains("port: 8080"), "{ran:?}");
    assert!(
        ran.err
            .contains("note: ReadWritePaths= of webd.service has /srv/%h"),
        "{ran:?}"
    );

    // It is what `fmt` and `check` want.
    folder.write("p/webd.yaml", ran.out.as_bytes());
    let check = folder.run(&["check", "--strict", "p/webd.yaml"]);
    assert_eq!((check.code, check.err.as_str()), (Some(0), ""));
    assert_eq!(folder.run(&["fmt", "--check", "p/webd.yaml"]).code, Some(0));
    // The same by another name of it.
    assert_eq!(new(&folder, &["sbin/webd"]).out, ran.out);
}

#[test]
fn names_users_and_modes() {
    let folder = host();
    let ran = new(
        &folder,
        &[
            "--name",
            "mine",
            "--user",
            "root",
            "--mode",
            "learn",
            "/sbin/webd",
        ],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("\nname: mine\n"), "{ran:?}");
    assert!(ran.out.contains("\nmode: learn\n"), "{ran:?}");
    assert!(ran.out.contains("# It runs as root (--user)."), "{ran:?}");
    assert!(!ran.out.contains("/var/lib/www"), "{ran:?}");
}

#[test]
fn a_script() {
    let folder = host();
    let ran = new(&folder, &["/usr/bin/tool"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let want = r#"  - { path: /usr/bin/tool, allow: [read] }  # the program
  - { path: /usr/bin/python3.11, allow: [read, map] }  # its interpreter is python3.11
  - { path: "/usr/lib/python3.11{,/**}", allow: [read] }  # its interpreter is python3.11"#;
    let rules: Vec<&str> = said(&ran.out)
        .into_iter()
        .filter(|line| line.starts_with("  - {"))
        .collect();
    assert_eq!(rules.join("\n"), want);
    assert!(
        ran.err.contains("there is no abstraction `python`"),
        "{ran:?}"
    );

    // With an abstraction for it that is included in place of rules.
    let python = "paths:\n  - { path: \"/usr/{bin,lib}/python3*{,/**}\", allow: [read, map] }\n";
    folder.write("p/abstractions/python.yaml", python.as_bytes());
    let ran = new(&folder, &["/usr/bin/tool"]);
    assert!(
        ran.out
            .contains("  - python  # its interpreter is python3.11\n"),
        "{ran:?}"
    );
    let rules = said(&ran.out)
        .into_iter()
        .filter(|line| line.starts_with("  - {"));
    assert_eq!(rules.count(), 1, "{ran:?}");
}

#[test]
fn a_file_is_written_once() {
    let folder = host();
    let arguments = [
        "new",
        "--root",
        "root",
        "-o",
        "p/web.yaml",
        "/usr/sbin/webd",
    ];
    let ran = folder.run(&arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
    let text = folder.read("p/web.yaml");
    assert!(
        text.contains("\nname: web\n") && text.contains("  - base"),
        "{text}"
    );
    let check = folder.run(&["check", "--strict", "p"]);
    assert_eq!((check.code, check.err.as_str()), (Some(0), ""));

    let ran = folder.run(&arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(
        ran.err.starts_with("enforcer: cannot write p/web.yaml: "),
        "{ran:?}"
    );
    assert_eq!(folder.read("p/web.yaml"), text);

    // Where no abstractions lie, none is included.
    let ran = folder.run(&["new", "--root", "root", "-o", "web.yaml", "/usr/sbin/webd"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!folder.read("web.yaml").contains("include"), "{ran:?}");
    let check = folder.run(&["check", "--strict", "web.yaml"]);
    assert_eq!((check.code, check.err.as_str()), (Some(0), ""));
}

#[test]
fn what_is_no_program_is_an_error() {
    let folder = host();
    folder.write("secret", b"#!/bin/sh\n");
    // Columns: what it shows, arguments, the error.
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str); 11] = [
        ("not there",       &["/usr/sbin/none"],   "there is no program /usr/sbin/none; give its path"),
        ("elsewhere",       &["/opt/webd"],        "there is no program /opt/webd; did you mean /usr/sbin/webd?"),
        ("a name",          &["webd"],             "there is no program /webd; did you mean /usr/sbin/webd?"),
        ("outside",         &["/usr/bin/gone"],    "there is no program /usr/bin/gone"),
        ("a folder",        &["/usr/sbin"],        "/usr/sbin is a folder; name the program in it"),
        ("not executable",  &["/usr/bin/data"],    "/usr/bin/data is no program: nobody may execute it"),
        ("text",            &["/usr/bin/notes"],   "/usr/bin/notes is no program: it begins neither as ELF files do"),
        ("damaged",         &["/usr/bin/cut"],     "cannot read the program /usr/bin/cut: it is damaged"),
        ("an odd name",     &["--name", "A b", "/sbin/webd"], "a profile cannot be named \"A b\""),
        ("an odd file",     &["-o", "x.yml", "/sbin/webd"], "the file of a profile is named NAME.yaml, and not x.yml"),
        ("two names",       &["-o", "x.yaml", "--name", "y", "/sbin/webd"], "the profile y has to be in a file y.yaml"),
    ];
    for (name, arguments, want) in cases {
        let ran = new(&folder, arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(2), ""),
            "{name}: {ran:?}"
        );
        assert!(
            ran.err.starts_with(&format!("enforcer: {want}")),
            "{name}: {ran:?}"
        );
    }
    assert!(!Path::new(&folder.join("x.yaml")).exists());
    let ran = folder.run(&["new", "--root", "none", "/sbin/webd"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.err.starts_with("enforcer: cannot read the root none: "),
        "{ran:?}"
    );
}
