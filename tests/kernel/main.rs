//! End-to-end tests: a system call's errno, the detection, and that outsiders
//! are untouched. They run as root in a virtual machine: `cargo xtask test`.

mod agent;
mod agreement;
mod background;
mod conformance;
mod contain;
mod exec;
mod expiry;
mod filesystems;
mod history;
mod learn;
mod library;
mod limits;
mod memory;
mod mounts;
mod network;
mod open;
mod outsiders;
mod path;
mod race;
mod reasons;
mod review;
mod rules;
mod stale;
mod subject;
mod tighten;
mod trial;
