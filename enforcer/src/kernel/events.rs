//! Records of the programs: in a ring buffer, or in a queue before Linux 5.12.

use std::{io, time::Duration};

use aya::maps::{MapData, MapError, Queue, RingBuf};
use enforcer_abi::{Event, limits::PATH_LEN};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::{Interval, MissedTickBehavior, interval},
};
use zerocopy::TryFromBytes as _;

use super::legacy;

/// How often the queue is asked. It has room for what comes meanwhile.
const POLL: Duration = Duration::from_millis(50);
/// Bytes for the path of a record in the queue, its end included.
const QUEUED_PATH_LEN: usize = PATH_LEN + 1;

/// One record: what happened, and on which path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What happened.
    pub event: Event,
    /// The object's path, or as much of it as could be told. Any byte but NUL.
    pub path: Vec<u8>,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The events were taken before.
    #[error("the kernel's events are already being read")]
    Taken,
    /// The runtime cannot wait.
    #[error("cannot wait for the kernel's events")]
    Wait {
        /// Why not.
        source: io::Error,
    },
    /// The queue cannot be read.
    #[error("cannot read the kernel's events")]
    Queue {
        /// Why not.
        source: Box<MapError>,
    },
    /// A record that the programs do not write.
    #[error("a record of {len} bytes from the kernel makes no sense")]
    Malformed {
        /// Its length.
        len: usize,
    },
}

/// The map that the records are in.
pub(super) enum EventsMap {
    /// A ring buffer.
    Ring(RingBuf<MapData>),
    /// A queue, on kernels that have no ring buffer.
    Queue(Queue<MapData, Queued>),
}

/// A record in the queue.
pub(super) type Queued = [u8; size_of::<Event>() + QUEUED_PATH_LEN];

/// The records, as they come.
pub struct Events {
    source: Source,
}

enum Source {
    Ring(AsyncFd<RingBuf<MapData>>),
    /// Nothing tells when a queue has something: it is asked every now and then.
    Queue(Queue<MapData, Queued>, Interval),
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    pub(super) fn new(map: EventsMap) -> Result<Self, ReadError> {
        let source = match map {
            EventsMap::Ring(ring) => Source::Ring(watched(ring)?),
            EventsMap::Queue(queue) => {
                let mut poll = interval(POLL);
                poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
                Source::Queue(queue, poll)
            }
        };
        Ok(Self { source })
    }

    /// Waits for the next record.
    ///
    /// # Errors
    ///
    /// [`ReadError::Malformed`] for one record; the next can be read.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is ready, no record is lost.
    pub async fn next(&mut self) -> Result<Record, ReadError> {
        loop {
            match &mut self.source {
                Source::Ring(ring) => {
                    let mut ready = ring
                        .readable_mut()
                        .await
                        .map_err(|source| ReadError::Wait { source })?;
                    if let Some(record) = ready.get_inner_mut().next() {
                        // Copied out here and the slot freed on drop, so that a
                        // slow consumer holds no part of the ring.
                        return Record::read(&record);
                    }
                    // Empty, and the kernel will wake us for the next record.
                    ready.clear_ready();
                }
                Source::Queue(queue, poll) => {
                    if let Some(record) = pop(queue) {
                        return record;
                    }
                    poll.tick().await;
                }
            }
        }
    }

