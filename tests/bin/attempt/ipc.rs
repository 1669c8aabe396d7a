//! System V objects, and keys.

use std::{
    ffi::{c_int, c_long},
    path::Path,
};

use rustix::io::Errno;

use crate::{
    Attempt,
    raw::{self, Arg, Mapping},
};

/// A System V object that goes away with its owner.
pub(crate) struct Object {
    id: c_int,
    control: c_long,
}

impl Object {
    /// A page of shared memory.
    pub(crate) fn shared_memory(key: c_int) -> Result<Self, Errno> {
        let made = libc::IPC_CREAT | 0o700;
        let id = raw::call(libc::SYS_shmget, [key.into(), 4096.into(), made.into()])?;
        Self::new(id, libc::SYS_shmctl)
    }

    fn semaphore() -> Result<Self, Errno> {
        let id = raw::call(libc::SYS_semget, [0.into(), 1.into(), 0o600.into()])?;
        Self::new(id, libc::SYS_semctl)
    }

    fn messages() -> Result<Self, Errno> {
        let id = raw::call(libc::SYS_msgget, [0.into(), 0o600.into()])?;
        Self::new(id, libc::SYS_msgctl)
    }

    fn new(id: c_long, control: c_long) -> Result<Self, Errno> {
        let id = c_int::try_from(id).map_err(|_number| Errno::INVAL)?;
        Ok(Self { id, control })
    }

    /// Its number.
    pub(crate) fn id(&self) -> c_int {
        self.id
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // A semaphore's command comes after the number of the semaphore.
        let id = Arg::from(self.id);
        let _gone = if self.control == libc::SYS_semctl {
            raw::call(
                self.control,
                [id, 0.into(), libc::IPC_RMID.into(), Arg::Null],
            )
        } else {
            raw::call(self.control, [id, libc::IPC_RMID.into(), Arg::Null])
        };
    }
}

pub(crate) fn attempt(what: &str, args: &[&Path]) -> Attempt {
    if !args.is_empty() {
        return None;
    }
    Some(match what {
        "shared-memory" => Object::shared_memory(0)
            .and_then(|memory| Mapping::shared(memory.id(), 0, 4096).map(drop)),
        "shared-memory-by-key" => shared_memory_by_key(),
        "semaphore" => Object::semaphore().and_then(|semaphore| raise(&semaphore)),
        "message-queue" => Object::messages().and_then(|queue| send(&queue)),
        "add-key" => add_key(),
        "read-key" => read_key(),
        "session-keys" => keyctl([libc::KEYCTL_JOIN_SESSION_KEYRING.into(), Arg::Null]),
        "request-key" => request_key(),
        _ => return None,
    })
}

/// Finds an object that is there.
fn shared_memory_by_key() -> Result<(), Errno> {
    let key = 0x00e4_f0ce;
    let _memory = Object::shared_memory(key)?;
    let args = [key.into(), 4096.into(), 0o600.into()];
    raw::call(libc::SYS_shmget, args).map(drop)
}

fn raise(semaphore: &Object) -> Result<(), Errno> {
    // `struct sembuf`: which, by how much, how.
    let operation: [u8; 6] = [0, 0, 1, 0, 0, 0];
    let args = [semaphore.id().into(), operation.as_slice().into(), 1.into()];
    raw::call(libc::SYS_semop, args).map(drop)
}

fn send(queue: &Object) -> Result<(), Errno> {
    // `struct msgbuf`: a kind, and the text.
    let message = raw::fields(&[1, 0]);
    let args = [
        queue.id().into(),
        message.as_slice().into(),
        8.into(),
        libc::IPC_NOWAIT.into(),
    ];
    raw::call(libc::SYS_msgsnd, args).map(drop)
}

fn add_key() -> Result<(), Errno> {
    let args = [
        c"user".into(),
        c"enforcer".into(),
        b"x".as_slice().into(),
        1.into(),
        libc::KEY_SPEC_PROCESS_KEYRING.into(),
    ];
    raw::call(libc::SYS_add_key, args).map(drop)
}

fn read_key() -> Result<(), Errno> {
    let ring = libc::KEY_SPEC_USER_KEYRING;
    keyctl([libc::KEYCTL_READ.into(), ring.into(), Arg::Null, 0.into()])
}

/// Asks for a key that is not there, and not for anybody to make it.
fn request_key() -> Result<(), Errno> {
    let args = [c"user".into(), c"no-such-key".into(), Arg::Null, 0.into()];
    raw::call(libc::SYS_request_key, args).map(drop)
}

fn keyctl<const N: usize>(args: [Arg<'_>; N]) -> Result<(), Errno> {
    raw::call(libc::SYS_keyctl, args).map(drop)
}
