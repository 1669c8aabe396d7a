//! One thing after another in one process.

use std::{
    cell::RefCell,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, Read as _, Write as _},
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use rustix::{
    io::Errno,
    process::{Signal, set_parent_process_death_signal},
};

use crate::{Attempt, failed, raw, status};

/// Threads that do system calls as fast as they can.
const THREADS: usize = 2;
/// System calls that each has to have done before and after the violation.
const ROUNDS: u32 = 100;

thread_local! {
    /// A thread that does nothing until it is told, and its answer.
    static IDLE: RefCell<Option<(Sender<()>, Receiver<io::Result<()>>)>> = const { RefCell::new(None) };
}

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("obey", []) => obey().map_err(|err| failed(&err)),
        ("spin", [folder, secret]) => spin(folder, secret),
        ("have-thread", [file]) => {
            IDLE.set(Some(idle(file)));
            Ok(())
        }
        ("thread-writes", []) => IDLE.with_borrow(|idle| {
            let (order, answer) = idle.as_ref().ok_or(Errno::SRCH)?;
            order.send(()).map_err(|_gone| Errno::SRCH)?;
            let answer = answer.recv().map_err(|_gone| Errno::SRCH)?;
            answer.map_err(|err| failed(&err))
        }),
        ("many-read", [count, secret]) => count
            .to_str()
            .and_then(|count| count.parse().ok())
            .ok_or(Errno::INVAL)
            .and_then(|count| many_read(count, secret)),
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

/// Starts a thread that opens a file for writing when it is told.
fn idle(file: &Path) -> (Sender<()>, Receiver<io::Result<()>>) {
    let ((order, ordered), (tell, answer)) = (channel(), channel());
    let file = file.to_owned();
    thread::spawn(move || {
        while let Ok(()) = ordered.recv() {
            let opened = OpenOptions::new().write(true).open(&file).map(drop);
            if tell.send(opened).is_err() {
                break;
            }
        }
    });
    (order, answer)
}

/// Starts so many processes, each of which reads `secret` and lives as long as this one.
/// `EBADMSG` if one of them could.
fn many_read(count: usize, secret: &Path) -> Result<(), Errno> {
    let (mut told, tell) = io::pipe().map_err(|err| failed(&err))?;
    for _ in 0..count {
        raw::start(|| {
            let dies = set_parent_process_death_signal(Some(Signal::KILL));
            let could = u8::from(File::open(secret).is_ok());
            if dies.is_ok() && (&tell).write_all(&[could]).is_ok() {
                loop {
                    thread::park();
                }
            }
            1
        })?;
    }
    let mut could = vec![0; count];
    told.read_exact(&mut could).map_err(|err| failed(&err))?;
    if could.contains(&1) {
        return Err(Errno::BADMSG);
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
