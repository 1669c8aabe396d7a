//! One object by several mounts: it is judged by the one that is used.

use std::fs;

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, profile};

use crate::mounts::Mount;

/// The errno of a mount on which nothing can be changed.
const EROFS: i32 = 30;

/// Whether a right on one name says something about the other: it does not, be the
/// name the first or the later, of a file or of a folder. Where the kernel does not
/// tell by which it was reached, either is enough.
#[test]
fn the_name_that_is_used_counts() {
    let folder = Folder::new("binds");
    for name in ["place/file", "file", "over"] {
        folder.write(name, "some contents\n");
    }
    let _folder = Mount::bind(&folder.join("place"), folder.join("bound"));
    let _file = Mount::bind_file(&folder.join("file"), folder.join("over"));
    let rules = |names: [&str; 2]| {
        let rules = names.map(|name| {
            let path = folder.join(name);
            format!("\n  - {{ path: \"{path}\", allow: [read, write, attributes, map] }}")
        });
        profile("enforce", &rules.concat())
    };
    let agent = Agent::start(&[
        ("first", &rules(["place/**", "file"])),
        ("later", &rules(["bound/**", "over"])),
    ]);
    #[rustfmt::skip]
    let rows = [
        ("read",      "place/file", "bound/file"),
        ("write",     "place/file", "bound/file"),
        ("chmod",     "place/file", "bound/file"),
        ("truncate",  "place/file", "bound/file"),
        ("reopen",    "place/file", "bound/file"),
        ("read",      "file",       "over"),
        ("write",     "file",       "over"),
        ("chmod",     "file",       "over"),
        ("cut",       "file",       "over"),
    ];
    for (what, first, later) in rows {
        for (profile, granted, denied) in [("first", first, later), ("later", later, first)] {
            let [granted, denied] = [granted, denied].map(|name| folder.join(name));
            let name = format!("{what} {denied} under {profile}");
            assert_eq!(agent.attempt(profile, &[what, &granted]), 0, "{name}");
            assert_eq!(agent.attempt(profile, &[what, &denied]), EACCES, "{name}");
            assert_eq!(attempt_outside(&[what, &denied]), 0, "{name}: outside");
            let told = agent.detections();
            let told = told
                .iter()
                .filter(|one| one["path"] == *denied && one["profile"] == profile);
            assert!(told.count() > 0, "{name}");
        }
    }
    for name in ["place/file", "bound/file", "file", "over"] {
        for profile in ["first", "later"] {
            let times = ["utimensat", &folder.join(name)];
            assert_eq!(agent.attempt(profile, &times), 0, "{name} under {profile}");
        }
    }
}

/// What the kernel refuses by itself stays refused, and the rest is judged.
#[test]
fn a_bind_mount_that_is_read_only() {
    let folder = Folder::new("read-only");
    for name in ["place/granted", "place/denied"] {
        folder.write(name, "x");
    }
    let _mount = Mount::bind_read_only(&folder.join("place"), folder.join("bound"));
    let rule = format!(
        "  - {{ path: \"{}\", allow: [read, write, attributes] }}",
        folder.join("bound/granted")
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    #[rustfmt::skip]
    let rows = [
        ("read",  "bound/granted", 0,      0),
        ("write", "bound/granted", EROFS,  EROFS),
        ("chmod", "bound/granted", EROFS,  EROFS),
        ("read",  "bound/denied",  EACCES, 0),
        ("write", "place/granted", EACCES, 0),
    ];
    for (what, name, confined, outside) in rows {
        let path = folder.join(name);
        assert_eq!(
            agent.attempt("p", &[what, &path]),
            confined,
            "{what} {name}"
        );
        assert_eq!(attempt_outside(&[what, &path]), outside, "{what} {name}");
        let told = agent.detection(&path).is_some();
        assert_eq!(told, confined == EACCES, "{what} {name}");
    }
}

/// Who may mount says what a path means: what lies over a granted file is granted by
/// that name, and by no other.
#[test]
fn a_mount_over_what_is_granted() {
    let folder = Folder::new("mounted-over");
    let [granted, secret] = ["granted", "secret"].map(|name| folder.write(name, "x"));
    let rule = format!("  - {{ path: \"{granted}\", allow: [read] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let check = |when: &str| {
        for (path, want) in [(&granted, 0), (&secret, EACCES)] {
            assert_eq!(agent.attempt("p", &["read", path]), want, "{when}: {path}");
            assert_eq!(attempt_outside(&["read", path]), 0, "{when}: {path}");
        }
        // What it then is: neither name gives what the other has.
        assert_eq!(agent.attempt("p", &["write", &granted]), EACCES, "{when}");
    };
    check("before");
    let over = Mount::bind_file(&secret, granted.clone());
    check("meanwhile");
    drop(over);
    check("afterwards");
    for (path, missing) in [(&secret, "read"), (&granted, "write")] {
        let detection = agent.detection(path).expect("a detection");
        assert_eq!(detection["missing"][0], missing, "{detection}");
    }
}

/// A file system in memory is named by where it is mounted, and by where it was not.
#[test]
fn a_file_system_in_memory() {
    let folder = Folder::new("memory");
    let mount = Mount::of_memory(folder.join("m"));
    for name in ["m/granted", "m/denied"] {
        folder.write(name, "x");
    }
    let rule = format!(
        "  - {{ path: \"{}\", allow: [read, write, create, remove] }}",
        folder.join("m/granted*")
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let [granted, new, denied] = ["m/granted", "m/granted-new", "m/denied"].map(|n| folder.join(n));
    let other = folder.join("m/other");
    #[rustfmt::skip]
    let rows = [
        (vec!["read", &granted],         0,      ""),
        (vec!["create", &new],           0,      ""),
        (vec!["unlink", &new],           0,      ""),
        (vec!["read", &denied],          EACCES, &*denied),
        (vec!["create", &other],         EACCES, &*other),
        (vec!["rename", &denied, &new],  EACCES, &*denied),
    ];
    for (attempt, want, path) in rows {
        assert_eq!(agent.attempt("p", &attempt), want, "{attempt:?}");
        if want != 0 {
            assert!(agent.detection(path).is_some(), "{attempt:?}");
        }
    }
    assert_eq!(attempt_outside(&["rename", &denied, &other]), 0, "outside");
    drop(mount);
    fs::write(&denied, "x").unwrap();
    assert_eq!(agent.attempt("p", &["read", &denied]), EACCES, "without it");
}
