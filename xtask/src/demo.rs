//! The whole product on a real nginx, in a virtual machine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::build::{self, Mode, Noise, Place};
use crate::vm::{self, Vm};
use crate::{setup, util};

/// The program in the guest that tells the story; in package `enforcer-tests`.
const STORY: &str = "demo";

/// Runs the demonstration; its exit status is that of the program in the guest.
pub(crate) fn run() -> Result<ExitCode> {
    let start = Instant::now();
    setup::ensure(setup::MACHINES)?;
    let objects = build::objects(Noise::Quiet)?;
    let agent = build::agent(Place::Guest, Mode::Release, Noise::Quiet, &objects)?;
    let programs = build::tests(&objects)?;
    programs
        .iter()
        .find(|program| program.name == STORY)
        .with_context(|| format!("package enforcer-tests has no program {STORY}"))?;
    let vm = Vm {
        packages: ["nginx", "libnginx-mod-http-perl"]
            .map(str::to_owned)
            .to_vec(),
        files: vm::product(agent)
            .into_iter()
            .chain(vm::programs(&programs))
            .collect(),
        timeout: Duration::from_mins(5),
        cmd: vec![format!("{}/{STORY}", vm::PROGRAMS).into()],
        ..Vm::default()
    };
    let outcome = vm.run()?;
    util::say(format_args!(
        "demo took {:.1} s",
        start.elapsed().as_secs_f32()
    ));
    Ok(ExitCode::from(outcome.status))
}
