//! Virtual machines: boots a kernel with the product in it and runs a command.
//!
//! * [`kernel`]: which kernel; [`modules`]: what of it is not built in
//! * [`packages`]: which Debian packages; both come through [`apt`], as do
//!   [`profiles`] of AppArmor for the tests
//! * [`image`]: the guest's root, an archive made by [`cpio`]
//! * [`command`]: what is run, and the kernel's command line
//! * [`qemu`]: the machine; [`console`]: what its kernel says

mod apt;
mod command;
mod console;
mod cpio;
mod image;
pub(crate) mod kernel;
mod modules;
mod packages;
pub(crate) mod profiles;
mod qemu;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build::{self, Mode, Noise, Place, Program};
use crate::{setup, util};
pub(crate) use image::Files;
use kernel::Kernel;
use packages::Packages;
pub(crate) use qemu::Output;
use qemu::{Ended, Machine};

/// Exit status for "the time was up", as `timeout` of coreutils has it.
const EXIT_TIMEOUT: u8 = 124;

/// Exit status for "the guest ended without the command's exit status".
const EXIT_CRASH: u8 = 125;

/// Name of a run's image.
const INITRD: &str = "initrd";

/// Most boots of a guest: emulated, one now and then dies while the kernel patches itself.
const BOOTS: u32 = 3;

/// Options of `cargo xtask vm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Series of the kernel (5.10, 6.1, 6.12, 6.17, 7.2) or path of an image
    #[arg(long, default_value = DEFAULT_KERNEL)]
    kernel: String,
    /// Words for the kernel's command line
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    append: String,
    /// Let guest time count instructions: 1 ns is 1 instruction
    #[arg(long)]
    icount: bool,
    /// Memory in MiB [default: what the image takes, at least 512]
    #[arg(long)]
    memory: Option<u64>,
    /// Number of processors [default: 2, or 1 with --icount]
    #[arg(long)]
    smp: Option<u32>,
    /// Debian package to unpack in the guest, with what it depends on
    #[arg(long = "package", value_name = "DEB")]
    packages: Vec<String>,
    /// File or folder to put in the guest
    #[arg(long = "file", value_name = "SRC:DST", value_parser = parse_file)]
    files: Vec<(PathBuf, PathBuf)>,
    /// Seconds after which the guest is killed
    #[arg(long, value_name = "S", default_value_t = 600)]
    timeout: u64,
    /// Leave the agent out, and do not build it
    #[arg(long)]
    no_agent: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    cmd: Vec<OsString>,
}

/// The kernel that is taken where none is named.
pub(crate) const DEFAULT_KERNEL: &str = "6.12";

/// Folder of the programs of `enforcer-tests` in a guest.
pub(crate) const PROGRAMS: &str = "/usr/lib/enforcer";

/// A guest to be run.
#[derive(Clone, Debug)]
pub(crate) struct Vm {
    /// Series of the kernel, or path of an image.
    pub(crate) kernel: String,
    /// Words for the kernel's command line.
    pub(crate) append: String,
    /// Whether guest time counts instructions.
    pub(crate) icount: bool,
    /// Memory in MiB, or as much as the image takes.
    pub(crate) memory: Option<u64>,
    /// Number of processors, or the usual one.
    pub(crate) smp: Option<u32>,
    /// Debian packages.
    pub(crate) packages: Vec<String>,
    /// Files and folders of the host, and their paths in the guest.
    pub(crate) files: Vec<(PathBuf, PathBuf)>,
    /// When to give up.
    pub(crate) timeout: Duration,
    /// Variables for the command.
    pub(crate) env: Vec<(String, String)>,
    /// The command and its arguments.
    pub(crate) cmd: Vec<OsString>,
    /// What to do with what it writes to stdout; stderr is handed on.
    pub(crate) output: Output,
    /// What every line that is handed on begins with; empty for nothing.
    pub(crate) label: String,
}

/// What became of a guest.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The command's exit status; 124 if the time was up, 125 if the guest
    /// ended without one.
    pub(crate) status: u8,
    /// What the command wrote to stdout, if kept.
    pub(crate) stdout: Vec<u8>,
    /// From the start of the machine to its end.
    pub(crate) duration: Duration,
}

