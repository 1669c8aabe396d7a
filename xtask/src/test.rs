//! Tests: what any machine can run, then what needs a kernel of its own.

mod boots;
mod groups;
mod guests;
mod legacy;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::build::{self, Mode, Noise, Place, Program};
use crate::toolchain::Toolchain;
use crate::vm::{self, kernel};
use crate::{setup, util};
use guests::{Job, Outcome, Tests};

/// Exit status for "a test failed".
const EXIT_FAILED: u8 = 1;

/// Kernels that are always tested.
const USUAL: [&str; 2] = ["6.1", "6.12"];

/// The kernel that is booted without BPF among its security modules, and fully
/// preemptible.
const OLDEST_USUAL: &str = "6.1";

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Test on every supported kernel, the oldest and the newest first
    #[arg(long, conflicts_with = "kernels")]
    full: bool,
    /// Begin with no further kernel, nor with the shipped profiles, after so many minutes
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
    let harness = programs.iter().find(|program| program.is_test);
    let harness = harness.context("the guest tests have no harness")?;
    let names = guests::names(harness)?;
    known(&args.filters, &names)?;
    let until = args
        .within
        .map(|minutes| start + Duration::from_mins(minutes));
    let mut left_out = Vec::new();
    for (name, outcome) in guests::run(jobs(args, harness, &names, &files), until)? {
        match outcome {
            Outcome::Done { passed, duration } => {
                let tests = passed.map_or(String::new(), |tests| format!(", {tests} tests"));
                note(&format!("{name}{tests}"), passed.is_some(), duration);
            }
            Outcome::LeftOut => left_out.push(name),
        }
    }
    for line in summary {
        util::say(line);
    }
    if !left_out.is_empty() {
        let left_out = left_out.join("; ");
        util::say(format_args!("left out for want of time: {left_out}"));
    }
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    })
}

/// Returns what is to be done in guests, in order: what is asked for by `args`, of the
/// tests in `names`.
fn jobs<'a>(
    args: &'a Args,
    harness: &'a Program,
    names: &'a [String],
    files: &'a vm::Files,
) -> Vec<Job<'a>> {
    let asked = |name: &&str| {
        let mut filters = args.filters.iter();
        args.filters.is_empty() || filters.any(|filter| name.contains(filter.as_str()))
    };
    let names: Vec<&str> = names.iter().map(String::as_str).filter(asked).collect();
    let tests = |name: String, optional, alone, tests: Tests<'a>| Job {
        name,
        optional,
        alone,
        work: Box::new(move || tests.run(harness, files, environment())),
    };
    let mut jobs = Vec::new();
    // What takes the longest comes first.
    let everywhere = groups::elsewhere(&names);
    for (number, kernel) in kernels(args).into_iter().enumerate() {
        if everywhere.is_empty() {
            break;
        }
        let parts = groups::parts(&everywhere);
        let count = parts.len();
        for (at, names) in (1..).zip(parts) {
            let part = if count > 1 {
                format!(", part {at} of {count}")
            } else {
                String::new()
            };
            let ours = Tests {
                label: kernel,
                kernel,
                packages: &[],
                memory: groups::MEMORY,
                names,
            };
            jobs.push(tests(
                format!("kernel {kernel}{part}"),
                number > 0,
                false,
                ours,
            ));
        }
    }
    for group in &groups::GROUPS {
        let ours = Tests {
            label: group.name,
            kernel: group.kernel,
            packages: group.packages,
            memory: group.memory,
            names: group.of(&names),
        };
        if !ours.names.is_empty() {
            let name = format!("{} on {}", group.name, group.kernel);
            jobs.push(tests(name, group.optional, group.alone, ours));
        }
    }
    if args.filters.is_empty() {
        type Boot = fn(&str, &vm::Files) -> Result<bool>;
        let boots: [(&str, Boot); 2] = [
            ("a kernel without bpf in lsm=", boots::without_bpf),
            ("a kernel that is fully preemptible", boots::preempted),
        ];
        jobs.extend(boots.map(|(name, boot)| Job {
            name: name.to_owned(),
            optional: false,
            alone: false,
            work: Box::new(move || Ok(boot(OLDEST_USUAL, files)?.then_some(1))),
        }));
    }
    // What can be left out comes last: it begins if there is time still.
    jobs.sort_by_key(|job| job.optional);
    jobs
}

/// Fails if a filter is in no test's name: what runs nothing proves nothing.
fn known(filters: &[String], in_guests: &[String]) -> Result<()> {
    if filters.is_empty() {
        return Ok(());
    }
    let mut cargo = host_cargo()?;
    let here = guests::listed(&util::read(cargo.args(["--quiet", "--", "--list"]))?);
    for filter in filters {
        ensure!(
            here.iter()
                .chain(in_guests)
                .any(|name| name.contains(filter)),
            "no test's name contains {filter:?}"
        );
    }
    Ok(())
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
    Ok(host_cargo()?.arg("--").args(filters).status()?.success())
}

/// Returns a cargo that builds and runs those tests.
fn host_cargo() -> Result<Command> {
    let mut cargo = Toolchain::Ours.cargo();
    cargo.arg("test");
    if util::in_ci() {
        cargo.arg("--locked");
    }
    cargo.arg("--target-dir").arg(util::target_dir());
    cargo.env("ENFORCER_APPARMOR_PROFILES", vm::profiles::apparmor()?);
    cargo.envs(environment());
    Ok(cargo)
}

/// Returns the kernels to test on, in order.
fn kernels(args: &Args) -> Vec<&str> {
    if args.full {
        // What breaks, breaks at the ends first.
        let mut series = kernel::SERIES.to_vec();
        series.rotate_right(1);
        if let Some([newest, oldest]) = series.get_mut(..2) {
            std::mem::swap(newest, oldest);
        }
        return series;
    }
    if args.kernels.is_empty() {
        return USUAL.to_vec();
    }
    args.kernels.iter().map(String::as_str).collect()
}

/// Returns what the tests' environment is to have.
fn environment() -> Vec<(String, String)> {
    let mut env = vec![("RUST_BACKTRACE".to_owned(), "1".to_owned())];
    if util::in_ci() {
        env.push(("ENFORCER_TEST_NO_SKIP".to_owned(), "1".to_owned()));
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_is_asked_for_is_done_in_order() {
        let names = ["open::a", "library::b", "limits::tasks::c", "outsiders::d"];
        let names = names.map(str::to_owned);
        let harness = Program {
            name: "kernel".to_owned(),
            is_test: true,
            path: "/nonexistent".into(),
        };
        #[rustfmt::skip]
        let cases: [(&[&str], &[&str]); 4] = [
            (&[],                &["kernel 6.1", "limits on 6.12", "outsiders on 6.12",
                                   "a kernel without bpf in lsm=", "a kernel that is fully preemptible",
                                   "kernel 6.12", "shipped profiles on 6.12"]),
            (&["library"],       &["shipped profiles on 6.12"]),
            (&["open", "tasks"], &["kernel 6.1", "limits on 6.12", "kernel 6.12"]),
            (&["network"],       &[]),
        ];
        for (filters, want) in cases {
            let args = Args {
                full: false,
                within: None,
                kernels: Vec::new(),
                filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
            };
            let jobs = jobs(&args, &harness, &names, &[]);
            let got: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
            assert_eq!(got, want, "{filters:?}");
        }
    }
}
