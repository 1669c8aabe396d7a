//! Opening files, by every way to them.

use std::{
    fs,
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, MemfdFlags, Mode, OFlags, ResolveFlags},
    io::Errno,
    net::SocketType,
    process::{self, Pid, PidfdFlags, WaitOptions},
    pty::OpenptFlags,
};

use crate::{Attempt, failed, proc_path, raw, sockets};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    let [path] = args else {
        return in_folder(what, args);
    };
    let flags = match what {
        "read" | "list" => OFlags::RDONLY,
        "write" => OFlags::WRONLY,
        "read-write" => OFlags::RDWR,
        "append" => OFlags::WRONLY | OFlags::APPEND,
        "truncate" => OFlags::RDONLY | OFlags::TRUNC,
        "append-truncate" => OFlags::WRONLY | OFlags::APPEND | OFlags::TRUNC,
        "create" => OFlags::WRONLY | OFlags::CREATE,
        "create-new" => OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL,
        "create-append" => OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND,
        "create-read" => OFlags::RDONLY | OFlags::CREATE,
        "tmpfile" => OFlags::WRONLY | OFlags::TMPFILE,
        "read-no-wait" => OFlags::RDONLY | OFlags::NONBLOCK,
        "name" => OFlags::PATH,
        _ => return by_path(what, path),
    };
    Some(open(path, flags).map(drop))
}

/// Opens a path.
pub(crate) fn open(path: impl AsRef<Path>, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mode = Mode::from_raw_mode(if flags.contains(OFlags::PATH) {
        0
    } else {
        0o644
    });
    rustix::fs::open(path.as_ref(), flags, mode)
}

fn by_path(what: &str, path: &Path) -> Attempt {
    Some(match what {
        "reopen" => named(path).and_then(|named| read(proc_path(&named))),
        "reopen-by-thread" => named(path).and_then(|named| {
            let name = proc_path(&named).replace("self", "thread-self");
            read(name)
        }),
        "reopen-by-device" => {
            named(path).and_then(|named| read(proc_path(&named).replace("/proc/self", "/dev")))
        }
        "reopen-to-write" => open(path, OFlags::RDONLY)
            .and_then(|file| open(proc_path(&file), OFlags::WRONLY).map(drop)),
        "reopen-unlinked" => reopen_unlinked(path),
        "reopen-by-map" => reopen_by_map(path),
        "reopen-made" => return reopen_made(path),
        "by-handle" => by_handle(path),
        "read-own" => read(status_of(path, process::getpid())),
        "read-child" => read_child(path),
        "openat2" => openat2(CWD.as_fd(), path, ResolveFlags::empty()),
        "openat2-no-links" => openat2(CWD.as_fd(), path, ResolveFlags::NO_SYMLINKS),
        "openat2-one-mount" => openat2(CWD.as_fd(), path, ResolveFlags::NO_XDEV),
        "openat2-cached" => openat2(CWD.as_fd(), path, ResolveFlags::CACHED),
        "openat2-create" => rustix::fs::openat2(
            CWD,
            path,
            OFlags::WRONLY | OFlags::CREATE,
            Mode::from_raw_mode(0o644),
            ResolveFlags::empty(),
        )
        .map(drop),
        "openat2-write" => rustix::fs::openat2(
            CWD,
            path,
            OFlags::WRONLY,
            Mode::empty(),
            ResolveFlags::empty(),
        )
        .map(drop),
        "read-thread" => {
            let path = path.to_path_buf();
            std::thread::spawn(move || fs::File::open(path).map(drop))
                .join()
                .map_err(|_panic| Errno::INTR)
                .and_then(|opened| opened.map_err(|err| failed(&err)))
        }
        _ => return None,
    })
}

/// Ways that begin in a folder.
fn in_folder(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("openat", [folder, name]) => openat(folder, name, OFlags::RDONLY).map(drop),
        ("createat", [folder, name]) => {
            openat(folder, name, OFlags::WRONLY | OFlags::CREATE).map(drop)
        }
        ("openat2-beneath", [folder, name]) => {
            named(folder).and_then(|folder| openat2(folder.as_fd(), name, ResolveFlags::BENEATH))
        }
        ("openat2-in-root", [folder, name]) => {
            named(folder).and_then(|folder| openat2(folder.as_fd(), name, ResolveFlags::IN_ROOT))
        }
        ("through-descriptor", [folder, name]) => {
            named(folder).and_then(|folder| read(Path::new(&proc_path(&folder)).join(name)))
        }
        ("read-in", [folder, name]) => process::chdir(*folder).and_then(|()| read(name)),
        ("read-in-descriptor", [folder, name]) => named(folder)
            .and_then(|folder| process::fchdir(&folder))
            .and_then(|()| read(name)),
        ("chroot-read", [root, path]) => process::chroot(*root).and_then(|()| read(path)),
        ("terminal-peer", []) => terminal_peer(),
        ("pipe-reopen", []) => pipe_reopen(),
        _ => return None,
    })
}

