//! Project automation: `cargo xtask <command>`.
//!
//! ```text
//! bench, demo, scale, test -> vm -> build -> setup -> toolchain        lint, fuzz -> setup
//!                      vm -> { kernel, packages, profiles } -> apt
//!                         -> image -> cpio
//!                         -> qemu
//! ```
//!
//! Exit status: 0 done, 1 a test or a check failed, 2 any error, 3 the machine
//! lacks something that has to be installed by hand. `vm` and `demo` hand on
//! the status of what ran in the guest instead.

mod bench;
mod build;
mod demo;
mod fuzz;
mod lint;
mod scale;
mod setup;
mod test;
mod toolchain;
mod util;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit status for "install this by hand first".
const EXIT_SETUP: u8 = 3;

/// Exit status for any other error.
const EXIT_ERROR: u8 = 2;

/// The command line.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", about = "Builds, runs and tests enforcer")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Install what the other commands need
    Setup,
    /// Build the kernel programs, then the agent that carries them
    Build(build::Args),
    /// Boot a kernel in QEMU and run a command in it
    Vm(vm::Args),
    /// Show the whole product on a real nginx, in a virtual machine
    Demo,
    /// Run the tests: on this machine, then in virtual machines
    Test(test::Args),
    /// Count what confinement costs, in instructions
    Bench(bench::Args),
    /// Measure how costs grow with profiles, rules, tasks, files and violations
    Scale(scale::Args),
    /// Look for inputs that break the agent
    Fuzz(fuzz::Args),
    /// Check format, lints and the project's own rules
    Lint,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Setup => setup::run(),
        Command::Build(args) => build::run(&args),
        Command::Vm(args) => vm::run(args),
        Command::Demo => demo::run(),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Scale(args) => scale::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Lint => lint::run(),
    };
    done.unwrap_or_else(|err| {
        util::say(format_args!("{err:#}"));
        ExitCode::from(if err.is::<setup::ByHand>() {
            EXIT_SETUP
        } else {
            EXIT_ERROR
        })
    })
}
