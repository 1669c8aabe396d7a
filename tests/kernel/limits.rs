//! The limits: what is at one is granted, what is beyond it is refused for that
//! reason, and a profile that is beyond it is not loaded.

mod contained;
mod paths;
mod profiles;
mod tasks;

use std::{ffi::OsStr, process::Command};

/// `enforcer exec` of a program of this package.
pub(crate) fn confined<A: AsRef<OsStr>>(profile: &str, name: &str, args: &[A]) -> Command {
    let mut command = Command::new("enforcer");
    command.args(["exec", "--profile", profile, "--"]);
    command.arg(enforcer_tests::program(name)).args(args);
    command
}