    /// The next record, if there is one already.
    pub fn try_next(&mut self) -> Option<Result<Record, ReadError>> {
        match &mut self.source {
            Source::Ring(ring) => ring.get_mut().next().map(|record| Record::read(&record)),
            Source::Queue(queue, _) => pop(queue),
        }
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
fn watched(ring: RingBuf<MapData>) -> Result<AsyncFd<RingBuf<MapData>>, ReadError> {
    // SAFETY: the ring owns its map's descriptor, and gives no way to close or
    // replace it while `AsyncFd` owns the ring.
    let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
    ring.map_err(|source| ReadError::Wait {
        source: source.into(),
    })
}

/// Takes the first record out of the queue, if there is one.
fn pop(queue: &mut Queue<MapData, Queued>) -> Option<Result<Record, ReadError>> {
    match queue.pop(0) {
        Ok(record) => Some(Record::read(&record).map(|record| shifted(record, legacy::slept_ns()))),
        Err(MapError::ElementNotFound) => None,
        Err(source) => Some(Err(ReadError::Queue {
            source: Box::new(source),
        })),
    }
}

/// The record with a time of `CLOCK_BOOTTIME`, of which `CLOCK_MONOTONIC` is behind
/// by `slept_ns`.
fn shifted(record: Record, slept_ns: u64) -> Record {
    let Record { event, path } = record;
    let event = Event {
        time_ns: event.time_ns.saturating_add(slept_ns),
        ..event
    };
    Record { event, path }
}

impl Record {
    /// Reads one record of the programs. What follows its path is left alone.
    ///
    /// # Errors
    ///
    /// [`ReadError::Malformed`], if it is none.
    pub fn read(record: &[u8]) -> Result<Self, ReadError> {
        let malformed = || ReadError::Malformed { len: record.len() };
        let (head, rest) = record
            .split_at_checked(size_of::<Event>())
            .ok_or_else(malformed)?;
        // The error borrows the record, which is about to be freed.
        let event = Event::try_read_from_bytes(head)
            .ok()
            .ok_or_else(malformed)?;
        let path = rest.get(..event.path_len as usize).ok_or_else(malformed)?;
        Ok(Self {
            event,
            path: path.to_vec(),
        })
    }
}

/// An event for tests: process 5, child of 1, was refused to read.
#[cfg(test)]
pub(crate) fn sample() -> Event {
    use enforcer_abi::{
        Access, EventKind, Layer, Operation, Privilege, Reason, Response, Slot, Verdict,
    };

    Event {
        time_ns: 1_000,
        lineage: 1,
        cgroup: 9,
        path_hash: 4,
        tgid: 5,
        tid: 5,
        parent: 1,
        uid: 33,
        gid: 34,
        slot: Slot(1),
        generation: 1,
        outcome: 0,
        requested: Access::READ,
        missing: Access::READ,
        path_len: 0,
        kind: EventKind::Violation,
        operation: Operation::Open,
        reason: Reason::NotGranted,
        layer: Layer::Application,
        verdict: Verdict::Deny,
        privilege: Privilege::NONE,
        response: Response::None,
        reserved: [0; 5],
        comm: *b"nginx\0\0\0\0\0\0\0\0\0\0\0",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zerocopy::IntoBytes as _;

    use super::{Event, Queued, Record, sample, shifted};

    fn event(path_len: u32) -> Event {
        Event {
            path_len,
            ..sample()
        }
    }

    #[test]
    fn decode_takes_the_path_and_not_what_follows_it() {
        let mut record = event(4).as_bytes().to_vec();
        record.extend(b"/etcjunk");
        let record = Record::read(&record).unwrap();
        assert_eq!(record.event, event(4));
        assert_eq!(record.path, b"/etc");
    }

    /// A record of the queue has the longest path, of which little may be used.
    #[test]
    fn decode_takes_records_of_the_queue() {
        let mut record: Queued = [0xff; size_of::<Queued>()];
        record[..size_of::<Event>()].copy_from_slice(event(3).as_bytes());
        record[size_of::<Event>()..][..3].copy_from_slice(b"/ab");
        let record = shifted(Record::read(&record).unwrap(), 7);
        assert_eq!(record.path, b"/ab");
        assert_eq!(record.event.time_ns, event(3).time_ns + 7);
    }

    #[test]
    fn decode_refuses() {
        let good = event(4).as_bytes().to_vec();
        let odd_kind = {
            let mut bytes = event(0).as_bytes().to_vec();
            let at = std::mem::offset_of!(Event, kind);
            bytes[at] = 77;
            bytes
        };
        for (name, record) in [
            ("an empty record", vec![]),
            ("half a head", good[..50].to_vec()),
            ("a path that is not there", good),
            ("an unknown kind", odd_kind),
        ] {
            assert!(Record::read(&record).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn decode_never_panics(record: Vec<u8>) {
            let _result = Record::read(&record);
        }
    }
}