/// Runs the command line's guest.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    setup::ensure(setup::MACHINES)?;
    let mut files = args.files;
    if !args.no_agent {
        let objects = build::objects(Noise::Quiet)?;
        let agent = build::agent(Place::Guest, Mode::Release, Noise::Quiet, &objects)?;
        files.splice(0..0, product(agent));
    }
    let vm = Vm {
        kernel: args.kernel,
        append: args.append,
        icount: args.icount,
        memory: args.memory,
        smp: args.smp,
        packages: args.packages,
        files,
        timeout: Duration::from_secs(args.timeout),
        cmd: args.cmd,
        ..Vm::default()
    };
    Ok(ExitCode::from(vm.run()?.status))
}

/// Returns the files that make up the product, and where they belong.
pub(crate) fn product(agent: PathBuf) -> [(PathBuf, PathBuf); 2] {
    let profiles = util::workspace_root().join("profiles");
    [
        (agent, "/usr/bin/enforcer".into()),
        (profiles, "/etc/enforcer/profiles".into()),
    ]
}

/// Returns the files that the programs of `enforcer-tests` make, likewise.
pub(crate) fn programs(programs: &[Program]) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    programs
        .iter()
        .map(|program| (program.path.clone(), path_of(program).into()))
}

/// Returns where a program of `enforcer-tests` is in a guest; a harness has a
/// name of its own, since a program can have the same as a test.
pub(crate) fn path_of(program: &Program) -> OsString {
    let ending = if program.is_test { "-tests" } else { "" };
    format!("{PROGRAMS}/{}{ending}", program.name).into()
}

impl Default for Vm {
    fn default() -> Self {
        Self {
            kernel: DEFAULT_KERNEL.to_owned(),
            append: String::new(),
            icount: false,
            memory: None,
            smp: None,
            packages: Vec::new(),
            files: Vec::new(),
            timeout: Duration::from_mins(10),
            env: Vec::new(),
            cmd: Vec::new(),
            output: Output::Pass,
            label: String::new(),
        }
    }
}

impl Vm {
    /// As [`Vm::run`], in a guest whose time counts instructions: for what prints figures.
    /// Says how long `what` took.
    pub(crate) fn count(self, what: &str) -> Result<Outcome> {
        let vm = Self {
            // Addresses are the same in every boot, so that counts are, too.
            append: format!("nokaslr norandmaps {}", self.append),
            icount: true,
            output: Output::Take,
            ..self
        };
        let outcome = vm.run()?;
        let seconds = outcome.duration.as_secs_f32();
        util::say(format_args!("{}, {what}: {seconds:.1} s", vm.kernel));
        Ok(outcome)
    }

    /// Boots the guest, runs the command, and waits for the end.
    ///
    /// A guest that crashes or takes too long is told about on stderr, and is
    /// not an error.
    ///
    /// # Errors
    ///
    /// If the guest cannot be made or started.
    pub(crate) fn run(&self) -> Result<Outcome> {
        setup::ensure(setup::MACHINES)?;
        let (kernel, packages) = self.cached()?;
        let dir = run_dir()?;
        let initrd = dir.join(INITRD);
        let script = command::script(&self.cmd, &self.env);
        let mut files = self.files.clone();
        let overlay = kernel.overlay.iter().cloned();
        files.extend(overlay.map(|overlay| (overlay, modules::IN_GUEST.into())));
        let contents = image::Contents {
            packages: packages.as_ref(),
            files: &files,
            script: &script,
        };
        let size = image::write(&initrd, &contents)?;
        let machine = Machine {
            kernel: &kernel.image,
            initrd: &initrd,
            append: &command::kernel_line(&kernel, &self.append, self.icount),
            icount: self.icount,
            processors: self.smp.unwrap_or(if self.icount { 1 } else { 2 }),
            memory: self.memory.unwrap_or_else(|| memory(size)),
            timeout: self.timeout,
            output: self.output,
            label: &self.label,
            dir: &dir,
        };
        let start = Instant::now();
        let ended = self.boot(&machine);
        let duration = start.elapsed();
        fs::remove_file(&initrd)?;
        let ended = ended?;
        let status = match ended.status {
            Some(status) => {
                fs::remove_dir_all(&dir)?;
                status
            }
            None => self.explain(&machine, &ended),
        };
        Ok(Outcome {
            status,
            stdout: ended.stdout,
            duration,
        })
    }

