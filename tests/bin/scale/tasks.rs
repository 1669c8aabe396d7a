//! Table `tasks`: many confined tasks at once.

use std::{
    fs,
    io::{self, PipeReader, Read as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use enforcer_tests::measure::each;
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::{
    FOLDER,
    agent::{Agent, output_of},
    memory, number, open_once,
    policy::{self, write_one},
    tell, tell_all,
    told::{Told, follow},
};

/// The table's name.
const TABLE: &str = "tasks";

/// The profile of the tasks.
const PROFILE: &str = "tasks";

/// Stack of a task, in bytes: the least that there may be, and some for an open.
const STACK: usize = 32 << 10;

/// Forks and opens in a batch.
const FORKS: u32 = 8;
const OPENS: u32 = 40;

/// Measures rows.
pub(crate) fn measure(sizes: &[u32]) {
    // Twice the tasks, and what else there is.
    fs::write("/proc/sys/kernel/threads-max", "30000").expect("allow as many tasks");
    let granted = format!("{}/file", policy::GRANTED);
    let refused = format!("{FOLDER}/secret");
    fs::create_dir_all(policy::GRANTED).expect("make a folder");
    for file in [&granted, &refused] {
        fs::write(file, "x").expect("write a file");
    }
    let agent = Agent::with(|folder| write_one(folder, PROFILE, "", &[]));
    for &size in sizes {
        for (prefix, profile) in [("outside-", None), ("", Some(PROFILE))] {
            let available = memory::available_kib();
            let mut crowd = Told::start(profile, &["crowd", &refused]);
            let started = crowd.tell(&format!("spawn {size}"));
            assert_eq!(started, size.to_string(), "tasks that could be started");
            let was_refused = crowd.tell("open");
            let taken = available.saturating_sub(memory::available_kib());
            tell(TABLE, size, &format!("{prefix}kib"), taken);
            tell(
                TABLE,
                size,
                &format!("{prefix}refused"),
                number(&was_refused).into(),
            );
            let lines = output_of(profile, &["forks", &granted]);
            tell_all(TABLE, size, prefix, &lines);
            crowd.end();
            thread::sleep(crate::agent::SETTLES_WITHIN);
        }
    }
    let status = agent.status();
    for reason in ["no-label", "no-scratch"] {
        let failed = &status["reasons"][reason];
        assert!(failed.is_null(), "{reason}: {failed}");
    }
}

/// What one more process measures.
pub(crate) fn forks(file: &str) {
    open_once(file);
    println!("open {}", each(OPENS, |_| open_once(file)));
    println!("fork {}", each(FORKS, |_| crate::raw::fork_and_wait()));
}

/// What the tasks have done.
#[derive(Default)]
struct Done {
    granted: AtomicU32,
    refused: AtomicU32,
}

/// Tasks that open a file when they are told to: `spawn N`, `open`. They are answered with
/// how many there are, and how many were refused.
pub(crate) fn crowd(file: &str) {
    let done = Arc::new(Done::default());
    // A byte has one task open the file. Orders come by the one and the other in turn, so
    // that no task takes two.
    let pipes = [0, 1].map(|_| io::pipe().expect("make a pipe"));
    let [(first, tell_first), (second, tell_second)] = pipes;
    let listen = Arc::new([first, second]);
    let tells = [tell_first, tell_second];
    let mut count = 0;
    let mut orders = 0;
    follow(|order| {
        if let Some(more) = order.strip_prefix("spawn ") {
            for _ in 0..number(more) {
                let (ends, done) = (Arc::clone(&listen), Arc::clone(&done));
                let file = file.to_owned();
                let task = thread::Builder::new().stack_size(STACK);
                if task
                    .spawn(move || wait_and_open(&ends, &done, &file))
                    .is_err()
                {
                    break;
                }
                count += 1;
            }
            return count.to_string();
        }
        let mut end = &tells[orders % 2];
        orders += 1;
        done.refused.store(0, Ordering::SeqCst);
        done.granted.store(0, Ordering::SeqCst);
        for _ in 0..count {
            end.write_all(&[0]).expect("tell a task");
        }
        let refused = || done.refused.load(Ordering::SeqCst);
        while refused() + done.granted.load(Ordering::SeqCst) < count {
            thread::sleep(Duration::from_millis(10));
        }
        refused().to_string()
    });
}

/// What a task does.
fn wait_and_open(ends: &[PipeReader; 2], done: &Done, file: &str) {
    for mut end in ends.iter().cycle() {
        if !matches!(end.read(&mut [0]), Ok(1)) {
            return;
        }
        let opened = rustix::fs::open(file, OFlags::RDONLY, Mode::empty()).map(drop);
        let counter = match opened {
            Ok(()) => &done.granted,
            Err(Errno::ACCESS) => &done.refused,
            Err(errno) => panic!("neither granted nor refused: {errno}"),
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}
