//! `enforcer fmt`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
};

use super::super::{Folder, names};

const UGLY: &str = "mode: audit\nname: web\npaths: [ {allow: [write,read], path: '/srv'} ] # all\n";
const NICE: &str =
    "name: web\nmode: audit\n\npaths:  # all\n  - { path: /srv, allow: [read, write] }\n";
const UGLY_PART: &str = "paths: [ { allow: [read], path: '/etc' } ]\n";
const NICE_PART: &str = "paths:\n  - { path: /etc, allow: [read] }\n";

fn folder() -> Folder {
    Folder::with(&[
        ("p/web.yaml", UGLY),
        ("p/abstractions/etc.yaml", UGLY_PART),
        ("p/abstractions/tidy.yaml", NICE_PART),
    ])
}

#[test]
fn a_folder_is_formatted() {
    let folder = folder();
    let ran = folder.run(&["fmt", "p"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (Some(0), "", "")
    );
    assert_eq!(folder.read("p/web.yaml"), NICE);
    assert_eq!(folder.read("p/abstractions/etc.yaml"), NICE_PART);
    assert_eq!(names(&folder.join("p")), ["abstractions", "web.yaml"]);
    let inode = |name: &str| fs::metadata(folder.join(name)).unwrap().ino();
    let before = inode("p/web.yaml");
    let ran = folder.run(&["fmt", "p"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(
        inode("p/web.yaml"),
        before,
        "what is formatted is not written"
    );
}

#[test]
fn files_that_are_no_profiles() {
    let folder = Folder::with(&[("p/web.yml", UGLY), ("p/abstractions/etc.YAML", UGLY_PART)]);
    let fifo = folder.join("p/fifo.yaml");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
    let (ending, kind) = ("must end in `.yaml`", "it is no regular file");
    // Columns: the command and the file, exit code, part of the message.
    #[rustfmt::skip]
    let cases = [
        (["check", "p/web.yml"],               1, ending),
        (["check", "p/abstractions/etc.YAML"], 1, ending),
        (["check", "p/fifo.yaml"],             2, kind),
        (["check", "p"],                       2, kind),
        (["fmt", "p/web.yml"],                 2, ending),
        (["fmt", "p/abstractions/etc.YAML"],   2, ending),
        (["fmt", "p/fifo.yaml"],               2, kind),
    ];
    for (arguments, code, want) in cases {
        let ran = folder.run(&arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(want), "{arguments:?}: {ran:?}");
    }
    assert_eq!(folder.read("p/web.yml"), UGLY);
    fs::remove_file(fifo).unwrap();
    for (arguments, code) in [(vec!["check", "p"], 0), (vec!["check", "--strict", "p"], 1)] {
        let ran = folder.run(&arguments);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        let warnings = ran.err.lines().filter(|line| line.contains("warning: "));
        assert_eq!(warnings.count(), 3, "{ran:?}");
    }
}

#[test]
fn a_check_writes_nothing() {
    let folder = folder();
    let ran = folder.run(&["fmt", "--check", "p"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    assert_eq!(ran.out, "p/web.yaml\np/abstractions/etc.yaml\n");
    assert_eq!(folder.read("p/web.yaml"), UGLY);

    let ran = folder.run(&["fmt", "--check", "--diff", "p/abstractions/etc.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let want = "\
p/abstractions/etc.yaml
--- p/abstractions/etc.yaml
+++ p/abstractions/etc.yaml, formatted
@@ -1 +1,2 @@
-paths: [ { allow: [read], path: '/etc' } ]
+paths:
+  - { path: /etc, allow: [read] }
";
    assert_eq!(ran.out, want);

    let ran = folder.run(&["fmt", "--check", "p/abstractions/tidy.yaml"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (Some(0), "", "")
    );
}

#[test]
fn stdin_is_formatted_to_stdout() {
    let folder = Folder::with(&[]);
    // Columns: what it shows, arguments, text, exit code, output.
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str, i32, &str); 5] = [
        ("a profile",         &["fmt", "-"],            UGLY,      0, NICE),
        ("a formatted one",   &["fmt", "-"],            NICE,      0, NICE),
        ("an abstraction",    &["fmt", "-"],            UGLY_PART, 0, NICE_PART),
        ("a check",           &["fmt", "--check", "-"], UGLY,      1, "stdin\n"),
        ("a check of a formatted one", &["fmt", "--check", "-"], NICE, 0, ""),
    ];
    for (name, arguments, text, code, want) in cases {
        let ran = folder.run_with(arguments, text);
        assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{name}");
        assert_eq!(ran.out, want, "{name}");
    }
    let ran = folder.run_with(&["fmt", "-"], "name: [\n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.starts_with("stdin:"), "{ran:?}");
}

#[test]
fn a_file_stays_what_it_is() {
    let folder = Folder::with(&[("real/web.yaml", UGLY)]);
    let real = folder.join("real/web.yaml");
    fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
    symlink("real/web.yaml", folder.join("web.yaml")).unwrap();
    let ran = folder.run(&["fmt", "web.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(
        fs::symlink_metadata(folder.join("web.yaml"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(folder.read("real/web.yaml"), NICE);
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(names(&folder.join("real")), ["web.yaml"]);
}

#[test]
fn what_is_wrong_with_a_file_keeps_no_other_from_being_formatted() {
    let wrong = UGLY.replace("paths", "pahts");
    // What only the whole profile shows is for `check` to tell.
    let missing = UGLY.replace("mode", "include: [none]\nmode");
    let folder = Folder::with(&[
        ("p/a.yaml", &wrong),
        ("p/b.yaml", "name: [\n"),
        ("p/c.yaml", &missing),
        ("p/web.yaml", UGLY),
    ]);
    let ran = folder.run(&["fmt", "p", "none.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    let errors: Vec<&str> = ran
        .err
        .lines()
        .filter(|line| line.contains("yaml"))
        .collect();
    assert_eq!(errors.len(), 3, "{ran:?}");
    assert_eq!(
        errors[0],
        "p/a.yaml:3:1: unknown key `pahts`; did you mean `paths`?"
    );
    assert!(errors[1].starts_with("p/b.yaml:"), "{ran:?}");
    assert!(
        errors[2].starts_with("enforcer: cannot read none.yaml: "),
        "{ran:?}"
    );
    assert!(ran.err.contains("3 | pahts"), "the line is shown: {ran:?}");
    assert_eq!(folder.read("p/a.yaml"), wrong);
    assert_eq!(folder.read("p/web.yaml"), NICE);
    assert!(
        folder
            .read("p/c.yaml")
            .starts_with("name: web\nmode: audit\ninclude: [none]\n")
    );
    // It cannot be told whether it would differ.
    assert_eq!(folder.run(&["fmt", "--check", "p/a.yaml"]).code, Some(2));
    assert_eq!(
        folder.run(&["fmt", "--diff", "p"]).code,
        Some(2),
        "--diff is for --check"
    );
}
