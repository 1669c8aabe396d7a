//! What a healthy kernel does not do by itself, and what a test has to break for
//! it: a table is taken away, the room of the programs is taken, and an offset in the
//! kernel's type information is changed.

mod btf;
mod values;

use std::{fs, path::Path, process};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, errno, profile, program};
use rustix::mount::{UnmountFlags, mount_bind, unmount};

use self::values::Values;
use crate::{background::Told, limits::confined};

/// The kernel's type information.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// A size class that no table has, as the map has it.
const NO_CLASS: [u8; 8] = [9, 0, 0, 0, 0, 0, 0, 0];

/// Without its profile's table, a process is refused everything that it was not granted
/// before.
#[test]
fn a_table_that_is_missing() {
    let folder = Folder::new("table");
    let [known, fresh] = ["known", "fresh"].map(|name| folder.write(name, "x"));
    let rules = [&known, &fresh].map(|file| format!("  - {{ path: {file}, allow: [read] }}\n"));
    let agent = Agent::start(&[("p", &profile("enforce", &rules.concat()))]);
    let [mut first, mut second] = [&known, &fresh].map(|file| {
        let mut process = Told::start(&mut confined("p", "edge", &["tasks", file]));
        process.tell("spawn 1");
        process
    });
    assert_eq!(first.tell("open"), "granted 1 refused 0");

    let classes = Values::of("CLASSES");
    let before: Vec<_> = (0..classes.count).map(|slot| classes.get(slot)).collect();
    for slot in 0..classes.count {
        classes.set(slot, NO_CLASS.to_vec());
    }
    let refused = second.tell("open");
    let remembered = first.tell("open");
    let outside = attempt_outside(&["read", &fresh]);
    for (slot, class) in (0..).zip(before) {
        classes.set(slot, class);
    }
    assert_eq!(refused, "granted 0 refused 1");
    assert_eq!(remembered, "granted 1 refused 0");
    assert_eq!(outside, 0, "outside");
    assert_eq!(agent.refusals("no-table"), 1);
    assert_eq!(second.tell("open"), "granted 1 refused 0", "it is back");
}

/// The words of a seat that say that it is taken, and by which task; a scratch begins
/// with the first.
const TAKEN: std::ops::Range<usize> = 0..8;
const TASK: std::ops::Range<usize> = 8..16;

/// A task for whose label there is no seat is not made, if it would be confined.
#[test]
fn no_seat() {
    let folder = Folder::new("seats");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: {file}, allow: [read] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let mut process = Told::start(&mut confined("p", "edge", &["tasks", &file]));
    assert_eq!(process.tell("spawn 4"), "spawned 4");

    let seats = Values::of("SEATS");
    let free = |value: &[u8]| value[TASK].iter().all(|&byte| byte == 0);
    let mut taken = Vec::new();
    for at in 0..seats.count {
        let mut value = seats.get(at);
        if free(&value) {
            value[TAKEN].copy_from_slice(&1_u64.to_ne_bytes());
            seats.set(at, value);
            taken.push(at);
        }
    }
    let spawned = process.tell("spawn 4");
    let opened = process.tell("open");
    let outside = attempt_outside(&["read-thread", &file]);
    for at in taken {
        let mut value = seats.get(at);
        value[TAKEN].fill(0);
        seats.set(at, value);
    }
    assert_ne!(spawned, "spawned 4");
    assert!(opened.ends_with("refused 0"), "{opened}");
    assert_eq!(outside, 0, "outside");
    assert!(agent.refusals("no-label") > 0, "{spawned}");
    assert_eq!(process.tell("spawn 4"), "spawned 4", "there is room again");
}

/// Without a scratch, a process is refused what it was not granted before.
#[test]
fn no_scratch() {
    let folder = Folder::new("scratches");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: {file}, allow: [read] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let mut process = Told::start(&mut confined("p", "edge", &["tasks", &file]));
    assert_eq!(process.tell("spawn 1"), "spawned 1");

    let scratches = Values::of("SCRATCHES");
    let mark = |taken: u64| {
        for at in 0..scratches.count {
            let mut value = scratches.get(at);
            value[TAKEN].copy_from_slice(&taken.to_ne_bytes());
            scratches.set(at, value);
        }
    };
    mark(1);
    // Who held one gave it back meanwhile.
    mark(1);
    let refused = process.tell("open");
    let outside = attempt_outside(&["read-thread", &file]);
    mark(0);
    assert_eq!(refused, "granted 0 refused 1");
    assert_eq!(outside, 0, "outside");
    assert!(agent.refusals("no-scratch") > 0);
    assert_eq!(process.tell("open"), "granted 1 refused 0", "it is back");
}

/// Where memory cannot be read, the confined are refused, and nobody else.
///
/// The agent takes the offsets of what the programs read from the kernel's type
/// information. In a copy with one change, that of an object's file system is the
/// one of its name: a pointer that leads nowhere.
#[test]
fn a_read_that_fails() {
    let folder = Folder::new("fault");
    let file = folder.write("file-with-a-name", "x");
    let rule = format!("  - {{ path: {file}, allow: [read, attributes] }}");
    let mut types = fs::read(BTF).expect("read the kernel's types");
    btf::move_member(&mut types, "dentry", "d_sb", &["d_shortname", "d_iname"]);
    let changed = folder.path().join("btf");
    fs::write(&changed, types).unwrap();
    mount_bind(&changed, BTF).unwrap();
    let mount = Over(Path::new(BTF));
    let agent = Agent::alone(&[("p", &profile("enforce", &rule))]);
    drop(mount);

    let touch = ["touch", &*file];
    let output = confined("p", "edge", &touch).output().unwrap();
    assert_eq!(errno(&output), EACCES, "{output:?}");
    let output = process::Command::new(program("edge")).args(touch).output();
    assert_eq!(errno(&output.unwrap()), 0, "outside");
    assert!(agent.refusals("fault") > 0);
}

/// What is mounted there goes away.
struct Over(&'static Path);

impl Drop for Over {
    fn drop(&mut self) {
        let _gone = unmount(self.0, UnmountFlags::DETACH);
    }
}
