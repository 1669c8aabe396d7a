//! Running programs.
//!
//! `bprm_check_security` comes once for each stage: for a script, with the
//! script and then with its interpreter. It judges, and notes in the label what
//! domain the task will have. `bprm_committed_creds` makes that the task's
//! domain when the exec can no longer fail.

use core::ffi::c_void;

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Access, Label, Layer, Operation, Reason, Slot, Verdict, limits::LAYERS};

use crate::{
    hooks::{EACCES, refuse},
    judge::{self, Answer, Request},
    kernel::{self, Task, offset, read},
    maps,
    report::{self, Refusal},
    scratch::Scratch,
    subject, walk,
};

/// `int bprm_check_security(struct linux_binprm *bprm)`
#[lsm(hook = "bprm_check_security")]
fn bprm_check_security(context: LsmContext) -> i32 {
    let prior: i32 = context.arg(1);
    if prior != 0 {
        return prior;
    }
    let bprm: *const c_void = context.arg(0);
    check(bprm as u64).unwrap_or_else(refuse)
}

/// Which of the files of an exec is being looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The one that the caller named.
    Program,
    /// The interpreter that a script names.
    Interpreter,
}

#[inline(always)]
fn check(bprm: u64) -> Result<i32, Reason> {
    let epoch = maps::epoch();
    if epoch == 0 {
        return Ok(0);
    }
    let task = Task::current();
    let label = subject::confined(task)?;
    let layers = label
        .as_ref()
        .map_or([Slot::NONE; LAYERS], |label| label.layers);
    let stage = match stage(bprm) {
        Ok(stage) => stage,
        // A program that cannot be looked at is nothing that a profile claims.
        Err(_) if label.is_none() => return Ok(0),
        Err(reason) => return Err(reason),
    };
    let (vfsmount, dentry) = match bprm_object(bprm) {
        Ok(object) => object,
        Err(_) if label.is_none() => return Ok(0),
        Err(reason) => return Err(reason),
    };

    let mut target = Slot::NONE;
    if let Some(label) = label {
        let request = Request {
            operation: Operation::Execute,
            requested: Access::EXECUTE,
            vfsmount,
            dentry,
        };
        if judge::request(task, label, request) == Answer::Refused {
            return Ok(-EACCES);
        }
        target = maps::scratch(task)?.found.target;
    }
    next(task, epoch, layers, stage, target, vfsmount, dentry)
}

/// The first stage is the one whose name nobody has replaced yet.
#[inline(always)]
fn stage(bprm: u64) -> Result<Stage, Reason> {
    let named: u64 = read(bprm.wrapping_add(offset!(bprm_filename)))?;
    let current: u64 = read(bprm.wrapping_add(offset!(bprm_interp)))?;
    Ok(if named == current {
        Stage::Program
    } else {
        Stage::Interpreter
    })
}

/// Mount and dentry of the file under way.
#[inline(always)]
fn bprm_object(bprm: u64) -> Result<(u64, u64), Reason> {
    let file: u64 = read(bprm.wrapping_add(offset!(bprm_file)))?;
    subject::file_object(file)
}

/// Notes in the label what domain the exec leads to.
#[inline(always)]
fn next(
    task: Task,
    epoch: u32,
    layers: [Slot; LAYERS],
    stage: Stage,
    target: Slot,
    vfsmount: u64,
    dentry: u64,
) -> Result<i32, Reason> {
    let confined = layers.iter().any(|slot| !slot.is_none());
    let mut certainty = Label::NEXT_DECIDED;
    let mut layers = layers;
    let noted = maps::label(task)
        .filter(|label| stage == Stage::Interpreter && label.next_state != Label::NO_NEXT)
        .map(|label| label.next);
    let application = &mut layers[Layer::Application as usize];
    if let Some(noted) = noted {
        // The script's own rule decides; its interpreter's counts only where the
        // script has none.
        layers = noted;
    } else if !target.is_none() {
        *application = target;
    }
    if stage == Stage::Program {
        let enrolment = maps::enrolment(task);
        if !enrolment.is_none() {
            let process = &mut layers[Layer::Process as usize];
            if !process.is_none() {
                second_profile(task, enrolment);
                return Err(Reason::SecondProfile);
            }
            *process = enrolment;
        }
    }
    if layers[Layer::Application as usize].is_none() {
        let attached = maps::scratch(task)
            .and_then(|scratch| subject::attached(task, scratch, vfsmount, dentry));
        match attached {
            Ok(slot) => layers[Layer::Application as usize] = slot,
            Err(reason) if confined => return Err(reason),
            // Nothing of ours refuses an unconfined task. What it runs is asked
            // again at its first operation.
            Err(_) => certainty = Label::NEXT_UNDECIDED,
        }
    }
    let becomes_confined = layers.iter().any(|slot| !slot.is_none());
    let mut initial = Label {
        epoch,
        ..kernel::zeroed()
    };
    match maps::label_or_insert(task, &mut initial) {
        Ok(label) => {
            label.next = layers;
            label.next_state = certainty;
            Ok(0)
        }
        Err(_) if !becomes_confined => Ok(0),
        Err(reason) => Err(reason),
    }
}

/// Tells the agent that the task asked for another profile than the one that
/// `enforcer exec` put it under.
#[inline(always)]
fn second_profile(task: Task, asked: Slot) {
    if let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(task)) {
        report::violation(
            label,
            scratch,
            &Refusal {
                operation: Operation::Execute,
                requested: Access::EXECUTE,
                missing: Access::NONE,
                reason: Reason::SecondProfile,
                layer: Layer::Process,
                slot: asked,
                verdict: Verdict::Deny,
            },
        );
    }
}

/// `void bprm_committed_creds(struct linux_binprm *bprm)`
#[lsm(hook = "bprm_committed_creds")]
fn bprm_committed_creds(context: LsmContext) -> i32 {
    let bprm: *const c_void = context.arg(0);
    commit(bprm as u64);
    0
}

#[inline(always)]
fn commit(bprm: u64) {
    let task = Task::current();
    let Some(label) = maps::label(task) else {
        return;
    };
    match label.next_state {
        Label::NO_NEXT => return,
        Label::NEXT_DECIDED => {}
        // No epoch is 0: the first operation decides.
        _ => label.epoch = 0,
    }
    label.layers = label.next;
    label.next_state = Label::NO_NEXT;
    if !label.is_confined() {
        maps::free_scratch(task);
        return;
    }
    maps::end_enrolment(task);
    // A failure leaves a domain in no namespace, where nothing is granted.
    if let Err(reason) = subject::enter(task, label) {
        maps::count_reason(reason);
    }
    if let (Ok(scratch), Ok(object)) = (maps::scratch(task), bprm_object(bprm)) {
        announce(label, scratch, object);
    }
}

/// Tells the agent which program the task now runs.
#[inline(always)]
fn announce(label: &Label, scratch: &mut Scratch, (vfsmount, dentry): (u64, u64)) {
    // The path may be partial or foreign; it is told as far as it is known.
    let _place = walk::path(scratch, vfsmount, dentry, label.mount_namespace);
    report::executed(label, scratch);
}
