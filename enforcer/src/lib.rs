//! Mandatory access control by path, in eBPF LSM programs: the agent and its
//! command line.
//!
//! - [`cli`]: the commands, their output and their exit codes
//! - [`agent`]: holds the kernel side, makes detections, tightens, answers
//! - [`protocol`]: what the two say to each other
//! - [`profile`]: what profiles mean, and the tables they compile to
//! - [`draft`]: a first profile, from what a host knows of a program
//! - [`learn`]: a profile, from what a program was seen to do
//! - [`kernel`]: loads the programs, fills their maps, reads their events
//! - [`detection`], [`store`]: what was refused, and where that is kept
//! - [`tighten`]: what can be taken away after it; [`review`]: what a person decides of it
//! - [`permit`]: what is let through for a time; [`kept`]: files of what holds
//! - [`text`]: byte strings for people and programs
//!
//! Arrows go downwards: `cli` → `agent` → the rest. `profile` never names aya, and
//! `kernel` never names serde; they meet in the types of `enforcer_abi`.

pub mod agent;
pub mod apparmor;
pub mod cli;
pub mod detection;
pub mod draft;
pub mod history;
pub mod kept;
pub mod kernel;
pub mod learn;
pub mod permit;
pub mod profile;
pub mod protocol;
pub mod review;
pub mod store;
pub mod text;
pub mod tighten;
