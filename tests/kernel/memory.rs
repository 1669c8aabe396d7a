//! What is remembered of objects gives no other verdict than their paths do.
//!
//! Names change all the time: by renames, links, mounts, kernel caches that are
//! emptied, and beside it elsewhere; profiles change, and two domains ask. Whatever was
//! known of an object before, a path that can be opened is granted if and only if the
//! rules say so; and that is so with the memory and without it.

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use enforcer_abi::limits::LOOKS;
use enforcer_tests::{Agent, EACCES, Folder, profile, rule};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    mount::{UnmountFlags, mount_bind, unmount},
    thread::{CpuSet, sched_setaffinity},
};

use crate::{background::Told, limits::confined};

/// Opens with the memory and without it: a million in all.
const OPENS: u32 = 500_000;
/// Paths that a process is told at once.
const BATCH: u32 = 64;
/// Changes of names between two batches.
const CHANGES: u32 = 6;
/// Batches between two changes of the profile, and between two times that the kernel's
/// caches are emptied.
const RELOADED: u32 = 1000;
const EMPTIED: u32 = 400;
/// Most mounts at once.
const MOUNTS: usize = 3;

/// The names of folders; the first letter of the outermost decides.
const OUTER: [&str; 5] = ["g0", "g1", "d0", "d1", "h0"];
const INNER: [&str; 3] = ["", "a/", "b/"];
const FILES: [&str; 3] = ["x", "y", ""];

/// Rules: outermost folders by their first letters, and the end of a path that is denied;
/// none: all that lies in such a folder has one outcome.
#[derive(Clone, Copy)]
struct Rules(&'static [char], Option<&'static str>);

const RULES: [Rules; 2] = [Rules(&['g'], Some("/b/y")), Rules(&['h', 'd'], None)];

impl Rules {
    fn text(self, folder: &Folder) -> String {
        let Self(letters, denied) = self;
        let granted = letters
            .iter()
            .map(|letter| rule(&folder.join(&format!("{letter}*/**")), "read"));
        let denied = denied.map(|end| {
            let denied = folder.join(&format!("**{end}"));
            format!("  - {{ path: \"{denied}\", deny: [all] }}\n")
        });
        profile("enforce", &granted.chain(denied).collect::<String>())
    }

    /// Whether they grant to read a path beneath the folder.
    fn grant(self, path: &str) -> bool {
        let Self(letters, denied) = self;
        let is_denied = denied.is_some_and(|end| path.ends_with(end));
        path.contains('/') && path.starts_with(letters) && !is_denied
    }
}

/// A sequence of numbers that looks random and is always the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn path(&mut self) -> String {
        let [outer, inner, file] = [OUTER.len(), INNER.len(), FILES.len()].map(|n| self.below(n));
        let path = format!("{}/{}{}", OUTER[outer], INNER[inner], FILES[file]);
        path.trim_end_matches('/').to_owned()
    }
}

#[test]
fn no_other_verdict_with_the_memory() {
    churn(&|profiles| Agent::start(profiles));
}

#[test]
fn no_other_verdict_without_it() {
    churn(&|profiles| Agent::without_cache(profiles));
}

/// Times that walks are counted anew, where a minute may have begun meanwhile: the kernel
/// then looks at grants for the history again, and walks for that.
const COUNTED: usize = 3;

/// Keeps this thread, and what it starts from here on, on one processor: each has looks of
/// its own for the history ([`LOOKS`]).
fn stay_on_one_processor() {
    let mut one = CpuSet::new();
    one.set(0);
    sched_setaffinity(None, &one).expect("stay on a processor");
}

/// Has walks counted by `count` until they are in `range`, and returns the last number.
fn walks(range: &RangeInclusive<u64>, mut count: impl FnMut(usize) -> u64) -> u64 {
    let mut last = 0;
    for round in 0..COUNTED {
        last = count(round);
        if range.contains(&last) {
            break;
        }
    }
    last
}

