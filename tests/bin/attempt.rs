//! Does one thing and exits with the errno that came of it, 0 for none.
//!
//! `attempt WHAT ARGS…`; exit status 125 if that makes no sense.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, BufRead as _, Write as _},
    os::unix::{ffi::OsStrExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, ExitCode},
};

use rustix::{
    fs::{CWD, MemfdFlags, Mode, OFlags},
    io::Errno,
    process,
};

/// The arguments make no sense.
const SENSELESS: u8 = 125;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let args: Vec<&Path> = args.iter().map(Path::new).collect();
    let Some((what, args)) = args.split_first() else {
        return ExitCode::from(SENSELESS);
    };
    match attempt(what.to_str().unwrap_or(""), args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(errno) => ExitCode::from(errno.map_or(SENSELESS, |errno| {
            u8::try_from(errno.raw_os_error()).unwrap_or(SENSELESS)
        })),
    }
}

/// `Err(None)`: the arguments make no sense.
fn attempt(what: &str, args: &[&Path]) -> Result<(), Option<Errno>> {
    let flags = match (what, args) {
        ("read" | "list", [_]) => OFlags::RDONLY,
        ("write", [_]) => OFlags::WRONLY,
        ("read-write", [_]) => OFlags::RDWR,
        ("append", [_]) => OFlags::WRONLY | OFlags::APPEND,
        ("truncate", [_]) => OFlags::RDONLY | OFlags::TRUNC,
        ("append-truncate", [_]) => OFlags::WRONLY | OFlags::APPEND | OFlags::TRUNC,
        ("create", [_]) => OFlags::WRONLY | OFlags::CREATE,
        ("create-append", [_]) => OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND,
        ("create-read", [_]) => OFlags::RDONLY | OFlags::CREATE,
        ("tmpfile", [_]) => OFlags::WRONLY | OFlags::TMPFILE,
        _ => return other(what, args).map_err(Some),
    };
    let [path] = args else { return Err(None) };
    rustix::fs::open(*path, flags, Mode::from_raw_mode(0o644))
        .map(drop)
        .map_err(Some)
}

fn other(what: &str, args: &[&Path]) -> Result<(), Errno> {
    match (what, args) {
        // Names the file without the right to it, then asks for the right.
        ("reopen", [path]) => {
            let named = rustix::fs::open(*path, OFlags::PATH, Mode::empty())?;
            let again = format!("/proc/self/fd/{}", fd_number(&named));
            rustix::fs::open(again, OFlags::RDONLY, Mode::empty()).map(drop)
        }
        ("openat", [folder, name]) => {
            let folder = rustix::fs::open(*folder, OFlags::PATH, Mode::empty())?;
            rustix::fs::openat(&folder, *name, OFlags::RDONLY, Mode::empty()).map(drop)
        }
        ("read-in", [folder, name]) => {
            process::chdir(*folder)?;
            rustix::fs::open(*name, OFlags::RDONLY, Mode::empty()).map(drop)
        }
        ("chroot-read", [root, path]) => {
            process::chroot(*root)?;
            rustix::fs::open(*path, OFlags::RDONLY, Mode::empty()).map(drop)
        }
        ("fifo", [path]) => rustix::fs::mknodat(
            CWD,
            *path,
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        ),
        ("pipe-reopen", []) => {
            let (read, _write) = rustix::pipe::pipe()?;
            let again = format!("/proc/self/fd/{}", fd_number(&read));
            rustix::fs::open(again, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()).map(drop)
        }
        ("memfd-exec", [program]) => memfd_exec(program),
        ("exec", [program, rest @ ..]) => Err(failed(&Command::new(program).args(rest).exec())),
        ("fork-exec", [program, rest @ ..]) => {
            let status = Command::new(program)
                .args(rest)
                .status()
                .map_err(|err| failed(&err))?;
            match status.code() {
                Some(0) => Ok(()),
                Some(code) => Err(Errno::from_raw_os_error(code)),
                None => Err(Errno::INTR),
            }
        }
        ("read-thread", [path]) => {
            let path = path.to_path_buf();
            std::thread::spawn(move || fs::File::open(path).map(drop))
                .join()
                .map_err(|_panic| Errno::INTR)?
                .map_err(|err| failed(&err))
        }
        ("read-when-told", [path]) => {
            // One line: go on; so that the test can change things meanwhile.
            println!("ready");
            let mut line = String::new();
            io::stdin()
                .read_line(&mut line)
                .map_err(|err| failed(&err))?;
            fs::File::open(path).map(drop).map_err(|err| failed(&err))
        }
        ("read-many", []) => read_many().map_err(|err| failed(&err)),
        ("read-storm", [path, rounds]) => read_storm(path, rounds),
        _ => Err(Errno::from_raw_os_error(i32::from(SENSELESS))),
    }
}

fn fd_number(fd: &impl std::os::fd::AsRawFd) -> i32 {
    fd.as_raw_fd()
}

fn failed(err: &io::Error) -> Errno {
    Errno::from_io_error(err).unwrap_or(Errno::INTR)
}

/// Runs a copy of `program` that has no name.
fn memfd_exec(program: &Path) -> Result<(), Errno> {
    let contents = fs::read(program).map_err(|err| failed(&err))?;
    let memory = rustix::fs::memfd_create("copy", MemfdFlags::empty())?;
    let mut file = fs::File::from(memory);
    file.write_all(&contents).map_err(|err| failed(&err))?;
    let path = format!("/proc/self/fd/{}", fd_number(&file));
    Err(failed(&Command::new(path).exec()))
}

/// Opens each path that stdin names, one a line, and writes its errno.
fn read_many() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        let path = Path::new(std::ffi::OsStr::from_bytes(&line));
        let errno = match fs::File::open(path) {
            Ok(_) => 0,
            Err(err) => err.raw_os_error().unwrap_or(-1),
        };
        writeln!(out, "{errno}")?;
    }
    out.flush()
}

/// Opens a path again and again while others rename things. `EBADMSG` if what
/// it once got says `secret`.
fn read_storm(path: &Path, rounds: &Path) -> Result<(), Errno> {
    let rounds: u32 = rounds
        .to_str()
        .and_then(|text| text.parse().ok())
        .ok_or(Errno::INVAL)?;
    for _ in 0..rounds {
        if fs::read(path).is_ok_and(|contents| contents == b"secret") {
            return Err(Errno::BADMSG);
        }
    }
    Ok(())
}
