//! Names, paths, and what lies on the way.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::{
        fd::OwnedFd,
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::Path,
};

use enforcer_abi::limits::{NAME_LEN, PATH_LEN, WALK_STEPS};
use enforcer_tests::{Agent, EACCES, Folder, errno, profile, wait_for};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, open, openat, unlinkat};

use super::confined;
use crate::mounts::Mount;

/// Mounts that a container can be expected to have on the way.
const MOUNTS: usize = 64;

/// A profile that lets everything in a folder be read.
fn everything_in(folder: &Folder) -> String {
    let rule = format!(
        "  - {{ path: \"{}/**\", allow: [read] }}",
        folder.path().display()
    );
    profile("enforce", &rule)
}

/// The errno of `edge ARGS`, confined and unconfined.
fn edge<A: AsRef<OsStr>>(args: &[A]) -> (i32, i32) {
    let mut inside = confined("p", "edge", args);
    let mut outside = std::process::Command::new(enforcer_tests::program("edge"));
    outside.args(args);
    (
        errno(&inside.output().expect("run enforcer")),
        errno(&outside.output().expect("run edge")),
    )
}

/// Every byte that there can be in a name. They fit into one.
fn every_byte() -> OsString {
    OsString::from_vec((1..=u8::MAX).filter(|byte| *byte != b'/').collect())
}

/// A name may have any byte but NUL and `/`, and 255 of them.
#[test]
fn names_may_be_long_and_hold_any_byte() {
    let folder = Folder::new("names");
    let granted = folder.path().join("granted");
    let secret = folder.path().join("secret");
    let rule = format!(
        "  - {{ path: \"{}/**\", allow: [read] }}",
        granted.display()
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let longest = OsString::from_vec(vec![b'n'; NAME_LEN]);
    for (what, name) in [("longest", longest), ("every byte", every_byte())] {
        for (folder, want) in [(&granted, 0), (&secret, EACCES)] {
            fs::create_dir_all(folder).unwrap();
            let path = folder.join(&name);
            fs::write(&path, "x").unwrap();
            let args = [OsStr::new("read"), path.as_os_str()];
            assert_eq!(edge(&args), (want, 0), "{what}: {path:?}");
        }
        let path = secret.join(&name);
        let told = wait_for(enforcer_tests::WITHIN, || {
            let all = agent.detections();
            all.into_iter().find(|one| is_about(one, &path))
        });
        assert!(told.is_some(), "{what}: {:?}", agent.detections());
    }
}

/// Whether a detection has exactly this path.
fn is_about(detection: &serde_json::Value, path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    match detection["path_bytes"].as_str() {
        Some(hex) => {
            let want = bytes
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
            hex == want
        }
        None => detection["path"]
            .as_str()
            .is_some_and(|text| text.as_bytes() == bytes),
    }
}

/// A path may have 4,095 bytes, which is one more than can be asked for in one
/// piece. Beyond it, however it is reached, there is a refusal of its own.
#[test]
fn paths_have_a_longest() {
    let folder = Folder::new("longest");
    let agent = Agent::start(&[("p", &everything_in(&folder))]);

    // Folders of up to 250 bytes, then a file that fills the path up.
    let mut path = folder.path().to_str().unwrap().to_owned();
    while path.len() < PATH_LEN - 100 {
        let name = (PATH_LEN - 100 - path.len()).clamp(2, 250);
        path = format!("{path}/{}", "d".repeat(name));
        fs::create_dir(&path).unwrap();
    }
    let held = open_folder(CWD, &path);
    for (name, len, want) in [
        ("at the limit", PATH_LEN, 0),
        ("beyond the limit", PATH_LEN + 1, EACCES),
    ] {
        let file = "f".repeat(len - path.len() - 1);
        write_in(&held, &file);
        let before = agent.refusals("path-too-long");
        let args = ["read-beneath", &path, ".", "0", &file];
        assert_eq!(edge(&args), (want, 0), "{name}");
        let counted = agent.refusals("path-too-long") - before;
        assert_eq!(counted, u64::from(want != 0), "{name}");
    }
}

/// By relative steps, folders can be made and entered that are deeper than any
/// path can tell.
#[test]
fn folders_beyond_any_path() {
    let folder = Folder::new("beyond");
    let agent = Agent::start(&[("p", &everything_in(&folder))]);
    let name = "d".repeat(250);
    for (levels, want) in [(16, 0), (17, EACCES), (40, EACCES)] {
        let mut held = open_folder(CWD, folder.path());
        for _ in 0..levels {
            let _there = mkdirat(&held, &*name, Mode::RWXU);
            held = open_folder(&held, &*name);
        }
        write_in(&held, "file");
        let before = agent.refusals("path-too-long");
        let top = folder.path().to_str().unwrap();
        let args = ["read-beneath", top, &name, &levels.to_string(), "file"];
        assert_eq!(edge(&args), (want, 0), "{levels} levels");
        let counted = agent.refusals("path-too-long") - before;
        assert_eq!(counted, u64::from(want != 0), "{levels} levels");
    }
}

/// Many mounts on the way are crossed.
#[test]
fn mounts_on_the_way() {
    let folder = Folder::new("mounts");
    let agent = Agent::start(&[("p", &everything_in(&folder))]);
    let mut mounts = Mounts::default();
    let mut path = folder.path().to_path_buf();
    for _ in 0..MOUNTS {
        path.push("m");
        fs::create_dir(&path).unwrap();
        mounts.stack(&path);
    }
    let file = path.join("file");
    fs::write(&file, "x").unwrap();
    assert_eq!(edge(&["read", file.to_str().unwrap()]), (0, 0));
    assert_eq!(agent.refusals("path-too-deep"), 0);
}

/// A way of more names and mounts than the programs follow is refused; one that is
/// a mount shorter is not.
#[test]
fn ways_have_a_longest() {
    let folder = Folder::new("deep");
    let agent = Agent::start(&[("p", &everything_in(&folder))]);
    let top = folder.path().join("m");
    fs::create_dir(&top).unwrap();
    // As many names as the longest path can have, nearly.
    let names_above = top.components().count() - 1;
    let levels = (PATH_LEN - top.as_os_str().len() - "/f".len()) / "/d".len();
    let steps = WALK_STEPS as usize;
    // The last step finds that it is at the top.
    let crossings = steps - names_above - levels - "f".len() - mounts_above_root() - 1;
    let _levels = Levels::make(&top, levels);
    let mut mounts = Mounts::default();
    for _ in 0..crossings {
        mounts.stack(&top);
    }
    let count = levels.to_string();
    let args = ["read-beneath", top.to_str().unwrap(), "d", &count, "f"];
    assert_eq!(
        edge(&args),
        (0, 0),
        "{levels} levels and {crossings} mounts"
    );
    mounts.stack(&top);
    assert_eq!(edge(&args), (EACCES, 0), "one mount more");
    assert_eq!(agent.refusals("path-too-deep"), 1);
}

/// Mounts above the root: from Linux 7.0 the first root is mounted on an empty one.
fn mounts_above_root() -> usize {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let root = text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        (fields[4] == "/").then(|| usize::from(fields[0] != fields[1]))
    });
    root.expect("there is a root")
}

