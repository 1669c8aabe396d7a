//! Landlock: every right that the kernel knows is handled, and the rules are on the
//! folders in which a rule's paths are, since it knows no patterns.

use std::{
    ffi::OsString,
    fs::{self, File},
    os::{
        fd::AsRawFd as _,
        unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    },
    process::Command,
};

use super::{Confiner, running, this};
use crate::{
    nginx,
    raw::{self, LandlockRule},
    rules::{Rule, rules},
};

/// Rights, by the number of their bit in `include/uapi/linux/landlock.h`.
const EXECUTE: u64 = 1 << 0;
const WRITE: u64 = 1 << 1 | 1 << 14 | 1 << 15;
const READ: u64 = 1 << 2 | 1 << 3;
const REMOVE: u64 = 1 << 4 | 1 << 5;
const CREATE: u64 = 0x1fc0 | 1 << 13;
const CONNECT: u64 = 1 << 16;

/// Says whether it runs.
pub(super) fn available() -> Result<(), String> {
    running("landlock")
}

/// Returns what confines by so many rules.
pub(super) fn confiner(count: usize) -> Result<Confiner, String> {
    available()?;
    // A rule is on a folder that is there.
    for rule in rules(count) {
        fs::create_dir_all(rule.paths.folder()).expect("make a folder");
    }
    Ok(this(&["landlock", &count.to_string()]))
}

/// Confines this process by so many rules, and runs a command.
pub(crate) fn exec(count: usize, words: &[OsString]) {
    // What is handled, of each kind: on paths, on the network, of the domain itself.
    let handled = [0, 1, 2].map(known);
    let set = raw::landlock_ruleset(handled).expect("make a rule set");
    for rule in rules(count) {
        let path = rule.paths.folder();
        let folder = File::options()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
            .open(path)
            .unwrap_or_else(|error| panic!("open {path}: {error}"));
        let allowed = rights(&rule) & handled[0];
        let rule = LandlockRule::Beneath(folder.as_raw_fd());
        raw::landlock_add(&set, &rule, allowed).expect("add a rule");
    }
    if handled[1] != 0 {
        let rule = LandlockRule::Port(nginx::PORT.into());
        raw::landlock_add(&set, &rule, handled[1]).expect("add a rule");
    }
    raw::landlock_restrict(&set).expect("confine this process");
    let failed = Command::new(&words[0]).args(&words[1..]).exec();
    panic!("cannot run {}: {failed}", words[0].display());
}

/// Returns the rights of a kind that the kernel knows, found by asking for each.
fn known(kind: usize) -> u64 {
    let asked = (0..u64::BITS).map(|bit| 1_u64 << bit).filter(|right| {
        let mut handled = [0; 3];
        handled[kind] = *right;
        raw::landlock_ruleset(handled).is_ok()
    });
    asked.sum()
}

fn rights(rule: &Rule) -> u64 {
    let names = [
        ("read", READ),
        ("write", WRITE),
        ("create", CREATE),
        ("remove", REMOVE),
        ("execute", EXECUTE),
        ("connect", CONNECT),
    ];
    let granted = names.iter().filter(|(name, _)| rule.grants(name));
    granted.fold(0, |all, (_, bits)| all | bits)
}
