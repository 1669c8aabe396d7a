//! What is no access to an object, and takes a privilege.

use std::{
    ffi::{c_int, c_long},
    os::fd::OwnedFd,
    path::Path,
    time::Duration,
};

use rustix::{
    fs::{Gid, OFlags, Uid},
    io::Errno,
    process::Signal,
    pty::OpenptFlags,
};

use crate::{
    Attempt, open, processes,
    raw::{self, Arg},
};

/// From `include/uapi/asm-generic/ioctls.h`.
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
/// `LINUX_REBOOT_CMD_CAD_OFF`, and the numbers that say that it is meant.
const KEYS_OFF: [u32; 3] = [0xfee1_dead, 672_274_793, 0];

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    match args {
        [] => of_the_system(what)
            .or_else(|| of_itself(what))
            .or_else(|| of_the_network(what)),
        [path] => with_path(what, path),
        _ => None,
    }
}

fn of_the_system(what: &str) -> Attempt {
    Some(match what {
        "bpf" => bpf(),
        "perf" => perf(),
        "load-module" => rustix::system::init_module(b"", c""),
        "unload-module" => rustix::system::delete_module(c"no_such_module", 0),
        "load-kernel" => call(
            libc::SYS_kexec_load,
            [0.into(), 0.into(), Arg::Null, 0.into()],
        ),
        "load-kernel-file" => call(
            libc::SYS_kexec_file_load,
            [(-1).into(), (-1).into(), 0.into(), Arg::Null, 0.into()],
        ),
        "reboot-keys" => {
            let [first, second, command] = KEYS_OFF;
            let args = [first.into(), second.into(), command.into(), Arg::Null];
            call(libc::SYS_reboot, args)
        }
        "host-name" => rustix::system::sethostname(b"changed"),
        "domain-name" => rustix::system::setdomainname(b"changed"),
        "kernel-log" => {
            let mut log = [0_u8; 64];
            let read_all = 3;
            let args = [read_all.into(), log.as_mut_slice().into(), 64.into()];
            call(libc::SYS_syslog, args)
        }
        // The zone alone, and the one that it is.
        "set-time" => {
            let zone = raw::fields(&[0]);
            let args = [Arg::Null, zone.as_slice().into()];
            call(libc::SYS_settimeofday, args)
        }
        "adjust-time" => adjust_time(),
        "ports" => call(libc::SYS_ioperm, [0x80.into(), 1.into(), 1.into()]),
        #[cfg(target_arch = "x86_64")]
        "all-ports" => call(libc::SYS_iopl, [3.into()]),
        "hang-up" => call::<0>(libc::SYS_vhangup, []),
        _ => return None,
    })
}

