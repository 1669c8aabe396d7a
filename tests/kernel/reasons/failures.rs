//! What a healthy kernel does not do by itself, and what a test has to break for
//! it: a table is taken away, memory is kept from the programs, and an offset in the
//! kernel's type information is changed.

mod btf;

use std::{fs, path::Path, process};

use aya::maps::{Array, Map, MapData, loaded_maps};
use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, errno, profile, program, series};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};

use crate::{background::Told, limits::confined};

/// The kernel's type information.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// A size class that no table has.
const NO_CLASS: u32 = 9;

/// Without its profile's table, a process is refused everything.
#[test]
fn a_table_that_is_missing() {
    let folder = Folder::new("table");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: {file}, allow: [read] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let mut process = Told::start(&mut confined("p", "edge", &["tasks", &file]));
    process.tell("spawn 1");
    assert_eq!(process.tell("open"), "granted 1 refused 0");

    let mut classes = classes();
    let before: Vec<u32> = classes.iter().map(|class| class.unwrap()).collect();
    for slot in 0..classes.len() {
        classes.set(slot, NO_CLASS, 0).unwrap();
    }
    let refused = process.tell("open");
    let outside = attempt_outside(&["read", &file]);
    for (slot, class) in (0..).zip(before) {
        classes.set(slot, class, 0).unwrap();
    }
    assert_eq!(refused, "granted 0 refused 1");
    assert_eq!(outside, 0, "outside");
    assert_eq!(agent.refusals("no-table"), 1);
    assert_eq!(process.tell("open"), "granted 1 refused 0", "it is back");
}

/// The map that says which table each slot has.
fn classes() -> Array<MapData, u32> {
    let id = loaded_maps()
        .filter_map(Result::ok)
        .find(|map| map.name_as_str() == Some("CLASSES"))
        .expect("an agent runs")
        .id();
    let map = MapData::from_id(id).expect("open a map");
    Map::Array(map).try_into().expect("an array")
}

/// A cgroup that goes away with the test.
struct Cgroup {
    root: String,
    path: String,
}

impl Cgroup {
    /// Makes a cgroup whose memory is counted, and puts this process into it.
    fn enter(folder: &Folder) -> Self {
        let root = folder.join("cgroups");
        fs::create_dir_all(&root).unwrap();
        mount("test", &*root, "cgroup2", MountFlags::empty(), None).unwrap();
        fs::write(format!("{root}/cgroup.subtree_control"), "+memory").unwrap();
        let path = format!("{root}/small");
        fs::create_dir_all(&path).unwrap();
        fs::write(format!("{path}/cgroup.procs"), process::id().to_string()).unwrap();
        Self { root, path }
    }

    /// Puts every process that is in it out of it. What the kernel has for them
    /// stays counted.
    fn empty(&self) {
        let members = fs::read_to_string(format!("{}/cgroup.procs", self.path)).unwrap();
        for member in members.lines() {
            fs::write(format!("{}/cgroup.procs", self.root), member).unwrap();
        }
    }

    fn set_limit(&self, limit: &str) {
        fs::write(format!("{}/memory.max", self.path), limit).unwrap();
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _gone = fs::remove_dir(&self.path);
        let _gone = unmount(&*self.root, UnmountFlags::DETACH);
    }
}

/// A task of which the programs cannot keep anything is not made, and one that they
/// cannot name an object for is refused.
///
/// Before Linux 6.4, what a program allocates may exceed every limit.
#[test]
fn no_memory() {
    if series() < (6, 4) {
        println!("not on this kernel: what its programs allocate exceeds every limit");
        return;
    }
    let folder = Folder::new("memory");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: {file}, allow: [read] }}");
    let cgroup = Cgroup::enter(&folder);
    // The agent's maps are counted where it starts.
    let agent = Agent::alone(&[("p", &profile("enforce", &rule))]);
    cgroup.empty();
    let mut process = Told::start(&mut confined("p", "edge", &["tasks", &file]));
    assert_eq!(process.tell("spawn 100"), "spawned 100");

    cgroup.set_limit("0");
    let opened = process.tell("open");
    let spawned = process.tell("spawn 2000");
    let outside = attempt_outside(&["read-thread", &file]);
    cgroup.set_limit("max");
    assert_ne!(opened, "granted 100 refused 0");
    assert_ne!(spawned, "spawned 2000");
    assert_eq!(outside, 0, "outside");
    assert!(agent.refusals("no-scratch") > 0, "{opened}");
    assert!(agent.refusals("no-label") > 0, "{spawned}");
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
