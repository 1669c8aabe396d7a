//! The contract between the `enforcer` agent and its kernel programs, and the
//! engine that decides an access on both sides of it.
//!
//! - [`access`]: the rights a rule can grant
//! - [`privilege`]: what a profile can grant beside them
//! - [`policy`]: modes, verdicts, and the one function that decides
//! - [`endpoint`]: the name of an address of a network
//! - [`table`]: the compiled form of a profile, and the walk of a path over it
//! - [`expiry`]: grants that end by themselves
//! - [`label`]: what a confined task carries: its domain
//! - [`containment`]: the answer to a violation that is given in the hook
//! - [`event`]: what the kernel tells the agent
//! - [`reason`]: why an access was refused, and the counters
//! - [`offsets`]: where the running kernel keeps what the programs read
//! - [`limits`]: every capacity and length
//!
//! # Rules for a type in this crate
//!
//! `repr(C)` or `repr(transparent)`, or a fieldless `repr(u8)` enum; fixed-width
//! integers, byte arrays and other types of this crate only; padding is named
//! `reserved`. Values that the agent writes for the kernel are open newtypes
//! whose unknown values mean the strictest; values that the kernel writes are
//! closed enums, checked on reading. Numbers are in the host's byte order.
//!
//! The crate does no I/O, holds no map, allocates nothing and has no feature.

#![cfg_attr(not(test), no_std)]
#![expect(
    clippy::inline_always,
    reason = "in the kernel a call is dear, and the verifier forgets at one what it knew"
)]

pub mod access;
pub mod containment;
pub mod endpoint;
pub mod event;
pub mod expiry;
pub mod label;
pub mod limits;
pub mod offsets;
pub mod policy;
pub mod privilege;
pub mod reason;
pub mod table;

pub use access::Access;
pub use containment::{Containment, Respond, Response};
pub use endpoint::Endpoint;
pub use event::{Event, EventKind, Hit, Operation, UseKey, ViolationCount, ViolationKey};
pub use expiry::{Expiry, Moment};
pub use label::{Adopted, Domain, Label, Layer, Slot, Subjects};
pub use offsets::Offsets;
pub use policy::{Mode, Reach, Verdict, decide};
pub use privilege::{Privilege, Privileges};
pub use reason::{Counter, Reason};
