//! What `enforcer import` writes and answers.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    fs,
    process::{Command, Output},
};

/// A profile with something that is as in AppArmor, and something that is not.
const WEB: &str = "\
include <tunables/global>
profile web /usr/sbin/web {
  include <abstractions/base>
  @{WWW}/** r,
  owner /srv/up/* rw,
  deny /srv/www/.git/** rw,
  /usr/bin/cgi ix,
  /usr/bin/mail Px,
  capability setuid,
  dbus send bus=system,
  network tcp,
  deny network udp,
}
";

/// A profile of which there is no table: the states of each `**` go on beside the others'.
const LARGE: &str = "\
profile large {
  /**a????????????????/** r,
  /**b????????????????/** w,
  /**c????????????????/** m,
}
";

/// What is in the folder of the tests.
const FILES: [(&str, &str); 9] = [
    ("d/tunables/global", "@{WWW}=/srv/www\n"),
    ("d/abstractions/base", "/dev/null rw,\n"),
    ("d/web", WEB),
    ("d/mail", "profile mail /usr/bin/mail { /etc/mailrc r, }\n"),
    ("large", LARGE),
    ("e/abstractions/base", "/dev/zero rw,\n"),
    (
        "e/other",
        "profile other {\n  include <abstractions/base>\n}\n",
    ),
    ("wrong", "profile wrong {\n  /etc/x rz,\n}\n"),
    (
        "d/free",
        "profile free /usr/bin/free flags=(unconfined) { userns, }\n",
    ),
];

/// Runs `enforcer import apparmor` with these arguments in a folder of its own, and what
/// `check` makes of it there.
fn run(all: &[&[&str]]) -> (tempfile::TempDir, Vec<Output>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let outputs = all.iter().map(|arguments| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_enforcer"));
        command.args(*arguments).current_dir(folder.path());
        command.output().unwrap()
    });
    let outputs = outputs.collect();
    (folder, outputs)
}

const IMPORT: [&str; 4] = ["import", "apparmor", "--base", "d"];

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn codes() {
    // Columns: what it shows, arguments, code, part of stdout, part of stderr.
    #[rustfmt::skip]
    let cases: [(&str, &[&str], i32, &str, &str); 11] = [
        ("a file",             &["d/web"],                   0, "name: web\n", "web: as in AppArmor 6 of 6 rules about files, 3 of 4 others; left out: dbus 1; wider: link 1; import, too: d/mail\n"),
        ("two files",          &["d/web", "d/mail"],         0, "---\n",       "mail: as in AppArmor 1 of 1 rules about files, 0 of 0 others\n"),
        ("strict",             &["--strict", "d/web"],       1, "name: web\n", "left out: dbus 1"),
        ("strict and the same", &["--strict", "d/mail"],     0, "name: mail\n", "mail: as in"),
        ("confines nothing",   &["d/free"],                  0, "",            "free: not written, since AppArmor lets it do everything"),
        ("an error",           &["wrong"],                   1, "",            "wrong:2:10: `rz` are no rights"),
        ("a mark beneath it",  &["wrong"],                   1, "",            "^^"),
        ("no file",            &["none"],                    2, "",            "none:1:1: cannot read it"),
        ("no profile",         &["d/tunables/global"],       1, "",            "there is no profile in it"),
        ("no argument",        &[],                          2, "",            "<FILE>"),
        ("nothing to replace", &["--force", "d/web"],        2, "",            "--output <DIR>"),
    ];
    for (name, arguments, code, out, err) in cases {
        let arguments = [&IMPORT[..], arguments].concat();
        let (_folder, outputs) = run(&[&arguments]);
        let [ran] = outputs.as_slice() else { panic!() };
        assert_eq!(ran.status.code(), Some(code), "{name}: {ran:?}");
        assert!(
            text(&ran.stdout).contains(out),
            "{name}: {}",
            text(&ran.stdout)
        );
        assert!(
            text(&ran.stderr).contains(err),
            "{name}: {}",
            text(&ran.stderr)
        );
        assert_eq!(ran.stdout.is_empty(), out.is_empty(), "{name}");
    }
    let (_folder, outputs) = run(&[&["--help"], &["import", "apparmor", "--help"]]);
    assert!(text(&outputs[0].stdout).contains("\n  import "));
    assert!(text(&outputs[1].stdout).contains("--strict"));
}

/// What stands behind the paths of `web`.
const REST: &str = "
privileges:
  - setuid
  # AppArmor does not ask about these. Take out what the program does without.
  - userns
  - execmem
  - io_uring
  - uring_sqpoll
  - uring_override_creds
  - keys
  - sysv_ipc
  - terminal

exec:
  - { path: /usr/bin/cgi, inherit: true }
  - { path: /usr/bin/mail, profile: mail }

network:
  - { protocol: tcp, allow: [connect, bind] }
  - { protocol: udp, deny: [all], quiet: true }
";

#[test]
fn yaml() {
    let head = "\
# AppArmor's profile web of web, by `enforcer import`.
# As in AppArmor: 6 of 6 rules about files, 3 of 4 others.
# dbus (left out): messages on a bus are not told apart: who may connect to it may send them
#   web:10: dbus send bus=system
# link (wider): 2 rules with `w` and without `l` let links be made where files may be made; no link
# gives more rights than its target has
#   web:2: web
# Import d/mail, too: it has the profile mail.
name: web
description: imported from AppArmor's web
applies_to:
  executables: [/usr/sbin/web]
mode: enforce
";
    let own = "  - { path: /srv/www/**, allow: [read] }
  - { path: /srv/up/*, allow: [read, write, create, remove, attributes, connect], owner: true }
  - path: /srv/www/.git/**
    deny: [read, write, create, remove, attributes, connect]
    quiet: true
";
    let base =
        "  - { path: /dev/null, allow: [read, write, create, remove, attributes, connect] }\n";
    let alone = [&IMPORT[..], &["d/web"]].concat();
    let written = [&alone[..], &["-o", "out"]].concat();
    let (folder, outputs) = run(&[&alone, &written]);
    let want = format!(
        "{head}\npaths:\n  # the profile itself\n{own}\n  # abstractions/base\n{base}{REST}"
    );
    assert_eq!(text(&outputs[0].stdout), want);
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let want = format!("{head}include: [apparmor-base]\n\npaths:\n{own}{REST}");
    assert_eq!(read("web.yaml"), want);
    let want = "\
# AppArmor's abstractions/base, by `enforcer import`. What it says of no path is in each profile
# that includes this one.
description: imported from AppArmor's abstractions/base

paths:
"
    .to_owned();
    assert_eq!(read("abstractions/apparmor-base.yaml"), want + base);
}

/// What is written is in the one style, and `enforcer check` has nothing against it.
#[test]
fn written_for_the_other_commands() {
    let import = [&IMPORT[..], &["-o", "out", "d/web", "d/mail"]].concat();
    let (folder, outputs) = run(&[&import, &["fmt", "--check", "out"], &["check", "out"]]);
    for ran in &outputs {
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    }
    assert_eq!(text(&outputs[2].stderr), "");
    assert!(folder.path().join("out/abstractions").is_dir());
}

/// A profile that is too large does not keep those beside it from being written.
#[test]
fn too_large() {
    let import = [&IMPORT[..], &["-o", "out", "d/mail", "large"]].concat();
    let (folder, outputs) = run(&[&import]);
    assert_eq!(outputs[0].status.code(), Some(1), "{outputs:?}");
    let want = "large:1:9: the profile `large` is not written: ";
    assert!(text(&outputs[0].stderr).contains(want), "{outputs:?}");
    assert!(folder.path().join("out/mail.yaml").exists());
    assert!(!folder.path().join("out/large.yaml").exists());
}

#[test]
fn files_and_json() {
    let one = [
        &IMPORT[..],
        &["-o", "out", "--json", "d/web", "d/mail", "d/free"],
    ]
    .concat();
    let again = [&IMPORT[..], &["-o", "out", "d/mail"]].concat();
    let force = [&again[..], &["--force"]].concat();
    let bare = [&IMPORT[..], &["--json", "d/web"]].concat();
    // Of the same abstraction, what another base has.
    let other = ["import", "apparmor", "--base", "e", "-o", "out", "e/other"];
    let (folder, outputs) = run(&[&one, &again, &force, &bare, &other]);
    let codes: Vec<_> = outputs.iter().map(|ran| ran.status.code()).collect();
    assert_eq!(
        codes,
        [Some(0), Some(2), Some(0), Some(0), Some(2)],
        "{outputs:?}"
    );
    let refused = "enforcer: out/abstractions/apparmor-base.yaml is there already and says \
                   something else; import all that include it together, or replace it with \
                   --force\n";
    assert_eq!(text(&outputs[4].stderr), refused);
    let refused =
        "enforcer: out/mail.yaml is there already; remove it, or replace it with --force\n";
    assert_eq!(text(&outputs[1].stderr), refused);
    let mut names: Vec<_> = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["abstractions", "mail.yaml", "web.yaml"]);

    let json: serde_json::Value = serde_json::from_slice(&outputs[0].stdout).unwrap();
    assert_eq!(json[0]["file"], "out/web.yaml", "{json}");
    assert_eq!(json[0]["files"]["equal"], 6, "{json}");
    assert_eq!(json[0]["findings"][0]["fit"], "left-out", "{json}");
    assert_eq!(json[0]["findings"][0]["line"], 10, "{json}");
    assert_eq!(json[2]["unconfined"], true, "{json}");
    assert!(
        json[0]["needs"].as_array().is_some_and(Vec::is_empty),
        "{json}"
    );
    let json: serde_json::Value = serde_json::from_slice(&outputs[3].stdout).unwrap();
    assert!(
        json[0]["yaml"]
            .as_str()
            .is_some_and(|yaml| yaml.contains("name: web")),
        "{json}"
    );
    assert_eq!(json[0]["needs"][0]["profile"], "mail", "{json}");
}
