//! Objects whose place says nothing, or too much.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use enforcer_abi::limits::MOUNTS;
use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, errno, profile, program, series};

use crate::{
    background::{Background, Told},
    limits::confined,
    mounts::Mount,
};

/// `EXDEV`: move it by copying.
const EXDEV: i32 = 18;

/// An agent whose profile `p` lets everything in a folder be done.
fn agent(folder: &Folder) -> Agent {
    let rule = format!(
        "  - {{ path: \"{}/**\", allow: [read, write, create, remove, attributes] }}",
        folder.path().display()
    );
    let text = profile("enforce", &rule) + "privileges: [sys_admin]\n";
    Agent::start(&[("p", &text)])
}

/// The errno of `edge ARGS`, confined.
fn edge(args: &[&str]) -> i32 {
    errno(&confined("p", "edge", args).output().expect("run enforcer"))
}

/// Starts `edge WHAT FOLDER …`, confined, which waits in that folder.
fn waiting(args: &[&str]) -> Told {
    Told::start(&mut confined("p", "edge", args))
}

/// In another mount namespace than the one in which its domain was entered, a
/// program finds nothing under a name that would mean anything.
#[test]
fn a_mount_of_another_namespace() {
    let folder = Folder::new("foreign");
    let file = folder.write("file", "x");
    let agent = agent(&folder);
    assert_eq!(edge(&["read", &file]), 0);
    assert_eq!(edge(&["read-in-new-namespace", &file]), EACCES);
    assert!(agent.refusals("foreign-mount") > 0);
}

/// What lies on a mount that was lazily unmounted has no name any more.
#[test]
fn a_mount_that_is_gone() {
    let folder = Folder::new("detached");
    let agent = agent(&folder);
    let mount = Mount::of_memory(folder.join("m"));
    folder.write("m/in/file", "x");
    let process = waiting(&["read-when-told", &folder.join("m/in"), "file"]);
    drop(mount);
    assert_eq!(process.go_on().code(), Some(EACCES));
    assert_eq!(agent.refusals("detached-mount"), 1);
}

/// A message queue lies on a mount that belongs to no mount namespace; from Linux 6.17
/// on one that the kernel says it made for itself.
#[test]
fn a_message_queue() {
    let folder = Folder::new("queue");
    let agent = agent(&folder);
    let outside = Command::new(program("edge"))
        .args(["message-queue", "/enforcer-test"])
        .output()
        .unwrap();
    assert_eq!(errno(&outside), 0);
    assert_eq!(edge(&["message-queue", "/enforcer-test"]), EACCES);
    let reasons = ["detached-mount", "internal-mount"].map(|reason| agent.refusals(reason));
    let is_internal = series() >= (6, 17);
    assert_eq!(reasons, if is_internal { [0, 1] } else { [1, 0] });
}

/// From Linux 6.18 the file of accounting is opened on a mount that the kernel makes
/// for that and mounts nowhere.
#[test]
fn a_mount_for_accounting() {
    let folder = Folder::new("accounting");
    let file = folder.write("file", "");
    let rule = format!("  - {{ path: {file}, allow: [append] }}");
    let text = profile("enforce", &rule) + "privileges: [sys_pacct]\n";
    let agent = Agent::start(&[("p", &text)]);
    let is_detached = series() >= (6, 18);
    let errno = agent.attempt("p", &["account", &file]);
    assert_eq!(errno, if is_detached { EACCES } else { 0 });
    assert_eq!(agent.refusals("detached-mount"), u64::from(is_detached));
    assert_eq!(attempt_outside(&["account", &file]), 0, "outside");
}

/// A folder that is moved out of what a mount shows has no name on that mount.
#[test]
fn a_folder_that_left_its_mount() {
    let folder = Folder::new("escaped");
    let agent = agent(&folder);
    folder.write("from/shown/sub/file", "x");
    let _mount = Mount::bind(&folder.join("from/shown"), folder.join("m"));
    let process = waiting(&["read-when-told", &folder.join("m/sub"), "file"]);
    fs::rename(folder.join("from/shown/sub"), folder.join("from/sub")).unwrap();
    assert_eq!(process.go_on().code(), Some(EACCES));
    assert_eq!(agent.refusals("escaped"), 1);
}

/// A long way whose names change all the time is at last given up.
#[test]
fn a_way_that_does_not_stand_still() {
    let folder = Folder::new("raced");
    let agent = agent(&folder);
    let top = folder.path().to_str().unwrap();
    let scene = ["parent-stays-granted", top];
    let race = |what: &str| {
        let mut race = Command::new(program("race"));
        race.arg(what).args(scene).stdout(Stdio::null());
        race
    };
    assert!(race("prepare").status().unwrap().success());
    // So deep that nothing is remembered of it.
    let deep = format!("granted/one/in{}", "/d".repeat(1_960));
    folder.write(&format!("{deep}/file"), "x");
    let process = waiting(&["read-again-when-told", &folder.join(&deep), "file", "50000"]);
    let _storm = Background::start(&mut race("storm"));
    assert_eq!(process.go_on().code(), Some(EACCES));
    assert_eq!(agent.refusals("raced"), 1);
}

/// A file does not get more rights by another name.
#[test]
fn a_name_with_more_rights() {
    let folder = Folder::new("grow");
    let old = folder.write("narrow/file", "x");
    let new = folder.join("wide/file");
    fs::create_dir_all(folder.join("wide")).unwrap();
    let rules = format!(
        "  - {{ path: \"{0}/narrow/**\", allow: [read, remove] }}\n  - {{ path: \"{0}/wide/**\", allow: [read, write, create] }}",
        folder.path().display()
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    assert_eq!(edge(&["rename", &old, &new]), EXDEV);
    assert_eq!(agent.refusals("rights-grow"), 1);
    assert!(Path::new(&old).exists());
}

/// A file system of which only `shown` is to be seen, mounted `times` times, and a
/// process in a folder of it that is not. Returns how the process' try to change
/// a file's times ended.
fn touch_behind(folder: &Folder, times: u32) -> Option<i32> {
    let all = Mount::of_memory(folder.join("all"));
    folder.write("all/hidden/file", "x");
    folder.write("all/shown/file", "x");
    let process = waiting(&["touch-when-told", &folder.join("all/hidden"), "file"]);
    let _shown: Vec<Mount> = (0..times)
        .map(|number| {
            let at = folder.join(&format!("shown-{number}"));
            Mount::bind(&folder.join("all/shown"), at)
        })
        .collect();
    drop(all);
    process.go_on().code()
}

/// Times are changed without the kernel telling by which mount. An object that no
/// mount shows has no name.
#[test]
fn an_object_on_no_mount() {
    let folder = Folder::new("no-mount");
    let agent = agent(&folder);
    assert_eq!(touch_behind(&folder, 1), Some(EACCES));
    assert_eq!(agent.refusals("no-mount"), 1);
}

/// Likewise, and there are more mounts than are looked at.
#[test]
fn an_object_behind_too_many_mounts() {
    let folder = Folder::new("many-mounts");
    let agent = agent(&folder);
    assert_eq!(touch_behind(&folder, MOUNTS + 2), Some(EACCES));
    assert_eq!(agent.refusals("too-many-mounts"), 1);
}