    /// Runs the machine; again, if it crashes before the command is started, or as
    /// only an emulated one does.
    fn boot(&self, machine: &Machine<'_>) -> Result<Ended> {
        for boot in 1..BOOTS {
            let ended = machine.run()?;
            let crashed = ended.status.is_none() && !ended.timed_out;
            let patched = console::was_patching(&machine.console());
            if !crashed || ended.started && !patched {
                return Ok(ended);
            }
            let what = if patched {
                "met a breakpoint that the emulator should not have seen any more"
            } else {
                "crashed while it booted"
            };
            util::say(format_args!(
                "guest with kernel {} {what}, try {boot} of {BOOTS}:\n{}",
                self.kernel,
                console::tail(&machine.console())
            ));
        }
        machine.run()
    }

    /// Returns what may have to be downloaded first.
    fn cached(&self) -> Result<(Kernel, Option<Packages>)> {
        let _lock = packages::lock()?;
        Ok((Kernel::find(&self.kernel)?, Packages::get(&self.packages)?))
    }

    /// Tells why there is no exit status, and returns one for that.
    fn explain(&self, machine: &Machine<'_>, ended: &Ended) -> u8 {
        let console = machine.console();
        let mut text = console::tail(&console);
        if text.is_empty() {
            text = console::tail(&machine.messages());
        }
        let (what, status) = if ended.timed_out {
            (
                format!("did not end within {} s", self.timeout.as_secs()),
                EXIT_TIMEOUT,
            )
        } else {
            (
                "ended without the command's exit status".to_owned(),
                EXIT_CRASH,
            )
        };
        util::say(format_args!(
            "guest with kernel {} {what}; the console's last lines are\n{text}\nxtask: the whole console is in {}",
            self.kernel,
            console.display(),
        ));
        status
    }
}

/// Makes a folder for one run.
fn run_dir() -> Result<PathBuf> {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let parent = util::target_dir().join("vm");
    for entry in fs::read_dir(&parent)? {
        let entry = entry?;
        let name = entry.file_name();
        // A run that was cut off leaves its image behind.
        if is_over(&name.to_string_lossy()) && entry.path().join(INITRD).exists() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    let dir = parent.join(format!("run-{}-{run}", process::id()));
    // An earlier process can have had our number.
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

/// Tells whether a folder is of a run whose process has ended.
fn is_over(name: &str) -> bool {
    let process = name
        .strip_prefix("run-")
        .and_then(|name| name.split_once('-'));
    process.is_some_and(|(process, _)| !Path::new("/proc").join(process).exists())
}

/// Returns the memory, in MiB, for an image of `size` bytes.
///
/// While it is unpacked, it is there twice; and half of the memory is the most
/// that the root may take.
fn memory(size: u64) -> u64 {
    let image = size.div_ceil(1 << 20);
    (384 + 3 * image).max(512)
}

/// Takes `SRC:DST` apart.
fn parse_file(text: &str) -> Result<(PathBuf, PathBuf)> {
    let Some((source, path)) = text.rsplit_once(':') else {
        bail!("give the file's path here, a colon, and its path in the guest");
    };
    if !path.starts_with('/') {
        bail!("the path in the guest must be absolute");
    }
    if !Path::new(source).exists() {
        bail!("{source} does not exist");
    }
    Ok((source.into(), path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_the_image() {
        assert_eq!(memory(3 << 20), 512);
        assert_eq!(memory((100 << 20) + 1), 687);
    }

    #[test]
    fn a_file_has_two_paths() {
        assert_eq!(
            parse_file("/dev/null:/a").unwrap(),
            ("/dev/null".into(), "/a".into())
        );
        for wrong in ["/dev/null", "/dev/null:a", "/nonexistent:/a"] {
            assert!(parse_file(wrong).is_err(), "{wrong}");
        }
    }
}
