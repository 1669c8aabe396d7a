//! Tests: what any machine can run, then what needs a kernel of its own.

mod boots;
mod legacy;
mod library;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::build::{self, Mode, Noise, Place, Program};
use crate::toolchain::Toolchain;
use crate::vm::{self, Output, Vm, kernel};
use crate::{setup, util};

/// Exit status for "a test failed".
const EXIT_FAILED: u8 = 1;

/// Kernels that are always tested.
const USUAL: [&str; 2] = ["6.1", "6.12"];

/// The kernel that is booted without BPF among its security modules, and fully
/// preemptible.
const OLDEST_USUAL: &str = "6.1";

/// The tests beside which a compiler and a package manager run: they need Debian's.
const OUTSIDERS: &str = "outsiders::";

/// What takes many profiles, rules or tasks, of which a kernel makes nothing of its own:
/// left out on the second and further kernels, unless tests are asked for by name.
const LARGE: [&str; 2] = ["limits::profiles::", "limits::tasks::"];

/// The kernel of the outsiders.
const OF_OUTSIDERS: &str = "6.12";

/// The packages that they need.
const OF_BUILDERS: [&str; 3] = ["dpkg", "libc6-dev", "tcc"];

/// When to give up on one kernel: emulated machines are slow.
const TIMEOUT: Duration = Duration::from_mins(45);

/// Memory of a guest, in MiB: a thousand profiles and ten thousand tasks take some.
const MEMORY: u64 = 1536;

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Test on every supported kernel, the oldest and the newest first
    #[arg(long, conflicts_with = "kernels")]
    full: bool,
    /// Begin with no second or further kernel, nor with the shipped profiles, after so many
    /// minutes
    #[arg(long, value_name = "MINUTES")]
    within: Option<u64>,
    /// Kernel to test on: a series or the path of an image [default: 6.1 and 6.12]
    #[arg(long = "kernel", value_name = "SERIES")]
    kernels: Vec<String>,
    /// Run only tests whose name contains this
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

/// Runs all tests, and fails if one does.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(setup::MACHINES)?;
    let start = Instant::now();
    let within = args.within.map(Duration::from_mins);
    let mut left_out = Vec::new();
    let mut summary = Vec::new();
    let mut passed = true;
    let mut note = |what: &str, ok: bool, duration: Duration| {
        let verdict = if ok { "passed" } else { "FAILED" };
        summary.push(format!(
            "{what}: {verdict} in {:.1} s",
            duration.as_secs_f32()
        ));
        passed &= ok;
    };

    let (ok, duration) = util::timed(|| host(&args.filters));
    note("host", ok?, duration);

    let objects = build::objects(Noise::Quiet)?;
    let (ok, duration) = util::timed(|| legacy::check(&objects.join(build::LEGACY_OBJECT)));
    note("what the object for old kernels uses", told(&ok), duration);
    if args.filters.is_empty() {
        let (ok, duration) =
            util::timed(|| build::agent(Place::Arm, Mode::Debug, Noise::Quiet, &objects).map(drop));
        note("an agent for aarch64", told(&ok), duration);
    }
    let agent = build::agent(Place::Guest, Mode::Release, Noise::Quiet, &objects)?;
    let programs = build::tests(&objects)?;
    let files: Vec<_> = vm::product(agent)
        .into_iter()
        .chain(vm::programs(&programs))
        .collect();
    let guest = |kernel: &str, packages: &[&str], memory, filters: &[String], more: &[&str]| {
        let harness = programs.iter().find(|program| program.is_test);
        let harness = harness.context("the guest tests have no harness")?;
        let vm = Vm {
            kernel: kernel.to_owned(),
            packages: packages.iter().map(|&name| name.to_owned()).collect(),
            files: files.clone(),
            memory: Some(memory),
            timeout: TIMEOUT,
            env: environment(),
            cmd: command(harness, filters, more),
            output: Output::Keep,
            ..Vm::default()
        };
        let outcome = vm.run()?;
        let tests = count(&String::from_utf8_lossy(&outcome.stdout));
        // A harness that ran nothing, and was not told to, proves nothing.
        let ok = outcome.status == 0 && (tests > 0 || !args.filters.is_empty());
        anyhow::Ok((ok, tests, outcome.duration))
    };
    for (number, kernel) in kernels(args).into_iter().enumerate() {
        if number > 0 && within.is_some_and(|within| start.elapsed() > within) {
            left_out.push(kernel);
            continue;
        }
        util::say(format_args!("testing on kernel {kernel}"));
        let mut skips = vec!["--skip", OUTSIDERS, "--skip", library::TESTS];
        if number > 0 && args.filters.is_empty() {
            skips.extend(LARGE.iter().flat_map(|test| ["--skip", test]));
        }
        let (ok, tests, duration) = guest(&kernel, &[], MEMORY, &args.filters, &skips)?;
        note(&format!("kernel {kernel}, {tests} tests"), ok, duration);
    }
    let asked = library::asked(&args.filters);
    if !asked.is_empty() && within.is_some_and(|within| start.elapsed() > within) {
        left_out.push(format!("{} with the shipped profiles", library::KERNEL));
    } else if !asked.is_empty() {
        let kernel = library::KERNEL;
        let (ok, tests, duration) =
            guest(kernel, &library::PACKAGES, library::MEMORY, &asked, &[])?;
        let what = format!("shipped profiles on {kernel}, {tests} tests");
        note(&what, ok, duration);
    }
    if args.filters.is_empty() {
        let only = [OUTSIDERS.to_owned()];
        let (ok, tests, duration) = guest(OF_OUTSIDERS, &OF_BUILDERS, MEMORY, &only, &[])?;
        note(
            &format!("outsiders on {OF_OUTSIDERS}, {tests} tests"),
            ok,
            duration,
        );
        let (ok, duration) = util::timed(|| boots::without_bpf(OLDEST_USUAL, &files));
        note("a kernel without bpf in lsm=", ok?, duration);
        let (ok, duration) = util::timed(|| boots::preempted(OLDEST_USUAL, &files));
        note("a kernel that is fully preemptible", ok?, duration);
    }
    for line in summary {
        util::say(line);
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        util::say(format_args!("left out for want of time: kernel {left_out}"));
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    })
}

