//! `io_uring`: the kernel does it later, perhaps in another thread.
//!
//! - [`ring`]: a ring and a request

mod ring;

use std::{
    ffi::CString,
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{OFlags, Uid},
    io::Errno,
    net::SocketType,
};

use crate::{Attempt, descriptors, number, open, raw, sockets};
use ring::{Request, Ring};

/// From `include/uapi/linux/io_uring.h`.
mod opcode {
    pub(super) const POLL_ADD: u8 = 6;
    pub(super) const SENDMSG: u8 = 9;
    pub(super) const RECVMSG: u8 = 10;
    pub(super) const CONNECT: u8 = 16;
    pub(super) const OPENAT: u8 = 18;
    pub(super) const STATX: u8 = 21;
    pub(super) const OPENAT2: u8 = 28;
    pub(super) const RENAMEAT: u8 = 35;
    pub(super) const UNLINKAT: u8 = 36;
    pub(super) const MKDIRAT: u8 = 37;
    pub(super) const SYMLINKAT: u8 = 38;
    pub(super) const LINKAT: u8 = 39;
    pub(super) const SETXATTR: u8 = 42;
    pub(super) const FTRUNCATE: u8 = 55;
    pub(super) const BIND: u8 = 56;
}

/// Only when all before it is done.
const IOSQE_IO_DRAIN: u8 = 1 << 1;
/// By a worker, and not as far as it goes at once.
const IOSQE_ASYNC: u8 = 1 << 4;
const IORING_SETUP_SQPOLL: u32 = 1 << 1;
const IORING_REGISTER_PERSONALITY: u32 = 9;
const AT_FDCWD: i32 = libc::AT_FDCWD;

fn run(request: Request) -> Result<(), Errno> {
    Ring::new(0)?.run(request).map(drop)
}

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match args {
        [] => match what {
            "uring-setup" => run(Request::default()),
            "uring-polled" => Ring::new(IORING_SETUP_SQPOLL).map(drop),
            "uring-as-somebody" => as_somebody(),
            _ => return None,
        },
        [path] => return on_path(what, path),
        [old, new] => match what {
            "uring-open-by-worker-as" => open_by_worker_as(old, new),
            "uring-rename" => on_two(opcode::RENAMEAT, old, new),
            "uring-link" => on_two(opcode::LINKAT, old, new),
            "uring-symlink" => symlink(old, new),
            _ => return None,
        },
        _ => return None,
    })
}

fn on_path(what: &str, path: &Path) -> Attempt {
    let open = Request {
        opcode: opcode::OPENAT,
        operation_flags: OFlags::RDONLY.bits(),
        ..Request::default()
    };
    Some(match what {
        "uring-open" => at(open, path),
        "uring-open-by-worker" => at(
            Request {
                flags: IOSQE_ASYNC,
                ..open
            },
            path,
        ),
        "uring-open-put-off" => open_put_off(open, path),
        "uring-open-polled" => Ring::new(IORING_SETUP_SQPOLL)
            .and_then(|ring| with_path(open, path, |request| ring.run(request).map(drop))),
        "uring-create" => at(
            Request {
                operation_flags: (OFlags::WRONLY | OFlags::CREATE).bits(),
                length: 0o644,
                ..open
            },
            path,
        ),
        "uring-openat2" => openat2(path),
        "uring-unlink" => at(of(opcode::UNLINKAT), path),
        "uring-unlink-by-worker" => at(
            Request {
                flags: IOSQE_ASYNC,
                ..of(opcode::UNLINKAT)
            },
            path,
        ),
        "uring-rmdir" => at(
            Request {
                operation_flags: libc::AT_REMOVEDIR.cast_unsigned(),
                ..of(opcode::UNLINKAT)
            },
            path,
        ),
        "uring-mkdir" => at(
            Request {
                length: 0o755,
                ..of(opcode::MKDIRAT)
            },
            path,
        ),
        "uring-statx" => statx(path),
        "uring-setxattr" => setxattr(path, run),
        "uring-setxattr-by-old-worker" => setxattr(path, |request| {
            by_worker_from_before(same_capabilities, request)
        }),
        "uring-truncate" => truncate(path),
        "uring-connect" => connect(opcode::CONNECT, path),
        "uring-bind" => connect(opcode::BIND, path),
        "uring-send-message" => send_message(path),
        "uring-receive" => receive(path),
        _ => return None,
    })
}

