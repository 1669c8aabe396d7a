//! The profiles that are shipped, with the programs that they are for.
//!
//! Each program is as Debian packages it, is started as its service does, and goes through
//! its normal work: nothing of that is refused. Then it is misused: by itself where its
//! attacker can make it, and else by a process in its domain. Each misuse is refused, is
//! told, and works for who is not confined: what Linux checks by itself is left open.
//!
//! - [`program`]: what a program's file says, and how it is run
//! - [`lesson`]: what is learned of a program by watching it
//! - [`scene`]: accounts, and what there is for a misuse
//! - [`service`]: programs that run, and talking to them

mod builder;
mod cron;
mod dnsmasq;
mod git;
mod haproxy;
mod lesson;
mod memcached;
mod nginx;
mod postgres;
mod program;
mod python;
mod redis;
mod rsyslog;
mod scene;
mod service;
mod ssh;

use lesson::{Lesson, Taught};
use program::{Misuse, Program};
use service::{Service, ask, command, file, run, says, wait};
