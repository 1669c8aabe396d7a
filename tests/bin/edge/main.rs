//! Goes to where the programs can hardly follow, and tries something there.
//!
//! `edge WHAT ARGS…`; the exit status is the errno of the last step, 0 for none,
//! and 125 if the arguments make no sense or an earlier step failed, of which
//! stderr tells.
//!
//! - [`tasks`]: many tasks at once
//! - [`opens`]: opens of many files
//! - [`orders`]: one thing after the other, as it is told
//! - [`raw`]: system calls that no safe library has

mod opens;
mod orders;
mod raw;
mod tasks;

use std::{
    env,
    error::Error,
    ffi::{OsStr, OsString},
    io::{self, BufRead as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, Timestamps, mkdir, open, rename, unlink, utimensat},
    io::{Errno, dup},
    process::{Resource, Rlimit, chdir, setrlimit},
    time::Timespec,
};

/// Nothing was tried.
const SENSELESS: u8 = 125;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let args: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
    match attempt(&args) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(errno)) => u8::try_from(errno.raw_os_error()).map_or(ExitCode::FAILURE, Into::into),
        Err(err) => {
            eprintln!("edge: {err}");
            SENSELESS.into()
        }
    }
}

/// What came of the last step.
type Tried = Result<(), Errno>;

fn attempt(args: &[&OsStr]) -> Result<Tried, Box<dyn Error>> {
    let (what, args) = args.split_first().ok_or("say what")?;
    Ok(match (what.to_str().unwrap_or(""), args) {
        ("read", [path]) => read(path),
        // In the folder `name` of the folder `name` …, `count` times.
        ("read-beneath", [folder, name, count, file]) => {
            chdir(*folder)?;
            for _ in 0..number(count)? {
                chdir(*name)?;
            }
            read(file)
        }
        // In a folder to which things happen meanwhile.
        ("read-when-told", [folder, file]) => {
            wait_in(folder)?;
            read(file)
        }
        ("touch-when-told", [folder, file]) => {
            wait_in(folder)?;
            touch(file)
        }
        // Until it is refused, `count` times at most.
        ("read-again-when-told", [folder, file, count]) => {
            wait_in(folder)?;
            (0..number(count)?).try_for_each(|_| read(file))
        }
        ("read-in-new-namespace", [file]) => {
            raw::unshare_mounts()?;
            read(file)
        }
        ("touch", [path]) => touch(path),
        ("remove", [path]) => unlink(*path),
        ("make-folder", [path]) => mkdir(*path, Mode::RWXU),
        ("make-file", [path]) => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
            open(*path, flags, Mode::RUSR | Mode::WUSR).map(drop)
        }
        ("rename", [old, new]) => rename(*old, *new),
        ("message-queue", [name]) => raw::message_queue(name),
        ("exec-traced", [program, args @ ..]) => {
            raw::ask_to_be_traced()?;
            exec(program, args)
        }
        // With as many more descriptors.
        ("exec-with-descriptors", [count, program, args @ ..]) => {
            have_descriptors(number(count)?)?;
            exec(program, args)
        }
        ("opens", []) => {
            opens::serve()?;
            Ok(())
        }
        ("tasks", [file]) => {
            tasks::serve(Path::new(file))?;
            Ok(())
        }
        _ => return orders::attempt(what, args),
    })
}

fn number(text: &OsStr) -> Result<u32, Box<dyn Error>> {
    Ok(text.to_str().ok_or("not a number")?.parse()?)
}

fn read(path: &OsStr) -> Tried {
    open(path, OFlags::RDONLY, Mode::empty()).map(drop)
}

/// Sets the times of a file, without opening it.
fn touch(path: &OsStr) -> Tried {
    let time = Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::empty())
}

/// Goes to a folder, says so, and waits for a line.
fn wait_in(folder: &OsStr) -> Result<(), Box<dyn Error>> {
    chdir(folder)?;
    println!("ready");
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

fn exec(program: &OsStr, args: &[&OsStr]) -> Tried {
    let err = Command::new(program).args(args).exec();
    Err(Errno::from_io_error(&err).unwrap_or(Errno::INVAL))
}

/// Has `count` more descriptors, which stay open over an exec.
fn have_descriptors(count: u32) -> Result<(), Box<dyn Error>> {
    let limit = Some(u64::from(count) + 64);
    let limits = Rlimit {
        current: limit,
        maximum: limit,
    };
    setrlimit(Resource::Nofile, limits)?;
    for _ in 0..count {
        let copy = dup(io::stdin())?;
        std::mem::forget(copy);
    }
    Ok(())
}
