//! Records of the ring buffer.

use std::io;

use aya::maps::{MapData, RingBuf};
use enforcer_abi::Event;
use tokio::io::{Interest, unix::AsyncFd};
use zerocopy::TryFromBytes as _;

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
    /// A record that the programs do not write.
    #[error("a record of {len} bytes from the kernel makes no sense")]
    Malformed {
        /// Its length.
        len: usize,
    },
}

/// The records, as they come.
pub struct Events {
    ring: AsyncFd<RingBuf<MapData>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

impl Events {
    #[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
    pub(super) fn new(ring: RingBuf<MapData>) -> Result<Self, ReadError> {
        // SAFETY: the ring owns its map's descriptor, and gives no way to close
        // or replace it while `AsyncFd` owns the ring.
        let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
        let ring = ring.map_err(|source| ReadError::Wait {
            source: source.into(),
        })?;
        Ok(Self { ring })
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
            let mut ready = self
                .ring
                .readable_mut()
                .await
                .map_err(|source| ReadError::Wait { source })?;
            if let Some(record) = ready.get_inner_mut().next() {
                // Copied out here and the slot freed on drop, so that a slow
                // consumer holds no part of the ring.
                return decode(&record);
            }
            // Empty, and the kernel will wake us for the next record.
            ready.clear_ready();
        }
    }

    /// The next record, if there is one already.
    pub fn try_next(&mut self) -> Option<Result<Record, ReadError>> {
        self.ring.get_mut().next().map(|record| decode(&record))
    }
}

/// Reads one record.
fn decode(record: &[u8]) -> Result<Record, ReadError> {
    let malformed = || ReadError::Malformed { len: record.len() };
    let (head, rest) = record
        .split_at_checked(size_of::<Event>())
        .ok_or_else(malformed)?;
    // The error borrows the record, which is about to be freed.
    let event = Event::try_read_from_bytes(head)
        .ok()
        .ok_or_else(malformed)?;
    let path = rest.get(..event.path_len as usize).ok_or_else(malformed)?;
    Ok(Record {
        event,
        path: path.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use enforcer_abi::{Access, EventKind, Layer, Operation, Reason, Slot, Verdict};
    use proptest::prelude::*;
    use zerocopy::IntoBytes as _;

    use super::{Event, decode};

    fn event(path_len: u32) -> Event {
        Event {
            time_ns: 1,
            lineage: 2,
            cgroup: 3,
            path_hash: 4,
            tgid: 5,
            tid: 6,
            parent: 7,
            uid: 8,
            gid: 9,
            slot: Slot(10),
            generation: 11,
            outcome: 12,
            requested: Access::READ,
            missing: Access::READ,
            path_len,
            kind: EventKind::Violation,
            operation: Operation::Open,
            reason: Reason::NotGranted,
            layer: Layer::Process,
            verdict: Verdict::Deny,
            reserved: [0; 7],
            comm: *b"cat\0\0\0\0\0\0\0\0\0\0\0\0\0",
        }
    }

    #[test]
    fn decode_takes_the_path_and_not_what_follows_it() {
        let mut record = event(4).as_bytes().to_vec();
        record.extend(b"/etcjunk");
        let record = decode(&record).unwrap();
        assert_eq!(record.event, event(4));
        assert_eq!(record.path, b"/etc");
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
            assert!(decode(&record).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn decode_never_panics(record: Vec<u8>) {
            let _result = decode(&record);
        }
    }
}