fn open_folder(at: impl std::os::fd::AsFd, path: impl rustix::path::Arg) -> OwnedFd {
    // What a confined program inherits is limited, too.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty()).expect("open a folder")
}

fn write_in(folder: &OwnedFd, name: &str) {
    let flags = OFlags::WRONLY | OFlags::CREATE;
    let _made = File::from(openat(folder, name, flags, Mode::RWXU).expect("make a file"));
}

/// Folders named `d` in one another, with a file `f` in the last; by far more than
/// `remove_dir_all` has descriptors for.
struct Levels(Vec<OwnedFd>);

impl Levels {
    fn make(top: &Path, count: usize) -> Self {
        let limit = Some(count as u64 + 1024);
        let limits = rustix::process::Rlimit {
            current: limit,
            maximum: limit,
        };
        rustix::process::setrlimit(rustix::process::Resource::Nofile, limits).unwrap();
        let mut all = vec![open(top, OFlags::PATH, Mode::empty()).unwrap()];
        for _ in 0..count {
            let last = all.last().expect("there is the top");
            mkdirat(last, "d", Mode::RWXU).unwrap();
            all.push(open_folder(last, "d"));
        }
        write_in(all.last().expect("there is the top"), "f");
        Self(all)
    }
}

impl Drop for Levels {
    fn drop(&mut self) {
        if let Some(last) = self.0.pop() {
            let _gone = unlinkat(&last, "f", AtFlags::empty());
        }
        while let Some(folder) = self.0.pop() {
            let _gone = unlinkat(&folder, "d", AtFlags::REMOVEDIR);
        }
    }
}

/// Mounts that go away with the test, the last first.
#[derive(Default)]
struct Mounts(Vec<Mount>);

impl Mounts {
    /// Mounts a folder over itself.
    fn stack(&mut self, folder: &Path) {
        let folder = folder.to_str().expect("test paths are text");
        self.0.push(Mount::bind_file(folder, folder.to_owned()));
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        while let Some(last) = self.0.pop() {
            drop(last);
        }
    }
}
