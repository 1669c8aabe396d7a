//! Rows on processes and their memory.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use enforcer_tests::measure::{each, median, whole};
use rustix::process::{WaitOptions, waitpid};

use crate::{place, raw};

/// Operations in a batch: quick ones, and those that make a process. A tick takes what is
/// left of ended processes away, some 5,000 instructions for each.
const MANY: u32 = 40;
const FEW: u32 = 8;

/// What the shell runs: a static program by its path, 50 times.
const LOOP: &str = "i=0; while [ $i -lt 50 ]; do /tmp/bench/bin/nothing; i=$((i+1)); done";

/// How often the shell is started.
const SHELLS: usize = 5;

/// The cheapest system call.
pub(crate) fn getppid() -> u64 {
    each(MANY, |_| {
        let _parent = rustix::process::getppid();
    })
}

/// A file is mapped as code and unmapped.
pub(crate) fn map_code() -> u64 {
    let file = place::open(place::NOTHING.as_ref());
    each(MANY, |_| raw::map_code(&file))
}

/// A child that ends at once.
pub(crate) fn fork() -> u64 {
    each(FEW, |_| {
        let child = raw::fork_and_exit().expect("fork");
        waitpid(Some(child), WaitOptions::empty()).expect("wait");
    })
}

/// A child that shares our memory until it executes a program that ends at once.
pub(crate) fn exec() -> u64 {
    let mut starter = raw::Starter::new(place::NOTHING);
    each(FEW, |_| {
        let child = starter.start().expect("vfork");
        let waited = waitpid(Some(child), WaitOptions::empty()).expect("wait");
        let (_pid, status) = waited.expect("it has ended");
        assert_eq!(status.exit_status(), Some(0), "the program cannot be run");
    })
}

/// A shell that runs 50 programs.
pub(crate) fn shell_loop() -> u64 {
    let run = || {
        let mut shell = Command::new("/usr/bin/busybox");
        shell.args(["sh", "-c", LOOP]).stdin(Stdio::null());
        whole(|| {
            let status = shell.status().expect("run a shell");
            assert!(status.success(), "the shell's loop failed: {status}");
        })
    };
    median(std::iter::repeat_with(run).take(SHELLS).collect())
}

/// What it takes to ask for the time, which is in every batch once.
pub(crate) fn clock() -> u64 {
    each(MANY, |_| {
        let _now = Instant::now();
    })
}
