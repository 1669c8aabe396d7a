//! Measures how the product grows: with profiles, rules, tasks, files and violations.
//!
//! Each table has a guest of its own, in which time counts instructions; the program
//! `scale` of package `enforcer-tests` measures there.
//!
//! * [`tables`]: what is measured; [`figures`]: what came of it, and how it is shown

mod figures;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::vm::{self, Vm};
use crate::{setup, util};
use figures::Figures;
use tables::{CHECK, Table};

/// The program in the guest; in package `enforcer-tests`.
const PROGRAM: &str = "scale";

/// Exit status for a table that could not be measured.
const EXIT_FAILED: u8 = 1;

/// When to give up on one guest.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The one security module is ours.
const APPEND: &str = "lsm=bpf";

/// Options of `cargo xtask scale`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kernel to measure on: a series or the path of an image
    #[arg(long, default_value = vm::DEFAULT_KERNEL, value_name = "SERIES")]
    kernel: String,
    /// Write the figures to a file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure only these tables
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
}

/// The programs.
struct Programs {
    agent: PathBuf,
    scale: build::Program,
}

/// Measures, and prints a table after the other.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(setup::MACHINES)?;
    let start = Instant::now();
    let tables = tables::chosen(&args.tables)?;
    let (agent, scale) = build::measuring(PROGRAM)?;
    let programs = Programs { agent, scale };
    let mut figures = Figures::default();
    let mut failures = 0;
    for table in tables {
        if let Err(error) = measure(&args.kernel, table, &programs, &mut figures) {
            util::say(format_args!("{}: {error:#}", table.name));
            failures += 1;
        }
        figures.print(&args.kernel, table)?;
    }
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&figures.to_json(&args.kernel))?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    let seconds = start.elapsed().as_secs_f32();
    util::say(format_args!("scale took {seconds:.1} s"));
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAILED)
    })
}

/// Measures a table.
fn measure(kernel: &str, table: &Table, programs: &Programs, figures: &mut Figures) -> Result<()> {
    if table.columns.iter().any(|column| column.what == CHECK) {
        for &size in table.sizes {
            let took = check(table, size, programs)?;
            figures.add(table, size, CHECK, u64::try_from(took.as_nanos())?);
        }
    }
    let mut cmd: Vec<_> = [
        Path::new(vm::PROGRAMS).join(PROGRAM).into(),
        "measure".into(),
        table.name.into(),
    ]
    .into();
    cmd.extend(table.sizes.iter().map(|size| size.to_string().into()));
    let files = vm::product(programs.agent.clone()).into_iter();
    let vm = Vm {
        kernel: kernel.to_owned(),
        append: APPEND.to_owned(),
        memory: Some(table.memory),
        files: files
            .chain(vm::programs(std::slice::from_ref(&programs.scale)))
            .collect(),
        timeout: TIMEOUT,
        cmd,
        ..Vm::default()
    };
    let outcome = vm.count(table.name)?;
    // What was measured before something failed is worth having.
    let parsed = figures.parse(table, &outcome.stdout);
    if outcome.status != 0 {
        bail!("{PROGRAM} exited with {} in the guest", outcome.status);
    }
    parsed.with_context(|| format!("cannot read what {PROGRAM} printed"))
}

/// How long `enforcer check` takes on this machine for the profiles of a row: to read and
/// compile them, without a kernel.
fn check(table: &Table, size: u64, programs: &Programs) -> Result<Duration> {
    let folder = util::target_dir().join(format!("scale-{}", process::id()));
    let mut write = Command::new(&programs.scale.path);
    write.args(["write", table.name, &size.to_string()]);
    let took = util::run(write.arg(&folder)).and_then(|()| {
        let mut check = Command::new(&programs.agent);
        check.arg("check").arg(&folder).stdout(Stdio::null());
        let start = Instant::now();
        util::run(&mut check).map(|()| start.elapsed())
    });
    fs::remove_dir_all(&folder)?;
    took
}
