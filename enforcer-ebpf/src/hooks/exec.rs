//! Running programs.
//!
//! `bprm_check_security` comes once for each stage: for a script, with the
//! script and then with its interpreter. It judges, and notes in the label what
//! domain the task will have. `bprm_creds_from_file` judges what that domain
//! inherits. `bprm_committed_creds` makes it the task's domain when the exec can
//! no longer fail.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{
    Access, Label, Layer, Operation, Reason, Slot, Verdict,
    label::{are_same, is_any},
    limits::LAYERS,
};

use crate::{
    hooks::{EACCES, address, descriptors, errno, fail, refuse},
    judge::{self, Answer, How, Question},
    kernel::{self, Task, load, offset, read},
    maps,
    report::{self, programs},
    scratch::Object,
    subject::{self, claims},
    walk,
};

/// `int bprm_check_security(struct linux_binprm *bprm)`
#[lsm(hook = "bprm_check_security")]
fn bprm_check_security(context: LsmContext) -> i32 {
    let bprm = address(&context, 0);
    match check(bprm) {
        Ok(Checked::Passed) => 0,
        Ok(Checked::Scrubbed) => {
            kernel::scrub_environment(context.arg(0));
            0
        }
        Ok(Checked::Refused) => -EACCES,
        // Only who is confined gets here.
        Err(reason @ (Reason::NoLabel | Reason::SecondProfile)) => refuse(reason),
        Err(reason) => fail(Operation::Execute, reason),
    }
}

/// What came of an exec's check.
enum Checked {
    Passed,
    /// Passed, and the program must not trust its environment.
    Scrubbed,
    Refused,
}

/// Which of the files of an exec is being looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The one that the caller named.
    Program,
    /// The interpreter that a script names.
    Interpreter,
}

/// An exec under way.
struct Exec {
    task: Task,
    /// The domain of who runs it.
    layers: [Slot; LAYERS],
    stage: Stage,
    vfsmount: u64,
    dentry: u64,
}

#[inline(always)]
fn check(bprm: u64) -> Result<Checked, Reason> {
    if maps::subjects().epoch == 0 {
        return Ok(Checked::Passed);
    }
    let task = Task::current();
    let label = subject::confined(task)?;
    let layers = label
        .as_ref()
        .map_or([Slot::NONE; LAYERS], |label| label.layers);
    let exec = exec(task, layers, bprm);

    // What an exec that failed left behind.
    if exec.stage == Stage::Program
        && let Some(label) = maps::label(task)
    {
        label.next_state = Label::NO_NEXT;
    }

    let mut switch = None;
    if let Some(label) = label {
        let object = Object {
            vfsmount: exec.vfsmount,
            dentry: exec.dentry,
        };
        let question = Question::plain(Operation::Execute, Access::EXECUTE, object);
        let (answer, target) = judge::ask_target(label, &question);
        if answer != Answer::Granted {
            return Ok(Checked::Refused);
        }
        let [_user, application, _process] = layers;
        // A script's own rule decides, and not that of its interpreter.
        if exec.stage == Stage::Program && !target.slot.is_none() && target.slot.0 != application.0
        {
            switch = Some(target);
        }
    }
    if switch.is_some() && is_traced(task)? {
        return Err(Reason::Traced);
    }
    let target = switch.map_or(Slot::NONE, |target| target.slot);
    next(&exec, target)?;
    Ok(if switch.is_some_and(|target| target.scrub) {
        Checked::Scrubbed
    } else {
        Checked::Passed
    })
}

#[inline(always)]
fn exec(task: Task, layers: [Slot; LAYERS], bprm: u64) -> Exec {
    let (vfsmount, dentry) = claims::file_object(load(bprm, offset!(bprm_file)));
    Exec {
        task,
        layers,
        stage: stage(bprm),
        vfsmount,
        dentry,
    }
}

/// The first stage is the one whose name nobody has replaced yet.
#[inline(always)]
fn stage(bprm: u64) -> Stage {
    let named: u64 = load(bprm, offset!(bprm_filename));
    let current: u64 = load(bprm, offset!(bprm_interp));
    if named == current {
        Stage::Program
    } else {
        Stage::Interpreter
    }
}

/// Whether another task traces this one. It would steer the program in its new
/// domain.
#[inline(always)]
fn is_traced(task: Task) -> Result<bool, Reason> {
    let flags: u32 = read(task.address().wrapping_add(offset!(task_ptrace)))?;
    Ok(flags != 0)
}

