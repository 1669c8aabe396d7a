//! Counts what confinement costs, in instructions: for this product and for the security
//! modules that kernels have.
//!
//! Each set-up has a guest of its own, with only its security module, in which time
//! counts instructions; the program `bench` of package `enforcer-tests` measures there.
//!
//! * [`setups`]: what is measured; [`figures`]: what came of it
//! * [`table`]: for people; [`budgets`]: what it may cost

mod budgets;
mod figures;
mod setups;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use crate::build;
use crate::vm::{self, Vm};
use crate::{setup, util};
use budgets::Budgets;
use figures::{Figures, Outcome};
use setups::SetUp;
pub(crate) use table::{aligned, grouped};

/// The program in the guest; in package `enforcer-tests`.
const PROGRAM: &str = "bench";

/// Exit status for "a budget is exceeded", or something could not be measured.
const EXIT_FAILED: u8 = 1;

/// When to give up on one boot.
const TIMEOUT: Duration = Duration::from_mins(10);

/// What every guest has, so that all are alike: a server, and a compiler of profiles.
const PACKAGES: [&str; 2] = ["nginx", "apparmor"];

/// Options of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kernel to measure on: a series or the path of an image [default: 6.12]
    #[arg(long = "kernel", value_name = "SERIES")]
    kernels: Vec<String>,
    /// Measure only set-ups whose name contains this, and the one without a security
    /// module
    #[arg(long = "set-up", value_name = "NAME")]
    set_ups: Vec<String>,
    /// Write the figures to a file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail if a figure is over its budget in tests/budgets.json
    #[arg(long)]
    check: bool,
    /// Measure only rows whose name contains this
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

/// Measures, prints the tables, and checks the budgets if that is asked for.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(setup::MACHINES)?;
    let start = Instant::now();
    // What is wrong with them is told before anything takes long.
    let budgets = Budgets::read(&budgets_file())?;
    let set_ups = setups::chosen(&args.set_ups)?;
    let files = files()?;
    let usual = [vm::DEFAULT_KERNEL.to_owned()];
    let kernels = match args.kernels.as_slice() {
        [] => &usual,
        kernels => kernels,
    };
    let mut figures = Figures::default();
    for kernel in kernels {
        // They count instructions, so they may run at the same time.
        let outcomes = set_ups
            .par_iter()
            .map(|set_up| measure(kernel, set_up, &files, &args.filters));
        let outcomes: Vec<Outcome> = outcomes.collect::<Result<_>>()?;
        for (set_up, outcome) in set_ups.iter().zip(outcomes) {
            figures.add(kernel, set_up.name, outcome);
        }
        table::print(kernel, &set_ups, &figures)?;
    }
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&figures.to_json())?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    let mut wrong = figures.failures();
    if wrong > 0 {
        util::say(format_args!("{wrong} set-ups failed"));
    }
    if args.check {
        let budgets = budgets.of(&set_ups, &args.filters);
        let complaints = kernels
            .iter()
            .flat_map(|kernel| budgets.check(kernel, &figures));
        let complaints: Vec<String> = complaints.collect();
        complaints.iter().for_each(util::say);
        let checked = budgets.count() * kernels.len();
        util::say(format_args!(
            "{} of {checked} budgets are exceeded",
            complaints.len()
        ));
        wrong += complaints.len();
    }
    let seconds = start.elapsed().as_secs_f32();
    util::say(format_args!("bench took {seconds:.1} s"));
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    })
}

/// Returns where the budgets are.
fn budgets_file() -> PathBuf {
    util::workspace_root().join("tests/budgets.json")
}

/// Builds what goes into the guests: files here, and their paths there.
fn files() -> Result<Vec<(PathBuf, PathBuf)>> {
    let (agent, program) = build::measuring(PROGRAM)?;
    let files = vm::product(agent).into_iter();
    Ok(files.chain(vm::programs(&[program])).collect())
}

/// Boots a guest with a set-up and measures there.
fn measure(
    kernel: &str,
    set_up: &SetUp,
    files: &[(PathBuf, PathBuf)],
    filters: &[String],
) -> Result<Outcome> {
    let name = set_up.name;
    let program = Path::new(vm::PROGRAMS).join(PROGRAM);
    let mut cmd = vec![program.into(), "under".into(), name.into()];
    cmd.extend(filters.iter().map(Into::into));
    let vm = Vm {
        kernel: kernel.to_owned(),
        append: set_up.append.to_owned(),
        packages: PACKAGES.map(str::to_owned).to_vec(),
        files: files.to_vec(),
        timeout: TIMEOUT,
        cmd,
        ..Vm::default()
    };
    let outcome = vm.count(name)?;
    if outcome.status != 0 {
        let what = format!("{PROGRAM} exited with {} in the guest", outcome.status);
        util::say(format_args!("{kernel}, {name}: {what}"));
        return Ok(Outcome::Failed(what));
    }
    let outcome = Outcome::parse(&outcome.stdout)
        .with_context(|| format!("cannot read what {PROGRAM} printed on {kernel} under {name}"))?;
    ensure!(
        !outcome.is_empty(),
        "no row's name contains {}; `cargo xtask bench --set-up none` prints them",
        filters.join(" or ")
    );
    Ok(outcome)
}