/// Does something by a worker that this process had before it has credentials that
/// are newer.
fn by_worker_from_before(
    renew: impl FnOnce() -> Result<(), Errno>,
    request: Request,
) -> Result<(), Errno> {
    let ring = Ring::new(0)?;
    let run = |request: Request| {
        let flags = IOSQE_ASYNC;
        ring.run(Request { flags, ..request }).map(drop)
    };
    with_path(of(opcode::OPENAT), Path::new("/dev/null"), run)?;
    renew()?;
    run(request)
}

/// Opens a file as another user.
fn open_by_worker_as(user: &Path, path: &Path) -> Result<(), Errno> {
    let user = Uid::from_raw(number(user)?);
    let renew = || rustix::thread::set_thread_res_uid(user, user, user);
    with_path(of(opcode::OPENAT), path, |request| {
        by_worker_from_before(renew, request)
    })
}

/// Has a file opened by this process itself, with credentials of before: the kernel puts it
/// off until something else is done.
fn open_put_off(open: Request, path: &Path) -> Result<(), Errno> {
    let ring = Ring::new(0)?;
    let (wait, go) = rustix::pipe::pipe()?;
    ring.ask(Request {
        fd: wait.as_raw_fd(),
        operation_flags: u32::from(libc::POLLIN.unsigned_abs()),
        ..of(opcode::POLL_ADD)
    })?;
    let flags = IOSQE_IO_DRAIN;
    with_path(Request { flags, ..open }, path, |request| {
        ring.ask(request)?;
        same_capabilities()?;
        rustix::io::write(&go, b"x")?;
        ring.wait()?;
        ring.wait().map(drop)
    })
}

/// A ring, by its descriptor.
pub(crate) fn ring() -> Result<OwnedFd, Errno> {
    Ring::new(0).map(|ring| ring.fd)
}

/// Has the capabilities that it has, by new credentials, which anybody may.
fn same_capabilities() -> Result<(), Errno> {
    let same = rustix::thread::capabilities(None)?;
    rustix::thread::set_capabilities(None, same)
}

fn of(opcode: u8) -> Request {
    Request {
        opcode,
        ..Request::default()
    }
}

/// The address of something that outlives the request.
fn address<T>(pointer: *const T) -> u64 {
    raw::address(pointer).cast_unsigned()
}

fn with_path(
    request: Request,
    path: &Path,
    then: impl FnOnce(Request) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let path: CString = raw::text(path)?;
    then(Request {
        fd: AT_FDCWD,
        address: address(path.as_ptr()),
        ..request
    })
}

fn at(request: Request, path: &Path) -> Result<(), Errno> {
    with_path(request, path, run)
}

fn on_two(opcode: u8, old: &Path, new: &Path) -> Result<(), Errno> {
    let new = raw::text(new)?;
    at(
        Request {
            length: AT_FDCWD.cast_unsigned(),
            offset: address(new.as_ptr()),
            ..of(opcode)
        },
        old,
    )
}

fn symlink(target: &Path, new: &Path) -> Result<(), Errno> {
    let new = raw::text(new)?;
    at(
        Request {
            offset: address(new.as_ptr()),
            ..of(opcode::SYMLINKAT)
        },
        target,
    )
}

fn openat2(path: &Path) -> Result<(), Errno> {
    // `struct open_how`: flags, mode, resolve.
    let how = raw::fields(&[0, 0, 0]);
    at(
        Request {
            length: 24,
            offset: address(how.as_ptr()),
            ..of(opcode::OPENAT2)
        },
        path,
    )
}

fn statx(path: &Path) -> Result<(), Errno> {
    let mut found = [0_u8; 256];
    at(
        Request {
            length: libc::STATX_BASIC_STATS,
            offset: address(found.as_mut_ptr().cast_const()),
            ..of(opcode::STATX)
        },
        path,
    )
}

