//! What takes a boot of its own: a kernel without BPF among its security modules, and one
//! that is fully preemptible.

use std::time::Duration;

use anyhow::Result;

use crate::util;
use crate::vm::{Files, Output, Vm};

/// When to give up on one boot.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Without `bpf` in `lsm=` the agent has to say so, and what to do, and exit
/// with 3.
pub(super) fn without_bpf(kernel: &str, files: &Files) -> Result<bool> {
    let vm = Vm {
        kernel: kernel.to_owned(),
        append: "lsm=landlock,yama".to_owned(),
        files: files.to_vec(),
        timeout: TIMEOUT,
        cmd: ["sh", "-c", "enforcer run 2>&1"].map(Into::into).to_vec(),
        output: Output::Keep,
        ..Vm::default()
    };
    let outcome = vm.run()?;
    let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let told = text.contains("add lsm=") && text.contains("landlock,yama,bpf");
    let good = outcome.status == 3 && told;
    if !good {
        util::say(format_args!(
            "without bpf the agent exits with {} and says {text:?}",
            outcome.status
        ));
    }
    Ok(good)
}

/// On a kernel that is too old to be fully preemptible the agent has to say so, and
/// exit with 3; and to start with a gap where that is accepted.
pub(super) fn preempted(kernel: &str, files: &Files) -> Result<bool> {
    const SCRIPT: &str = "enforcer run 2>&1; echo exit $?; \
        enforcer run --allow-degraded preempt 2>&1 & \
        enforcer status --wait 60 && enforcer status --json; kill $!; wait";
    let vm = Vm {
        kernel: kernel.to_owned(),
        append: "preempt=full".to_owned(),
        files: files.to_vec(),
        timeout: TIMEOUT,
        cmd: ["sh", "-c", SCRIPT].map(Into::into).to_vec(),
        output: Output::Keep,
        ..Vm::default()
    };
    let text = String::from_utf8_lossy(&vm.run()?.stdout).into_owned();
    let good = text
        .split_once("exit 3\n")
        .is_some_and(|(refused, started)| {
            refused.contains("boot with preempt=voluntary")
                && started.contains("\"tasks are preempted inside this kernel")
        });
    if !good {
        util::say(format_args!("fully preemptible: {text:?}"));
    }
    Ok(good)
}
