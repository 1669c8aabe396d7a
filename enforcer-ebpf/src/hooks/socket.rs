//! Unix sockets.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Label, Operation, Privilege, Reason};

use crate::{
    hooks::{address, confined, errno, privileged},
    judge::{self, Told},
    kernel::{offset, read},
    walk,
};

/// `int unix_stream_connect(struct sock *sock, struct sock *other, struct sock *newsk)`
#[lsm(hook = "unix_stream_connect")]
fn unix_stream_connect(context: LsmContext) -> i32 {
    let other = address(&context, 1);
    confined(
        Operation::Connect,
        #[inline(always)]
        |label| connect(label, other),
    )
}

/// `int unix_may_send(struct socket *sock, struct socket *other)`
#[lsm(hook = "unix_may_send")]
fn unix_may_send(context: LsmContext) -> i32 {
    let other = address(&context, 1);
    confined(
        Operation::Connect,
        #[inline(always)]
        |label| connect(label, read(other.wrapping_add(offset!(socket_sock)))?),
    )
}

/// Judges a connection to the `struct sock` at `other`.
///
/// Its path has the mount by which its owner made it, who may be in another
/// mount namespace. By what mount the task found it is not told.
#[inline(always)]
fn connect(label: &mut Label, other: u64) -> Result<i32, Reason> {
    let path = other.wrapping_add(offset!(unix_path));
    let dentry: u64 = read(path.wrapping_add(offset!(path_dentry)))?;
    if dentry != 0 {
        let (operation, requested) = (Operation::Connect, Access::CONNECT);
        let folder = walk::parent(dentry);
        let answer = judge::ask_by_dentry(label, operation, requested, dentry, folder);
        return Ok(errno(answer));
    }
    let address: u64 = read(other.wrapping_add(offset!(unix_address)))?;
    if address == 0 {
        // It has no name: the task holds the other end.
        return Ok(0);
    }
    Ok(privileged(label, Privilege::ABSTRACT_UNIX, Told::Loudly))
}