fn setxattr(path: &Path, then: impl FnOnce(Request) -> Result<(), Errno>) -> Result<(), Errno> {
    let (path, name) = (raw::text(path)?, raw::text(Path::new("trusted.enforcer"))?);
    let value = *b"x";
    then(Request {
        address: address(name.as_ptr()),
        offset: address(value.as_ptr()),
        length: 1,
        third: address(path.as_ptr()),
        ..of(opcode::SETXATTR)
    })
}

fn truncate(path: &Path) -> Result<(), Errno> {
    let file = open::open(path, OFlags::WRONLY | OFlags::APPEND)?;
    run(Request {
        fd: file.as_raw_fd(),
        offset: 1,
        ..of(opcode::FTRUNCATE)
    })
}

/// `struct sockaddr_un`, and its length.
fn socket_address(path: &Path) -> Result<([u8; 110], u64), Errno> {
    let text = raw::text(path)?;
    let text = text.as_bytes_with_nul();
    let family = u16::try_from(libc::AF_UNIX).map_err(|_number| Errno::INVAL)?;
    let mut address = [0; 110];
    address[..2].copy_from_slice(&family.to_ne_bytes());
    address
        .get_mut(2..2 + text.len())
        .ok_or(Errno::NAMETOOLONG)?
        .copy_from_slice(text);
    Ok((address, 2 + text.len() as u64))
}

fn connect(opcode: u8, path: &Path) -> Result<(), Errno> {
    let (name, length) = socket_address(path)?;
    let socket = sockets::socket(SocketType::STREAM)?;
    run(Request {
        fd: socket.as_raw_fd(),
        address: address(name.as_ptr()),
        offset: length,
        ..of(opcode)
    })
}

fn send_message(path: &Path) -> Result<(), Errno> {
    let (name, length) = socket_address(path)?;
    let text = *b"x";
    let parts = raw::fields(&[address(text.as_ptr()), 1]);
    // `struct msghdr`: name, parts, control and flags.
    let message = raw::fields(&[
        address(name.as_ptr()),
        length,
        address(parts.as_ptr()),
        1,
        0,
        0,
        0,
    ]);
    let socket = sockets::socket(SocketType::DGRAM)?;
    run(Request {
        fd: socket.as_raw_fd(),
        address: address(message.as_ptr()),
        length: 1,
        ..of(opcode::SENDMSG)
    })
}

/// Receives a descriptor. `EBADF`: the message came without one.
fn receive(path: &Path) -> Result<(), Errno> {
    let socket = descriptors::connect(path)?;
    let mut text = [0_u8; 8];
    let parts = raw::fields(&[address(text.as_mut_ptr().cast_const()), 8]);
    let mut control = [0_u64; 4];
    let control_at = address(control.as_mut_ptr().cast_const());
    let message = raw::fields(&[0, 0, address(parts.as_ptr()), 1, control_at, 32, 0]);
    run(Request {
        fd: socket.as_raw_fd(),
        address: address(message.as_ptr()),
        length: 1,
        ..of(opcode::RECVMSG)
    })?;
    // `struct cmsghdr` says how long it is, then what it is, then what is in it. Linux
    // 6.17 tells here how much there is left to read, unasked (`SCM_INQ`).
    let [length, what, ..] = std::hint::black_box(control);
    let rights = 1 | u64::from(libc::SCM_RIGHTS.unsigned_abs()) << 32;
    let received = length >= 20 && what == rights;
    received.then_some(()).ok_or(Errno::BADF)
}

/// Registers this process' credentials, and has a request done with them.
fn as_somebody() -> Result<(), Errno> {
    let ring = Ring::new(0)?;
    let args = [
        (&ring.fd).into(),
        IORING_REGISTER_PERSONALITY.into(),
        raw::Arg::Null,
        0.into(),
    ];
    let id = raw::call(libc::SYS_io_uring_register, args)?;
    let personality = u16::try_from(id).map_err(|_number| Errno::INVAL)?;
    // A request that does nothing.
    ring.run(Request {
        personality,
        ..Request::default()
    })
    .map(drop)
}