/// What is known costs no walk: a file that was opened before, and one that was not, in a
/// known folder. Without the memory each costs one.
#[test]
fn what_is_known_is_not_walked() {
    const MANY: u64 = 400;
    stay_on_one_processor();
    // Columns: what the profile grants, whether it remembers, least and most walks.
    #[rustfmt::skip]
    let cases = [
        ("**",  false, MANY..=u64::MAX),
        ("**",  true,  0..=40),
        ("x*",  true,  0..=40),
    ];
    for (granted, remembers, range) in cases {
        let folder = Folder::new("walks");
        let files = |name: &str, count: u64| -> Vec<String> {
            let file = |number| folder.write(&format!("in/x{name}{number}"), "x");
            (0..count).map(file).collect()
        };
        let rules = rule(&folder.join(&format!("in/{granted}")), "read");
        let profiles = [("p", &*profile("enforce", &rules))];
        let agent = if remembers {
            Agent::start(&profiles)
        } else {
            Agent::without_cache(&profiles)
        };
        let mut process = Told::start(&mut confined("p", "edge", &["opens"]));
        let mut open = |files: &[String]| {
            assert_eq!(process.tell(&files.join("\t")), "g".repeat(files.len()));
        };
        let walks = walks(&range, |round| {
            open(&files(&format!("looked-at-{round}-"), LOOKS.into()));
            let files = files(&format!("{round}-"), MANY / 2);
            // What a program opens to start is none of it.
            let before = agent.counter("judged");
            open(&files);
            open(&files);
            agent.counter("judged") - before
        });
        assert!(
            range.contains(&walks),
            "{granted}, remembers {remembers}: {walks} of {MANY}"
        );
    }
}

/// A tree that is made is not walked, though nothing in it was ever met: what is known of
/// the folder that it is made in is so of all beneath. Where a rule is about names in it,
/// it decides there as well.
#[test]
fn a_tree_that_is_made_is_not_walked() {
    const MANY: u64 = 100;
    stay_on_one_processor();
    // Columns: what the profile denies, what comes of making that, least and most walks.
    #[rustfmt::skip]
    let cases = [
        ("elsewhere",            0,      0..=40),
        ("tree/top/*/in/secret", EACCES, MANY..=u64::MAX),
        ("tree/**/secret",       EACCES, MANY..=u64::MAX),
    ];
    for (denied, want, range) in cases {
        let folder = Folder::new("made");
        // What lies in the first folder is still told from what has a longer name.
        fs::create_dir_all(folder.join("tree/top")).unwrap();
        let rules = rule(&folder.join("tree/**"), "read, write, create, attributes");
        let path = folder.join(denied);
        let text = format!("{rules}  - {{ path: \"{path}\", deny: [all] }}\n");
        let agent = Agent::start(&[("p", &profile("enforce", &text))]);
        let mut process = Told::start(&mut confined("p", "edge", &["obey"]));
        let mut obey = |order: &str, want: i32| {
            assert_eq!(process.tell(order), want.to_string(), "{denied}: {order}");
        };
        let walks = walks(&range, |round| {
            for number in 0..LOOKS {
                let path = folder.join(&format!("tree/top/looked-at-{round}-{number}"));
                obey(&format!("make-folder {path}"), 0);
            }
            let before = agent.counter("judged");
            for number in 0..MANY {
                let outer = folder.join(&format!("tree/top/{round}-{number}"));
                obey(&format!("make-folder {outer}"), 0);
                obey(&format!("make-folder {outer}/in"), 0);
                obey(&format!("make-file {outer}/in/file"), 0);
                obey(&format!("touch {outer}/in/file"), 0);
                obey(&format!("make-file {outer}/in/secret"), want);
            }
            agent.counter("judged") - before
        });
        assert!(range.contains(&walks), "{denied}: {walks}");
    }
}

/// What is granted of a folder itself says nothing of what lies in it, nor in a folder in
/// it that was never met.
#[test]
fn a_folder_s_own_rights_are_no_others() {
    let folder = Folder::new("own");
    let top = folder.join("top");
    fs::create_dir_all(folder.join("top/in")).unwrap();
    // First of a folder that was never met.
    let files = ["top/in/file", "top/file"].map(|name| folder.write(name, "x"));
    let _agent = Agent::start(&[("p", &profile("enforce", &rule(&top, "read")))]);
    let mut process = Told::start(&mut confined("p", "edge", &["obey"]));
    for round in 1..=3 {
        assert_eq!(process.tell(&format!("read {top}")), "0", "round {round}");
        for file in &files {
            let read = process.tell(&format!("read {file}"));
            assert_eq!(read, EACCES.to_string(), "round {round}: {file}");
        }
    }
}