fn call<const N: usize>(number: c_long, args: [Arg<'_>; N]) -> Result<(), Errno> {
    raw::call(number, args).map(drop)
}

/// Makes an array of one number.
fn bpf() -> Result<(), Errno> {
    // `union bpf_attr` for a map: kind, size of a key, size of a value, room.
    let attributes: Vec<u8> = [2_u32, 4, 4, 1]
        .into_iter()
        .chain([0; 12])
        .flat_map(u32::to_ne_bytes)
        .collect();
    let args = [0.into(), attributes.as_slice().into(), 64.into()];
    raw::open(libc::SYS_bpf, args).map(drop)
}

/// Counts how long the first processor runs.
///
/// Of a task, it would have the kernel patch its scheduler, which an emulated machine with
/// two processors often does not survive.
fn perf() -> Result<(), Errno> {
    // `struct perf_event_attr`: kind and size, then what.
    let (software, size, cpu_clock) = (1, 64 << 32, 0);
    let attributes = raw::fields(&[software | size, cpu_clock, 0, 0, 0, 0, 0, 0]);
    let (any_process, first, no_group) = ((-1).into(), 0.into(), (-1).into());
    let args = [
        attributes.as_slice().into(),
        any_process,
        first,
        no_group,
        0.into(),
    ];
    raw::open(libc::SYS_perf_event_open, args).map(drop)
}

/// Sets how far off the clock may be to what it is.
fn adjust_time() -> Result<(), Errno> {
    let mut times = [0_u8; 208];
    call(libc::SYS_adjtimex, [times.as_mut_slice().into()])?;
    times[..4].copy_from_slice(&libc::ADJ_MAXERROR.to_ne_bytes());
    call(libc::SYS_adjtimex, [times.as_mut_slice().into()])
}

fn of_itself(what: &str) -> Attempt {
    Some(match what {
        "unshare-mounts" => unshare(libc::CLONE_NEWNS),
        "unshare-names" => unshare(libc::CLONE_NEWUTS),
        "unshare-ipc" => unshare(libc::CLONE_NEWIPC),
        "unshare-network" => unshare(libc::CLONE_NEWNET),
        "unshare-processes" => unshare(libc::CLONE_NEWPID),
        "unshare-cgroups" => unshare(libc::CLONE_NEWCGROUP),
        "unshare-users" => unshare(libc::CLONE_NEWUSER),
        "clone-users" => clone_users(),
        "set-user" => rustix::thread::set_thread_uid(Uid::from_raw(1000)),
        "set-group" => rustix::thread::set_thread_gid(Gid::from_raw(1000)),
        "set-groups" => rustix::thread::set_thread_groups(&[Gid::from_raw(1000)]),
        "drop-bound" => {
            let (drop, chown) = (libc::PR_CAPBSET_DROP, 0);
            call(libc::SYS_prctl, [drop.into(), chown.into()])
        }
        "be-nicer" => rustix::process::setpriority_process(None, -5),
        "be-real-time" => processes::scheduler(0, libc::SCHED_FIFO, 1),
        "raise-limit" => raise_limit(),
        "lock-memory" => lock_memory(),
        "alarm" => {
            let args = [libc::CLOCK_REALTIME_ALARM.into(), 0.into()];
            raw::open(libc::SYS_timerfd_create, args).map(drop)
        }
        "page-faults" => raw::open(libc::SYS_userfaultfd, [0.into()]).map(drop),
        "terminal-input" => terminal(TIOCSTI),
        "terminal-selection" => terminal(TIOCLINUX),
        "signal-other-user" => signal_other_user(),
        "signal-child" => signal_child(),
        _ => return None,
    })
}

pub(crate) fn unshare(what: c_int) -> Result<(), Errno> {
    call(libc::SYS_unshare, [what.into()])
}

/// Makes a child in a user namespace of its own.
fn clone_users() -> Result<(), Errno> {
    // `struct clone_args`: flags, …, the signal at its end.
    let users = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    let signal = u64::from(libc::SIGCHLD.cast_unsigned());
    let request = raw::fields(&[users, 0, 0, 0, signal, 0, 0, 0]);
    let args = [request.as_slice().into(), 64.into()];
    let child = raw::call(libc::SYS_clone3, args)?;
    if child == 0 {
        rustix::process::kill_process(rustix::process::getpid(), Signal::KILL)?;
    }
    Ok(())
}

fn raise_limit() -> Result<(), Errno> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            maximum: limit.maximum.map(|maximum| maximum + 1),
            ..limit
        },
    )
}

/// Locks a page where none may be.
fn lock_memory() -> Result<(), Errno> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Memlock, none)?;
    let page = vec![0_u8; 4096];
    call(libc::SYS_mlock, [page.as_slice().into(), 1.into()])
}

fn terminal(command: u32) -> Result<(), Errno> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let terminal = rustix::pty::openpt(flags)?;
    rustix::pty::unlockpt(&terminal)?;
    let peer = rustix::pty::ioctl_tiocgptpeer(&terminal, flags)?;
    let input = *b"x\0\0\0";
    let args = [(&peer).into(), command.into(), input.as_slice().into()];
    call(libc::SYS_ioctl, args)
}

/// Ends a child that has become another user.
fn signal_other_user() -> Result<(), Errno> {
    with_child(|| {
        rustix::thread::set_thread_res_uid(
            Uid::from_raw(1000),
            Uid::from_raw(1000),
            Uid::from_raw(1000),
        )
    })
}

/// Ends a child of the same domain.
fn signal_child() -> Result<(), Errno> {
    with_child(|| Ok(()))
}

