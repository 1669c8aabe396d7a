//! End-to-end tests: a system call's errno, the detection, and that outsiders
//! are untouched. They run as root in a virtual machine: `cargo xtask test`.

mod agent;
mod agreement;
mod exec;
mod open;
mod path;
mod subject;
mod tighten;