/// A name that is to be made has no inode yet: what is remembered of its `struct dentry`
/// is of one that was at the same address.
#[test]
fn a_name_that_is_made_is_not_what_was_there() {
    const MANY: u32 = 1000;
    let folder = Folder::new("anew");
    for name in ["granted", "not"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    // By its name, so that something is kept of each.
    let rules = rule(&folder.join("granted/x*"), "write, create, remove");
    let _agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    let mut process = Told::start(&mut confined("p", "edge", &["obey"]));
    for number in 0..MANY {
        let [granted, not] =
            ["granted", "not"].map(|name| folder.join(&format!("{name}/x{number}")));
        assert_eq!(process.tell(&format!("make-file {granted}")), "0");
        assert_eq!(process.tell(&format!("remove {granted}")), "0");
        let made = process.tell(&format!("make-file {not}"));
        assert_eq!(made, EACCES.to_string(), "after {number}");
        // Else only its open was refused.
        assert!(!fs::exists(&not).unwrap(), "after {number}");
    }
}

fn churn(start: &dyn Fn(&[(&str, &str)]) -> Agent) {
    let folder = Folder::new("memory");
    let [first, second] = RULES.map(|rules| rules.text(&folder));
    let agent = start(&[("changed", &first), ("same", &second)]);
    let mut changed = Told::start(&mut confined("changed", "edge", &["opens"]));
    let mut same = Told::start(&mut confined("same", "edge", &["opens"]));
    let noise = Noise::start(Folder::new("noise"));

    let mut tree = Tree::new(&folder);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut rules = RULES[0];
    let [mut granted, mut denied] = [0, 0];
    for batch in 0..OPENS / BATCH / 2 {
        if batch % RELOADED == RELOADED - 1 {
            let is_first = (batch / RELOADED).is_multiple_of(2);
            rules = RULES[usize::from(is_first)];
            assert!(agent.reload("changed", &rules.text(&folder)), "reload");
        }
        if batch % EMPTIED == EMPTIED - 1 {
            fs::write("/proc/sys/vm/drop_caches", "2").unwrap();
        }
        for _ in 0..CHANGES {
            tree.change(&mut numbers);
        }
        let paths: Vec<_> = (0..BATCH).map(|_| numbers.path()).collect();
        let line: Vec<_> = paths.iter().map(|path| folder.join(path)).collect();
        let line = line.join("\t");
        for (process, rules) in [(&mut changed, rules), (&mut same, RULES[1])] {
            let answers = process.tell(&line);
            assert_eq!(answers.len(), paths.len(), "{answers}");
            for (path, answer) in paths.iter().zip(answers.chars()) {
                match answer {
                    'g' => granted += 1,
                    'd' => denied += 1,
                    _ => continue,
                }
                assert_eq!(answer == 'g', rules.grant(path), "{path} in batch {batch}");
            }
        }
    }
    drop(noise);
    // Nothing is shown by what was not there.
    assert!(
        granted > OPENS / 20 && denied > OPENS / 20,
        "{granted} {denied}"
    );
    assert_eq!(agent.counter("events-lost"), 0);
}

/// The folders whose names change.
struct Tree<'a> {
    folder: &'a Folder,
    mounts: Vec<PathBuf>,
}

impl<'a> Tree<'a> {
    fn new(folder: &'a Folder) -> Self {
        for outer in OUTER {
            for inner in INNER {
                for file in ["x", "y"] {
                    folder.write(&format!("{outer}/{inner}{file}"), "x");
                }
            }
        }
        Self {
            folder,
            mounts: Vec::new(),
        }
    }

    /// Changes something, or not: what is in the way stays.
    fn change(&mut self, numbers: &mut Numbers) {
        let [one, other] = [(); 2].map(|()| self.folder.path().join(numbers.path()));
        match numbers.below(12) {
            0..=4 => drop(fs::rename(&one, &other)),
            5 | 6 => {
                let _swapped = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
            }
            7 => drop(fs::hard_link(&one, &other)),
            8 => drop(fs::remove_file(&one)),
            9 => {
                // What went away comes again, and takes the memory of what was there.
                let _made = one.parent().map(fs::create_dir_all);
                let _made = fs::write(&one, "x");
            }
            10 if self.mounts.len() < MOUNTS => {
                if mount_bind(&one, &other).is_ok() {
                    self.mounts.push(other);
                }
            }
            _ => {
                if let Some(mount) = self.mounts.pop() {
                    let _busy = unmount(&*mount, UnmountFlags::DETACH);
                }
            }
        }
    }
}

impl Drop for Tree<'_> {
    fn drop(&mut self) {
        for mount in self.mounts.iter().rev() {
            let _gone = unmount(&**mount, UnmountFlags::DETACH);
        }
    }
}

/// Renames and mounts elsewhere, as long as it lives.
struct Noise {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Noise {
    fn start(folder: Folder) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let [one, other] = ["one", "other"].map(|name| folder.join(name));
            fs::create_dir(&one).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                fs::rename(&one, &other).unwrap();
                fs::rename(&other, &one).unwrap();
                mount_bind(Path::new(&one), Path::new(&one)).unwrap();
                unmount(&*one, UnmountFlags::DETACH).unwrap();
                thread::yield_now();
            }
        });
        Self {
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Noise {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the noise goes on to the end");
        }
    }
}
