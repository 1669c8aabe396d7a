//! Decides about what is no access to an object.

use enforcer_abi::{
    Access, Counter, Layer, Mode, Operation, Privilege, Reason, Verdict, limits::LAYERS,
    policy::refusal,
};

use crate::{
    automaton,
    judge::{Answer, How, count, slot_of},
    kernel::{Task, global},
    maps,
    report::{self, Refusal},
    scratch::Found,
};

/// Whether anybody is told of a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is reported.
    Loudly,
    /// It was only a look whether something would be granted.
    Quietly,
}

/// Asks every layer for a privilege.
#[inline(always)]
pub(crate) fn privilege(privilege: Privilege, told: Told) -> Answer {
    maps::count(Counter::Judged);
    Answer::from_number(judge_privilege(
        u32::from(privilege.0),
        u32::from(told == Told::Quietly),
    ))
}

global! {
    /// Asks every layer for a privilege. Returns an [`Answer`].
    fn judge_privilege(privilege: u32, quietly: u32) -> u32 {
        // Without it every layer refuses.
        let _scratch = maps::first_scratch();
        let mut strictest = Verdict::Allow as u32;
        for layer in 0..LAYERS as u32 {
            let verdict = privilege_of(layer, privilege, quietly);
            if verdict > strictest {
                strictest = verdict;
            }
        }
        if quietly == 0 {
            count(strictest);
        }
        if strictest == Verdict::Deny as u32 {
            Answer::Refused as u32
        } else {
            Answer::Granted as u32
        }
    }
}

global! {
    /// Asks one layer for a privilege. Returns the [`Verdict`].
    fn privilege_of(layer: u32, privilege: u32, quietly: u32) -> u32 {
        let task = Task::current();
        let (Some(label), Ok(scratch)) = (maps::label(task), maps::scratch(task)) else {
            return Verdict::Deny as u32;
        };
        let layer = Layer::from_index(layer);
        let slot = slot_of(label, layer, How::PLAIN);
        if slot.is_none() {
            return Verdict::Allow as u32;
        }
        let privilege = Privilege(privilege as u8);
        scratch.found = Found::NOTHING;
        scratch.clear_path();
        let (mode, reason) = match automaton::privileges(slot, scratch) {
            Ok(granted) if granted.contains(privilege) => return Verdict::Allow as u32,
            Ok(_) => (scratch.found.mode, Reason::NotGranted),
            Err(reason) => (0, reason),
        };
        let verdict = refusal(Mode(mode));
        if quietly == 0 && verdict != Verdict::Allow {
            maps::count_reason(reason);
            report::violation(scratch, Refusal {
                operation: Some(Operation::Privilege),
                privilege,
                requested: Access::NONE,
                missing: Access::NONE,
                reason,
                layer,
                slot,
                verdict,
            });
        }
        verdict as u32
    }
}
