//! Running programs.

use std::{
    ffi::CString, fs, io::Write as _, os::unix::process::CommandExt as _, path::Path,
    process::Command,
};

use rustix::{
    fs::MemfdFlags,
    io::{Errno, FdFlags},
};

use crate::{
    Attempt, failed,
    open::named,
    proc_path,
    raw::{self, Arg},
};

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    Some(match (what, args) {
        ("exec", [program, rest @ ..]) => exec(program, rest),
        ("exec-by-thread", [program, rest @ ..]) => std::thread::scope(|scope| {
            let thread = scope.spawn(|| exec(program, rest));
            thread.join().unwrap_or(Err(Errno::INTR))
        }),
        ("fork-exec", [program, rest @ ..]) => in_child(|| exec(program, rest)),
        ("spawn", [program, rest @ ..]) => spawn(program, rest),
        ("execveat", [folder, name, rest @ ..]) => {
            in_child(|| execveat(folder, &raw::text(name)?, rest))
        }
        ("exec-descriptor", [program, rest @ ..]) => in_child(|| execveat(program, c"", rest)),
        ("exec-by-proc", [program, rest @ ..]) => in_child(|| {
            let program = named(program)?;
            rustix::io::fcntl_setfd(&program, FdFlags::empty())?;
            exec(proc_path(&program).as_ref(), rest)
        }),
        ("exec-self", rest) => in_child(|| exec("/proc/self/exe".as_ref(), rest)),
        ("trust-environment", []) => trust_environment(),
        ("memfd-exec", [program]) => {
            memfd(program).and_then(|file| exec(proc_path(&file).as_ref(), &[]))
        }
        ("memfd-exec-descriptor", [program, rest @ ..]) => in_child(|| {
            let file = memfd(program)?;
            at((&file).into(), c"", rest)
        }),
        _ => return None,
    })
}

/// Fails with `EPERM` if the kernel says that this program's environment is not to
/// be trusted.
fn trust_environment() -> Result<(), Errno> {
    // Pairs of words: what, and its value.
    let vector = fs::read("/proc/self/auxv").map_err(|err| failed(&err))?;
    let words = vector.as_chunks::<8>().0.iter().copied();
    let words: Vec<u64> = words.map(u64::from_ne_bytes).collect();
    let secure = words
        .as_chunks::<2>()
        .0
        .iter()
        .find(|[what, _]| *what == libc::AT_SECURE);
    match secure {
        Some([_, 0]) => Ok(()),
        Some(_) => Err(Errno::PERM),
        None => Err(Errno::NODATA),
    }
}

/// Becomes `program`. Returns only where that fails.
pub(crate) fn exec(program: &Path, args: &[&Path]) -> Result<(), Errno> {
    Err(failed(&Command::new(program).args(args).exec()))
}

/// Runs a program as most do: by a child that borrows this process' memory.
fn spawn(program: &Path, args: &[&Path]) -> Result<(), Errno> {
    let status = Command::new(program).args(args).status();
    match status.map_err(|err| failed(&err))?.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Errno::from_raw_os_error(code)),
        None => Err(Errno::INTR),
    }
}

/// Does something in a child; its exit status is an errno.
pub(crate) fn in_child(child: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
    let status = raw::in_child(|| match child() {
        Ok(()) => 0,
        Err(errno) => u8::try_from(errno.raw_os_error()).unwrap_or(crate::SENSELESS),
    })?;
    match status {
        0 => Ok(()),
        status => Err(Errno::from_raw_os_error(i32::from(status))),
    }
}

fn execveat(folder: &Path, name: &std::ffi::CStr, args: &[&Path]) -> Result<(), Errno> {
    let folder = named(folder)?;
    at((&folder).into(), name, args)
}

fn at(folder: Arg<'_>, name: &std::ffi::CStr, args: &[&Path]) -> Result<(), Errno> {
    let words: Vec<CString> = [Path::new("attempt")]
        .iter()
        .chain(args)
        .map(|word| raw::text(word))
        .collect::<Result<_, _>>()?;
    let mut pointers: Vec<u64> = words
        .iter()
        .map(|word| raw::address(word.as_ptr()).cast_unsigned())
        .collect();
    pointers.push(0);
    let flags = if name.is_empty() {
        libc::AT_EMPTY_PATH
    } else {
        0
    };
    let (pointers, environment) = (raw::fields(&pointers), raw::fields(&[0]));
    let args = [
        folder,
        name.into(),
        pointers.as_slice().into(),
        environment.as_slice().into(),
        flags.into(),
    ];
    raw::call(libc::SYS_execveat, args).map(drop)
}

/// A copy of `program` that has no name.
fn memfd(program: &Path) -> Result<std::os::fd::OwnedFd, Errno> {
    let contents = fs::read(program).map_err(|err| failed(&err))?;
    let memory = rustix::fs::memfd_create("copy", MemfdFlags::empty())?;
    let mut file = fs::File::from(memory);
    file.write_all(&contents).map_err(|err| failed(&err))?;
    Ok(file.into())
}
