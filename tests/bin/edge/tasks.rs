//! Many tasks of one process, which do as a test tells them.
//!
//! Each line of stdin is an order, answered by a line:
//!
//! ```text
//! spawn N    starts N more tasks, which wait      spawned N
//! open       every task opens the file once       granted N refused M
//! ```
//!
//! `spawned` tells how many could be started.

use std::{
    io::{self, BufRead as _},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
};

/// Stack of a task, in bytes: the least that there may be, and some for an open.
const STACK: usize = 32 << 10;

/// What the tasks are told, and have done.
#[derive(Default)]
struct State {
    /// How often they have been told to open the file.
    orders: u32,
    /// How many have started.
    started: u32,
    granted: u32,
    refused: u32,
}

struct Shared {
    file: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

/// Follows orders until stdin ends.
pub(crate) fn serve(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let shared = Arc::new(Shared {
        file: file.to_owned(),
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    println!("ready");
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("spawn", count)) => println!("spawned {}", spawn(&shared, count.parse()?)),
            None if line == "open" => println!("{}", open_all(&shared)),
            _ => return Err("no such order".into()),
        }
    }
    Ok(())
}

/// Starts up to `count` tasks. Returns how many it could.
fn spawn(shared: &Arc<Shared>, count: u32) -> u32 {
    let before = shared.lock().started;
    let spawned = (0..count)
        .take_while(|_| {
            let shared = Arc::clone(shared);
            thread::Builder::new()
                .stack_size(STACK)
                .spawn(move || shared.follow())
                .is_ok()
        })
        .fold(0, |spawned, _| spawned + 1);
    let state = shared.lock();
    let _all_started = shared
        .changed
        .wait_while(state, |state| state.started < before + spawned);
    spawned
}

/// Has every task open the file.
fn open_all(shared: &Shared) -> String {
    let mut state = shared.lock();
    state.orders += 1;
    state.granted = 0;
    state.refused = 0;
    shared.changed.notify_all();
    let state = shared
        .changed
        .wait_while(state, |state| state.granted + state.refused < state.started)
        .unwrap_or_else(PoisonError::into_inner);
    format!("granted {} refused {}", state.granted, state.refused)
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a task does.
    fn follow(&self) {
        let mut state = self.lock();
        state.started += 1;
        let mut done = state.orders;
        self.changed.notify_all();
        loop {
            state = self
                .changed
                .wait_while(state, |state| state.orders == done)
                .unwrap_or_else(PoisonError::into_inner);
            done = state.orders;
            drop(state);
            let opened = open(&self.file, OFlags::RDONLY, Mode::empty()).map(drop);
            state = self.lock();
            match opened {
                Ok(()) => state.granted += 1,
                Err(Errno::ACCESS) => state.refused += 1,
                Err(errno) => panic!("neither granted nor refused: {errno}"),
            }
            self.changed.notify_all();
        }
    }
}