/// Ends a child after it has done something, and which waits as long as this
/// process is there.
fn with_child(first: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
    let (ready, tell) = rustix::pipe::pipe()?;
    let parent = rustix::process::getpid();
    let child = raw::start(|| {
        let told = first().and_then(|()| rustix::io::write(&tell, b"x"));
        while told.is_ok() && rustix::process::getppid() == Some(parent) {
            std::thread::sleep(Duration::from_millis(5));
        }
        1
    })?;
    drop(tell);
    rustix::io::read(&ready, &mut [0])?;
    rustix::process::kill_process(child, Signal::TERM)
}

fn of_the_network(what: &str) -> Attempt {
    Some(match what {
        "raw-socket" => inet(libc::SOCK_RAW, libc::IPPROTO_ICMP).map(drop),
        "packet-socket" => socket(libc::AF_PACKET, libc::SOCK_RAW, 0).map(drop),
        "low-port" => low_port(),
        "force-buffer" => {
            inet(libc::SOCK_DGRAM, 0).and_then(|socket| option(&socket, libc::SO_RCVBUFFORCE))
        }
        // A family that no kernel has built in.
        "load-on-demand" => socket(libc::AF_X25, libc::SOCK_SEQPACKET, 0).map(drop),
        _ => return None,
    })
}

fn socket(family: c_int, kind: c_int, protocol: c_int) -> Result<OwnedFd, Errno> {
    let args = [family.into(), kind.into(), protocol.into()];
    raw::open(libc::SYS_socket, args)
}

fn inet(kind: c_int, protocol: c_int) -> Result<OwnedFd, Errno> {
    socket(libc::AF_INET, kind, protocol)
}

fn low_port() -> Result<(), Errno> {
    use std::net::{Ipv4Addr, SocketAddrV4};
    let socket = inet(libc::SOCK_DGRAM, 0)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7))
}

fn option(socket: &OwnedFd, option: c_int) -> Result<(), Errno> {
    let value = 4096_i32.to_ne_bytes();
    let args = [
        socket.into(),
        libc::SOL_SOCKET.into(),
        option.into(),
        value.as_slice().into(),
        4.into(),
    ];
    call(libc::SYS_setsockopt, args)
}

fn with_path(what: &str, path: &Path) -> Attempt {
    Some(match what {
        "chroot" => rustix::process::chroot(path),
        "enter" => enter(path, 0),
        "swap-on" => {
            raw::text(path).and_then(|path| call(libc::SYS_swapon, [(&path).into(), 0.into()]))
        }
        "swap-off" => raw::text(path).and_then(|path| call(libc::SYS_swapoff, [(&path).into()])),
        "account" => account(path),
        "lease" => lease(path),
        "set-file-capability" => set_file_capability(path),
        "load-module-file" => open::open(path, OFlags::RDONLY)
            .and_then(|file| rustix::system::finit_module(file, c"", 0)),
        _ => return None,
    })
}

/// Enters a namespace; `kind` 0 for any.
pub(crate) fn enter(path: &Path, kind: c_int) -> Result<(), Errno> {
    let namespace = open::open(path, OFlags::RDONLY)?;
    call(libc::SYS_setns, [(&namespace).into(), kind.into()])
}

/// Has the kernel write down what processes end, and stops that again.
fn account(path: &Path) -> Result<(), Errno> {
    let path = raw::text(path)?;
    call(libc::SYS_acct, [(&path).into()])?;
    call(libc::SYS_acct, [Arg::Null])
}

/// Wants to be told when somebody opens another user's file.
fn lease(path: &Path) -> Result<(), Errno> {
    let file = open::open(path, OFlags::RDONLY)?;
    let args = [
        (&file).into(),
        libc::F_SETLEASE.into(),
        libc::F_RDLCK.into(),
    ];
    call(libc::SYS_fcntl, args)
}

fn set_file_capability(path: &Path) -> Result<(), Errno> {
    // `struct vfs_cap_data`: revision 2, then CAP_CHOWN as permitted.
    let value: Vec<u8> = [0x0200_0000_u32, 1, 0, 0, 0]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, c"security.capability", &value, flags)
}
