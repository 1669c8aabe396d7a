//! Doing a thing as somebody else or from elsewhere; and, for what stays
//! outside, becoming another program with something in hand.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, Uid},
    io::Errno,
    mount::MountPropagationFlags,
};

use crate::{Attempt, exec, mounts, number, open::open, privileges, raw, uring};

/// The descriptor that another program finds what it is given at.
const GIVEN: i32 = 9;

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    let told = || crate::attempt(args).unwrap_or(Err(Errno::INVAL));
    match what {
        "in-child" => return Some(exec::in_child(told)),
        // A session of its own, and a child of that which cannot have a terminal.
        "as-daemon" => {
            return Some(exec::in_child(|| {
                rustix::process::setsid()?;
                exec::in_child(told)
            }));
        }
        _ => {}
    }
    let (first, words) = args.split_first()?;
    let before = match what {
        "in-folder" => rustix::process::chdir(*first),
        "in-root" => rustix::process::chroot(*first),
        "in-namespace" => privileges::enter(first, 0),
        "as-user" => number(first).and_then(|user| {
            let user = Uid::from_raw(user);
            rustix::thread::set_thread_res_uid(user, user, user)
        }),
        _ => return becoming(what, args),
    };
    match before {
        Ok(()) => crate::attempt(words),
        Err(errno) => Some(Err(errno)),
    }
}

/// Becomes another program.
fn becoming(what: &str, args: &[&Path]) -> Attempt {
    let (first, words) = args.split_first()?;
    let given = match what {
        "holding" => open(first, OFlags::RDONLY).and_then(give),
        "holding-to-write" => open(first, OFlags::WRONLY).and_then(give),
        "holding-to-append" => open(first, OFlags::WRONLY | OFlags::APPEND).and_then(give),
        "holding-name" => open(first, OFlags::PATH).and_then(give),
        "holding-tree" => mounts::tree(first).and_then(give),
        "holding-context" => return Some(holding(mounts::context(), args)),
        "holding-ring" => return Some(holding(uring::ring(), args)),
        "in-mounts-of-its-own" => {
            return Some(own_mounts(first).and_then(|()| become_program(words)));
        }
        _ => return None,
    };
    Some(given.and_then(|_held| become_program(words)))
}

/// Becomes another program, with what takes no argument to make.
fn holding(made: Result<OwnedFd, Errno>, words: &[&Path]) -> Result<(), Errno> {
    let _held = give(made?)?;
    become_program(words)
}

fn become_program(words: &[&Path]) -> Result<(), Errno> {
    let (program, args) = words.split_first().ok_or(Errno::INVAL)?;
    exec::exec(program, args)
}

/// Puts a descriptor where the next program looks for it.
fn give(file: impl AsFd) -> Result<OwnedFd, Errno> {
    let args = [file.as_fd().into(), libc::F_DUPFD.into(), GIVEN.into()];
    raw::open(libc::SYS_fcntl, args)
}

/// Leaves for a mount namespace of its own, with a tmpfs at `root` and another
/// in that.
fn own_mounts(root: &Path) -> Result<(), Errno> {
    privileges::unshare(libc::CLONE_NEWNS)?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private)?;
    mounts::tmpfs(root)?;
    let inner = root.join("inner");
    rustix::fs::mkdir(&inner, Mode::from_raw_mode(0o755))?;
    mounts::tmpfs(&inner)?;
    // What this holds is of the other namespace.
    let null = open("/dev/null", OFlags::RDWR)?;
    for own in [0, 1] {
        let args = [(&null).into(), own.into(), 0.into()];
        raw::call(libc::SYS_dup3, args)?;
    }
    Ok(())
}
