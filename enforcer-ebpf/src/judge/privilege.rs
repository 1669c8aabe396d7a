//! Decides about what is no access to an object.

use enforcer_abi::{
    Containment, Counter, Label, Layer, Mode, Privilege, Privileges, Reason, Slot, Verdict,
    policy::refusal,
};

use crate::{
    automaton,
    judge::{
        Answer,
        layer::{OUTWARDS, count, slot_of},
    },
    kernel::{self, Task, global},
    maps,
    report::{self, programs},
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
pub(crate) fn privilege(label: &mut Label, privilege: Privilege, told: Told) -> Answer {
    let version = maps::version();
    if label.privileges_version == version && Privileges(label.privileges).contains(privilege) {
        return Answer::Granted;
    }
    programs::introduce(label);
    Answer::from_number(judge_privilege(
        u32::from(privilege.0),
        u32::from(told == Told::Quietly),
    ))
}

global! {
    /// Asks every layer for a privilege, and notes in the label which ones all grant.
    /// Returns an [`Answer`].
    fn judge_privilege(privilege: u32, quietly: u32) -> u32 {
        maps::count(Counter::Judged);
        let Some(label) = maps::label(Task::current()) else {
            return Answer::Refused as u32;
        };
        let version = maps::version();
        let mut granted = Privileges(u64::MAX);
        let mut strictest = Verdict::Allow as u32;
        for layer in OUTWARDS {
            let slot = slot_of(&label.layers, layer);
            if slot.is_none() {
                continue;
            }
            let mine = if Containment::holds_in(label.containment.layers, layer as u32) {
                0
            } else {
                granted_by(slot.0)
            };
            granted = Privileges(granted.0 & mine);
            if Privileges(mine).contains(Privilege(privilege as u8)) {
                continue;
            }
            let verdict = refuse(layer as u32, privilege, quietly);
            if verdict > strictest {
                strictest = verdict;
            }
        }
        label.privileges = granted.0;
        label.privileges_version = version;
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
    /// The privileges that the profile in a slot grants; none if it has no table.
    fn granted_by(slot: u32) -> u64 {
        automaton::privileges(Slot(slot)).map_or(0, |(_facts, granted)| granted.0)
    }
}

global! {
    /// Has one layer refuse a privilege, as its mode has it. Returns the [`Verdict`].
    fn refuse(layer: u32, privilege: u32, quietly: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return Verdict::Deny as u32;
        };
        let Ok(scratch) = maps::take() else {
            return Verdict::Deny as u32;
        };
        let number = layer;
        let slot = slot_of(&label.layers, Layer::from_index(layer));
        kernel::clear(&mut scratch.found);
        scratch.clear_path();
        let reason = match automaton::privileges(slot) {
            Ok((facts, granted)) => {
                scratch.found = facts;
                if granted.contains(Privilege(privilege as u8)) {
                    Reason::Contained
                } else {
                    Reason::NotGranted
                }
            }
            Err(reason) => reason,
        };
        let verdict = refusal(Mode(scratch.found.mode));
        if quietly == 0 && verdict != Verdict::Allow {
            maps::count_reason(reason);
            scratch.subject.layers = label.layers;
            let what = report::what(reason, verdict);
            let _done = report::report_violation(scratch.at, number, what, 0, privilege);
        }
        maps::give(scratch);
        verdict as u32
    }
}