/// Notes in the label what domain the exec leads to.
#[inline(always)]
fn next(exec: &Exec, target: Slot) -> Result<(), Reason> {
    let task = exec.task;
    let subjects = maps::subjects();
    let confined = is_any(&exec.layers);
    let mut certainty = Label::NEXT_DECIDED;
    let mut layers = exec.layers;
    let noted = maps::label(task)
        .filter(|label| exec.stage == Stage::Interpreter && label.next_state != Label::NO_NEXT);
    if let Some(label) = noted {
        layers = label.next;
        certainty = label.next_state;
    } else if !target.is_none() {
        layers[Layer::Application as usize] = target;
    }
    if exec.stage == Stage::Program {
        match claims::enrolled(task, subjects) {
            Ok(enrolment) => enrol(exec, &mut layers, enrolment)?,
            Err(reason) if confined => return Err(reason),
            Err(_) => certainty = Label::NEXT_UNDECIDED,
        }
        match claims::around(task, subjects, &mut layers) {
            Ok(()) => {}
            Err(reason) if confined => return Err(reason),
            Err(_) => certainty = Label::NEXT_UNDECIDED,
        }
    }
    if layers[Layer::Application as usize].is_none() {
        match claims::program(exec.vfsmount, exec.dentry, subjects) {
            Ok(slot) => layers[Layer::Application as usize] = slot,
            Err(reason) if confined => return Err(reason),
            // Nothing of ours refuses an unconfined task. What it runs is asked
            // again at its first operation.
            Err(_) => certainty = Label::NEXT_UNDECIDED,
        }
    }
    match maps::label_or_empty(task) {
        Ok(label) => {
            label.next = layers;
            label.next_state = certainty;
            Ok(())
        }
        // Nothing confines it before or after.
        Err(_) if !is_any(&layers) => Ok(()),
        Err(reason) => Err(reason),
    }
}

/// Puts the process under the profile that was asked for, unless it is under
/// another.
#[inline(always)]
fn enrol(exec: &Exec, layers: &mut [Slot; LAYERS], enrolment: Slot) -> Result<(), Reason> {
    let process = &mut layers[Layer::Process as usize];
    if enrolment.is_none() || process.0 == enrolment.0 {
        return Ok(());
    }
    if !process.is_none() {
        tell(exec, Reason::SecondProfile, Layer::Process, enrolment);
        return Err(Reason::SecondProfile);
    }
    *process = enrolment;
    Ok(())
}

/// Tells the agent why an exec into the profile in `slot` is refused.
#[inline(always)]
fn tell(exec: &Exec, reason: Reason, layer: Layer, slot: Slot) {
    if let Some(label) = maps::label(exec.task) {
        programs::introduce(label);
    }
    if let Ok(scratch) = maps::take() {
        // It is told as far as it is known; whose it is makes no difference.
        let _place = walk::path(scratch, exec.vfsmount, exec.dentry, 0);
        scratch.request.operation = Some(Operation::Execute);
        scratch.request.requested = Access::EXECUTE;
        scratch.subject.layers[layer as usize] = slot;
        let what = report::what(reason, Verdict::Deny);
        let _done = report::report_violation(scratch.at, layer as u32, what, 0, report::PATH);
        maps::give(scratch);
    }
}

/// `int bprm_creds_from_file(struct linux_binprm *bprm, const struct file *file)`
///
/// Comes when all stages are done, and is the last that can refuse.
#[lsm(hook = "bprm_creds_from_file")]
fn bprm_creds_from_file(_context: LsmContext) -> i32 {
    if maps::subjects().epoch == 0 {
        return 0;
    }
    let Some(label) = maps::label(Task::current()) else {
        return 0;
    };
    if label.next_state == Label::NO_NEXT
        || !is_any(&label.next)
        || are_same(&label.layers, &label.next)
    {
        return 0;
    }
    match descriptors::inherit() {
        Ok(Answer::Granted) => 0,
        Ok(_) => -EACCES,
        // Who runs the program may be unconfined: the domain to come decides.
        Err(reason) => errno(judge::fail(Operation::Inherit, reason, How::NEXT)),
    }
}

/// `void bprm_committed_creds(struct linux_binprm *bprm)`
#[lsm(hook = "bprm_committed_creds")]
fn bprm_committed_creds(_context: LsmContext) -> i32 {
    commit();
    0
}

#[inline(always)]
fn commit() {
    if maps::subjects().epoch == 0 {
        return;
    }
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
    let entered = !are_same(&label.layers, &label.next);
    subject::take(label, label.next);
    label.next_state = Label::NO_NEXT;
    if !label.is_confined() {
        return;
    }
    if entered {
        // Paths mean from now on what they mean where the new domain starts.
        label.mount_namespace = 0;
    }
    // A failure leaves a domain in no namespace, where nothing is granted.
    if let Err(reason) = subject::enter(task, label) {
        maps::count_reason(reason);
    }
    if entered {
        programs::entered();
    } else {
        label.told = 0;
    }
}
