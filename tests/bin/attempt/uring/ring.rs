//! A ring, and what is asked of it. From `include/uapi/linux/io_uring.h`.

use std::{
    ffi::c_int,
    os::fd::{AsFd as _, OwnedFd},
};

use libc::{MAP_POPULATE, MAP_SHARED, PROT_READ, PROT_WRITE};
use rustix::io::Errno;

use crate::raw::{self, Mapping};

const IORING_ENTER_GETEVENTS: u32 = 1;
const IORING_ENTER_SQ_WAKEUP: u32 = 1 << 1;
const IORING_OFF_CQ_RING: i64 = 0x800_0000;
const IORING_OFF_SQES: i64 = 0x1000_0000;

/// A request, without the fields that are 0 in all of them.
#[derive(Clone, Copy, Default)]
pub(super) struct Request {
    pub(super) opcode: u8,
    pub(super) flags: u8,
    pub(super) fd: i32,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) length: u32,
    pub(super) operation_flags: u32,
    pub(super) personality: u16,
    pub(super) third: u64,
}

impl Request {
    /// `struct io_uring_sqe`.
    fn bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0] = self.opcode;
        bytes[1] = self.flags;
        bytes[4..8].copy_from_slice(&self.fd.to_ne_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.address.to_ne_bytes());
        bytes[24..28].copy_from_slice(&self.length.to_ne_bytes());
        bytes[28..32].copy_from_slice(&self.operation_flags.to_ne_bytes());
        bytes[42..44].copy_from_slice(&self.personality.to_ne_bytes());
        bytes[48..56].copy_from_slice(&self.third.to_ne_bytes());
        bytes
    }
}

/// A ring for one request at a time.
pub(super) struct Ring {
    pub(super) fd: OwnedFd,
    submissions: Mapping,
    completions: Mapping,
    requests: Mapping,
    parameters: [u8; 120],
}

impl Ring {
    pub(super) fn new(flags: u32) -> Result<Self, Errno> {
        // `struct io_uring_params`.
        let mut parameters = [0_u8; 120];
        parameters[8..12].copy_from_slice(&flags.to_ne_bytes());
        let args = [1.into(), parameters.as_mut_slice().into()];
        let fd = raw::open(libc::SYS_io_uring_setup, args)?;
        let map = |offset| {
            Mapping::at(
                Some(fd.as_fd()),
                4096,
                PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_POPULATE,
                offset,
            )
        };
        let (submissions, completions, requests) =
            (map(0)?, map(IORING_OFF_CQ_RING)?, map(IORING_OFF_SQES)?);
        Ok(Self {
            fd,
            submissions,
            completions,
            requests,
            parameters,
        })
    }

    /// A number of `struct io_sqring_offsets`, or behind it `io_cqring_offsets`.
    fn offset(&self, field: usize) -> u32 {
        let at = 40 + field * 4;
        let bytes = self.parameters[at..at + 4].try_into();
        u32::from_ne_bytes(bytes.expect("four bytes"))
    }

    /// Has a request done, and returns what came of it.
    pub(super) fn run(&self, request: Request) -> Result<c_int, Errno> {
        self.put(request);
        self.enter(1, 1)?;
        self.take()
    }

    /// Hands a request in, and does not wait for what comes of it.
    pub(super) fn ask(&self, request: Request) -> Result<(), Errno> {
        self.put(request);
        self.enter(1, 0)
    }

    /// Waits for the next request that is done, and returns what came of it.
    pub(super) fn wait(&self) -> Result<c_int, Errno> {
        self.enter(0, 1)?;
        self.take()
    }

    /// Puts a request where the kernel looks for it.
    fn put(&self, request: Request) {
        let (tail, array) = (self.offset(1), self.offset(6));
        self.requests.write(0, &request.bytes());
        self.submissions.store(array, 0);
        let next = self.submissions.load(tail).wrapping_add(1);
        self.submissions.store(tail, next);
    }

    /// Hands in so many requests, and waits for as many that are done.
    fn enter(&self, submit: u32, complete: u32) -> Result<(), Errno> {
        let flags = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP;
        let args = [
            (&self.fd).into(),
            submit.into(),
            complete.into(),
            flags.into(),
            raw::Arg::Null,
            0.into(),
        ];
        raw::call(libc::SYS_io_uring_enter, args).map(drop)
    }

    /// Takes the first request that is done.
    fn take(&self) -> Result<c_int, Errno> {
        let (head, mask, completions) = (self.offset(10), self.offset(12), self.offset(15));
        let first = self.completions.load(head);
        let index = first & self.completions.load(mask);
        // `struct io_uring_cqe`: the result follows the request's name.
        let result = self.completions.load(completions + 16 * index + 8);
        let result = result.cast_signed();
        self.completions.store(head, first.wrapping_add(1));
        if result < 0 {
            return Err(Errno::from_raw_os_error(-result));
        }
        Ok(result)
    }
}
