//! The confined reader.

use std::{
    error::Error,
    io,
    os::fd::OwnedFd,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags, open, openat},
    io::{Errno, read},
};
use serde_json::{Value, json};

use crate::{
    board::Board,
    scene::{Found, Outcome, Scene, Start, Try},
};

/// How long a folder may take to be found under the name that it now and then
/// has.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest contents of a file, in bytes.
const CONTENTS: usize = 64;

/// What came of all rounds.
#[derive(Default)]
pub(crate) struct Tally {
    rounds: u64,
    /// Rounds in which nothing changed, so that only one outcome was right.
    certain: u64,
    reads: u64,
    refused: u64,
    missing: u64,
    changes: u64,
    time: Duration,
}

impl Tally {
    /// For the test.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "rounds": self.rounds,
            "certain": self.certain,
            "reads": self.reads,
            "refused": self.refused,
            "missing": self.missing,
            "changes": self.changes,
            "seconds": self.time.as_secs_f64(),
        })
    }
}

/// Opens, and compares with what has to come of it.
pub(crate) fn run(scene: &Scene, folder: &Path, rounds: u64) -> Result<Tally, Box<dyn Error>> {
    let board = Board::to_read(folder)?;
    let tries = scene
        .tries
        .iter()
        .map(|one| Ok((start(folder, &one.from)?, one)))
        .collect::<io::Result<Vec<(OwnedFd, &Try)>>>()?;
    let start = Instant::now();
    let first = board.number();
    let mut tally = Tally::default();
    for (from, one) in tries.iter().cycle() {
        if tally.rounds == rounds {
            break;
        }
        let before = board.number();
        let found = look(from, one.path);
        let after = board.number();
        let state = (before == after && before % 2 == 0)
            .then(|| usize::try_from(before / 2).map(|changes| changes % scene.changes.len()))
            .transpose()?;
        if !one.permits(&found, state) {
            return Err(wrong(&tally, one, &found, state, after - before).into());
        }
        tally.rounds += 1;
        tally.certain += u64::from(state.is_some());
        tally.reads += u64::from(matches!(found, Found::Contents(_)));
        tally.refused += u64::from(found.is(Outcome::Refused));
        tally.missing += u64::from(found.is(Outcome::Missing));
    }
    tally.time = start.elapsed();
    tally.changes = (board.number() - first) / 2;
    Ok(tally)
}

/// The folder where a path starts. Naming a folder takes no right.
fn start(folder: &Path, from: &Start) -> io::Result<OwnedFd> {
    let path = match from {
        Start::Top => folder.to_owned(),
        Start::Held(name) => folder.join(name),
    };
    let begin = Instant::now();
    loop {
        match open(&path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()) {
            Ok(held) => return Ok(held),
            Err(Errno::NOENT) if begin.elapsed() < PATIENCE => thread::yield_now(),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Opens a file, and reads it.
fn look(from: &OwnedFd, path: &str) -> Found {
    let mut contents = [0; CONTENTS];
    let len = openat(from, path, OFlags::RDONLY, Mode::empty())
        .and_then(|file| read(&file, &mut contents));
    match len {
        Ok(len) => Found::Contents(contents[..len].to_vec()),
        Err(errno) => Found::Errno(errno),
    }
}

/// Tells of an outcome that must not be.
fn wrong(tally: &Tally, one: &Try, found: &Found, state: Option<usize>, steps: u64) -> String {
    let from = match one.from {
        Start::Top => String::new(),
        Start::Held(name) => format!(" from what was {name}"),
    };
    let found = match found {
        Found::Contents(contents) => format!("read {:?}", String::from_utf8_lossy(contents)),
        Found::Errno(errno) => format!("failed: {errno}"),
    };
    let when = match state {
        Some(state) => format!("in state {state}"),
        None => format!("while {steps} steps of changes were made"),
    };
    let round = tally.rounds;
    format!("round {round}: {}{from} {found}, {when}", one.path)
}