/// Tells what is wrong, and returns whether nothing is.
fn told(result: &Result<()>) -> bool {
    if let Err(error) = result {
        util::say(format_args!("{error:#}"));
    }
    result.is_ok()
}

/// Runs the tests that any machine can run: those of the default members.
fn host(filters: &[String]) -> Result<bool> {
    let mut cargo = Toolchain::Ours.cargo();
    cargo.arg("test");
    if util::in_ci() {
        cargo.arg("--locked");
    }
    cargo.arg("--target-dir").arg(util::target_dir());
    cargo.env("ENFORCER_APPARMOR_PROFILES", vm::profiles::apparmor()?);
    cargo.envs(environment());
    Ok(cargo.arg("--").args(filters).status()?.success())
}

/// Returns the kernels to test on, in order.
fn kernels(args: &Args) -> Vec<String> {
    if args.full {
        // What breaks, breaks at the ends first.
        let mut series = kernel::SERIES.to_vec();
        series.rotate_right(1);
        if let Some([newest, oldest]) = series.get_mut(..2) {
            std::mem::swap(newest, oldest);
        }
        return series.into_iter().map(str::to_owned).collect();
    }
    if args.kernels.is_empty() {
        return USUAL.map(str::to_owned).to_vec();
    }
    args.kernels.clone()
}

/// Returns what the tests' environment is to have.
fn environment() -> Vec<(String, String)> {
    let mut env = vec![("RUST_BACKTRACE".to_owned(), "1".to_owned())];
    if util::in_ci() {
        env.push(("ENFORCER_TEST_NO_SKIP".to_owned(), "1".to_owned()));
    }
    env
}

/// Returns the command that runs a harness in the guest.
///
/// One test at a time: they share a kernel, and what they load into it.
fn command(harness: &Program, filters: &[String], more: &[&str]) -> Vec<std::ffi::OsString> {
    let mut command = vec![vm::path_of(harness), "--test-threads=1".into()];
    command.extend(more.iter().map(Into::into));
    command.extend(filters.iter().map(Into::into));
    command
}

/// Returns how many tests passed, from a harness's closing lines.
fn count(output: &str) -> u32 {
    let closing = output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: "));
    let passed = closing.filter_map(|line| line.split_once(" passed")?.0.rsplit(' ').next());
    passed.filter_map(|number| number.parse::<u32>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        let output = "running 2 tests\ntest a ... ok\n\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n";
        assert_eq!(count(output), 12);
        assert_eq!(count(&output.repeat(2)), 24);
        assert_eq!(count("test result: odd"), 0);
    }

    #[test]
    fn kernels_at_the_ends_come_first() {
        let full = Args {
            full: true,
            within: None,
            kernels: Vec::new(),
            filters: Vec::new(),
        };
        assert_eq!(kernels(&full), ["5.10", "7.2", "6.1", "6.12", "6.17"]);
        assert_eq!(
            kernels(&Args {
                full: false,
                ..full
            }),
            USUAL
        );
    }
}
