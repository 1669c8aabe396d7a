//! What takes a boot of its own: a kernel without BPF among its security modules,
//! and a machine that counts instructions.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::util;
use crate::vm::{self, Output, Vm};

/// What adding an empty set of profiles to a machine without any security module
/// may cost an `open` and `close` of a process, in instructions.
const OPEN_BUDGET: i64 = 400;

/// When to give up on one boot.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Files and folders of the host, and their paths in the guest.
type Files = [(PathBuf, PathBuf)];

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

/// Counts what an empty set of profiles adds to an open.
pub(super) fn open_cost(kernel: &str, files: &Files) -> Result<bool> {
    let none = instructions(kernel, files, "lsm=capability", false)?;
    let empty = instructions(kernel, files, "lsm=bpf", true)?;
    let added = empty - none;
    util::say(format_args!(
        "open and close on {kernel}: {none} instructions without a security module, {added} more \
         with an empty set of profiles, {OPEN_BUDGET} allowed"
    ));
    Ok(added <= OPEN_BUDGET)
}

/// Instructions of one open and close.
fn instructions(kernel: &str, files: &Files, append: &str, enforced: bool) -> Result<i64> {
    let mut cmd = vec![format!("{}/open-cost", vm::PROGRAMS).into()];
    if enforced {
        cmd.push("/tmp/no-profiles".into());
    }
    let vm = Vm {
        kernel: kernel.to_owned(),
        append: append.to_owned(),
        icount: true,
        files: files.to_vec(),
        timeout: TIMEOUT,
        cmd,
        output: Output::Keep,
        ..Vm::default()
    };
    let outcome = vm.run()?;
    ensure!(
        outcome.status == 0,
        "open-cost exited with {} on {kernel}",
        outcome.status
    );
    let text = String::from_utf8_lossy(&outcome.stdout);
    let number = text.trim().parse().ok();
    number.with_context(|| format!("open-cost printed {text:?}"))
}