fn read(path: impl AsRef<Path>) -> Result<(), Errno> {
    open(path, OFlags::RDONLY).map(drop)
}

/// An identity without rights.
pub(crate) fn named(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, OFlags::PATH)
}

fn openat(folder: &Path, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(named(folder)?, name, flags, Mode::from_raw_mode(0o644))
}

fn openat2(
    folder: std::os::fd::BorrowedFd<'_>,
    path: &Path,
    resolve: ResolveFlags,
) -> Result<(), Errno> {
    rustix::fs::openat2(folder, path, OFlags::RDONLY, Mode::empty(), resolve).map(drop)
}

/// Opens again, for more, a file that has no name any more.
fn reopen_unlinked(path: &Path) -> Result<(), Errno> {
    let file = open(path, OFlags::RDONLY)?;
    rustix::fs::unlink(path)?;
    open(proc_path(&file), OFlags::WRONLY).map(drop)
}

/// Opens a file again, for more, by the memory that it is mapped to.
fn reopen_by_map(path: &Path) -> Result<(), Errno> {
    let file = open(path, OFlags::RDONLY)?;
    let length = 4096;
    let memory = raw::Mapping::new(
        Some(file.as_fd()),
        length,
        libc::PROT_READ,
        libc::MAP_PRIVATE,
    )?;
    let start = memory.address();
    let end = start + 4096;
    open(
        format!("/proc/self/map_files/{start:x}-{end:x}"),
        OFlags::WRONLY,
    )
    .map(drop)
}

/// Makes something that has no name, and opens it again.
fn reopen_made(what: &Path) -> Attempt {
    let made = match what.to_str()? {
        "memory" => rustix::fs::memfd_create("made", MemfdFlags::empty()),
        "pipe" => return Some(pipe_reopen()),
        "namespace" => open("/proc/self/ns/mnt", OFlags::RDONLY),
        "process" => process::pidfd_open(process::getpid(), PidfdFlags::empty()),
        "socket" => sockets::socket(SocketType::STREAM),
        "event" => raw::open(libc::SYS_eventfd2, [0.into(), 0.into()]),
        _ => return None,
    };
    Some(made.and_then(|made| read(proc_path(&made))))
}

/// A file that a procfs has of each process.
fn status_of(proc: &Path, process: Pid) -> PathBuf {
    proc.join(process.as_raw_nonzero().to_string())
        .join("status")
}

/// Reads about a child, which waits meanwhile.
fn read_child(proc: &Path) -> Result<(), Errno> {
    let (wait, done) = rustix::pipe::pipe()?;
    let child = raw::start(|| u8::from(rustix::io::read(&wait, &mut [0]).is_err()))?;
    let found = read(status_of(proc, child));
    rustix::io::write(done, b"x")?;
    process::waitpid(Some(child), WaitOptions::empty())?;
    found
}

/// Opens a file by its number in the file system, without its name.
fn by_handle(path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    // `struct file_handle`: room, type, bytes.
    let mut handle = [0_u8; 8 + 128];
    handle[..4].copy_from_slice(&128_u32.to_ne_bytes());
    let mut mount = [0_u8; 4];
    let args = [
        raw::here().into(),
        (&path).into(),
        handle.as_mut_slice().into(),
        mount.as_mut_slice().into(),
        0.into(),
    ];
    raw::call(libc::SYS_name_to_handle_at, args)?;
    let args = [
        raw::here().into(),
        handle.as_mut_slice().into(),
        libc::O_RDONLY.into(),
    ];
    raw::open(libc::SYS_open_by_handle_at, args).map(drop)
}

/// Opens the other side of a new terminal without its name.
fn terminal_peer() -> Result<(), Errno> {
    let terminal = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::pty::unlockpt(&terminal)?;
    rustix::pty::ioctl_tiocgptpeer(&terminal, OpenptFlags::RDWR | OpenptFlags::NOCTTY).map(drop)
}

fn pipe_reopen() -> Result<(), Errno> {
    let (read, _write) = rustix::pipe::pipe()?;
    open(proc_path(&read), OFlags::RDONLY | OFlags::NONBLOCK).map(drop)
}
