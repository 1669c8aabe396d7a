//! One thing after another in one process.

use std::{
    fs,
    io::{self, BufRead as _},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    thread,
};

use rustix::io::Errno;

use crate::{Attempt, failed, status};

/// Threads that do system calls as fast as they can.
const THREADS: usize = 2;
/// System calls that each has to have done before and after the violation.
const ROUNDS: u32 = 100;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("obey", []) => obey().map_err(|err| failed(&err)),
        ("spin", [folder, secret]) => spin(folder, secret),
        _ => return None,
    })
}

/// Does what each line of stdin says, and answers with its errno.
fn obey() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&Path> = line.split(' ').map(Path::new).collect();
        println!("{}", status(&words));
    }
    Ok(())
}

/// Makes files in a folder in several threads until well after `secret` was refused, and
/// then in this one. `EBADMSG` if one was made by a call that began after that refusal;
/// `ENOMSG` if nothing was made before it, or nothing was refused.
fn spin(folder: &Path, secret: &Path) -> Result<(), Errno> {
    let is_over = AtomicBool::new(false);
    let [before, late] = [AtomicU32::new(0), AtomicU32::new(0)];
    let make = |name: &str| fs::write(folder.join(name), "x").is_ok();
    let spinning = |name: String| {
        let mut after = 0;
        while after < ROUNDS {
            // Read first: what begins now began after it.
            let was_over = is_over.load(SeqCst);
            let is_made = make(&name);
            match (was_over, is_made) {
                (true, true) => drop(late.fetch_add(1, SeqCst)),
                (false, true) => drop(before.fetch_add(1, SeqCst)),
                _ => {}
            }
            after += u32::from(was_over);
        }
    };
    let mut was_refused = false;
    thread::scope(|scope| {
        for number in 0..THREADS {
            scope.spawn(move || spinning(format!("spinning-{number}")));
        }
        while before.load(SeqCst) < ROUNDS {
            thread::yield_now();
        }
        was_refused = fs::read(secret).is_err();
        is_over.store(true, SeqCst);
        if make("own") {
            late.fetch_add(1, SeqCst);
        }
    });
    match (was_refused, late.into_inner()) {
        (false, _) => Err(Errno::NOMSG),
        (true, 0) => Ok(()),
        (true, _) => Err(Errno::BADMSG),
    }
}
