//! Files and memory as code.

use std::{
    ffi::c_int,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use libc::{MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE};
use rustix::{
    fs::{MemfdFlags, OFlags},
    io::Errno,
};

use crate::{
    Attempt,
    open::open,
    raw::{self, Mapping},
};

const LENGTH: usize = 4096;

/// From `include/uapi/linux/personality.h`.
const READ_IMPLIES_EXEC: u32 = 0x040_0000;

/// From `include/uapi/linux/shm.h`.
const SHM_EXEC: c_int = 0o100_000;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    match args {
        [path] => of_file(what, path),
        [] => of_no_file(what),
        _ => None,
    }
}

fn of_file(what: &str, path: &Path) -> Attempt {
    Some(match what {
        "map-code" => map(path, PROT_READ | PROT_EXEC, MAP_PRIVATE).map(drop),
        "map-code-shared" => map(path, PROT_READ | PROT_EXEC, MAP_SHARED).map(drop),
        "map-code-later" => map(path, PROT_READ, MAP_PRIVATE)
            .and_then(|memory| memory.protect(PROT_READ | PROT_EXEC)),
        // What is mapped need not be what is opened by then.
        "map-code-after-append" => map(path, PROT_READ, MAP_PRIVATE).and_then(|memory| {
            open(path, OFlags::WRONLY | OFlags::APPEND)?;
            memory.protect(PROT_READ | PROT_EXEC)
        }),
        "map-code-by-key" => map(path, PROT_READ, MAP_PRIVATE).and_then(|memory| by_key(&memory)),
        "map-code-implied" => raw::call(libc::SYS_personality, [READ_IMPLIES_EXEC.into()])
            .and_then(|_before| map(path, PROT_READ, MAP_PRIVATE).map(drop)),
        "map-code-writable" => map(path, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE).map(drop),
        "map-code-written" => map(path, PROT_READ | PROT_WRITE, MAP_PRIVATE)
            .and_then(|memory| write_then_run(&memory)),
        "map-appended" => {
            let flags = OFlags::RDWR | OFlags::APPEND;
            open(path, flags)
                .and_then(|file| of(&file, PROT_READ | PROT_WRITE, MAP_SHARED).map(drop))
        }
        "map-appended-later" => {
            let flags = OFlags::RDWR | OFlags::APPEND;
            open(path, flags)
                .and_then(|file| of(&file, PROT_READ, MAP_SHARED))
                .and_then(|memory| memory.protect(PROT_READ | PROT_WRITE))
        }
        _ => return None,
    })
}

fn map(path: &Path, protection: c_int, flags: c_int) -> Result<Mapping, Errno> {
    of(&open(path, OFlags::RDONLY)?, protection, flags)
}

fn of(file: &OwnedFd, protection: c_int, flags: c_int) -> Result<Mapping, Errno> {
    Mapping::new(Some(file.as_fd()), LENGTH, protection, flags)
}

fn of_no_file(what: &str) -> Attempt {
    let anonymous =
        |protection, flags| Mapping::new(None, LENGTH, protection, flags | MAP_ANONYMOUS);
    Some(match what {
        "code" => anonymous(PROT_READ | PROT_EXEC, MAP_PRIVATE).map(drop),
        "code-writable" => anonymous(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE).map(drop),
        "code-written" => anonymous(PROT_READ | PROT_WRITE, MAP_PRIVATE)
            .and_then(|memory| write_then_run(&memory)),
        "code-shared" => anonymous(PROT_READ | PROT_EXEC, MAP_SHARED).map(drop),
        "code-shared-written" => {
            anonymous(PROT_READ | PROT_WRITE, MAP_SHARED).and_then(|memory| write_then_run(&memory))
        }
        "code-by-key" => anonymous(PROT_READ, MAP_PRIVATE).and_then(|memory| by_key(&memory)),
        "code-memfd" => memfd(PROT_READ | PROT_EXEC, MAP_PRIVATE).map(drop),
        "code-memfd-written" => {
            memfd(PROT_READ | PROT_WRITE, MAP_SHARED).and_then(|memory| write_then_run(&memory))
        }
        "code-attached" => attached(),
        _ => return None,
    })
}

fn write_then_run(memory: &Mapping) -> Result<(), Errno> {
    // `ret`, many times.
    memory.store(0, 0xc3c3_c3c3);
    memory.protect(PROT_READ | PROT_EXEC)
}

/// By the kin of `mprotect` that takes a key, without one.
fn by_key(memory: &Mapping) -> Result<(), Errno> {
    let args = [
        memory.address().into(),
        memory.length().into(),
        (PROT_READ | PROT_EXEC).into(),
        (-1).into(),
    ];
    raw::call(libc::SYS_pkey_mprotect, args).map(drop)
}

fn memfd(protection: c_int, flags: c_int) -> Result<Mapping, Errno> {
    let file = rustix::fs::memfd_create("code", MemfdFlags::CLOEXEC)?;
    rustix::fs::ftruncate(&file, LENGTH as u64)?;
    of(&file, protection, flags)
}

/// System V shared memory.
fn attached() -> Result<(), Errno> {
    let segment = crate::ipc::Object::shared_memory(0)?;
    Mapping::shared(segment.id(), SHM_EXEC, LENGTH).map(drop)
}
