//! What each layer of a domain says.

use enforcer_abi::{
    Access, Containment, Counter, Layer, Mode, Reach, Reason, Slot, Verdict, decide,
    limits::LAYERS, policy::refusal,
};

use crate::{
    automaton,
    judge::{Answer, How},
    kernel::{self, global},
    maps, report,
    scratch::{Object, Request, Scratch},
    walk::NAMED,
};

/// Asks every layer, and not only until one refuses, so that each one's
/// violation is known. Leaves in the scratch what the innermost layer found that
/// there is, which says where an exec leads.
#[inline(always)]
pub(super) fn layers(scratch: &mut Scratch) -> u32 {
    let quietly = scratch.request.how & How::QUIETLY != 0;
    let mut strictest = Verdict::Allow as u32;
    let mut answer = Answer::Granted as u32;
    scratch.is_passing = 0;
    scratch.looks = 0;
    scratch.is_uniform = 1;
    scratch.is_folder_uniform = 1;
    for layer in OUTWARDS {
        if slot_of(&scratch.subject.layers, layer).is_none() {
            continue;
        }
        let said = judge_layer(scratch.at, layer as u32);
        let verdict = said & 0xff;
        if verdict > strictest {
            strictest = verdict;
        }
        if verdict == Verdict::Deny as u32 && said >> 8 > answer {
            answer = said >> 8;
        }
    }
    scratch.verdict = strictest;
    if !quietly {
        count(strictest);
    }
    if scratch.looks != 0 && answer == Answer::Granted as u32 && scratch.request.unnamed == NAMED {
        report::uses::tell(scratch);
    }
    answer
}

/// The layers as they are asked, the innermost last.
pub(crate) const OUTWARDS: [Layer; LAYERS] = [Layer::User, Layer::Process, Layer::Application];

/// Counts what was let through or refused.
#[inline(always)]
pub(super) fn count(verdict: u32) {
    if verdict == Verdict::Deny as u32 {
        maps::count(Counter::Denied);
    } else if verdict == Verdict::Audit as u32 {
        maps::count(Counter::Audited);
    } else if verdict == Verdict::Learn as u32 {
        maps::count(Counter::Learned);
    }
}

global! {
    /// Asks one layer about the request and the path in the scratch. Returns the
    /// [`Verdict`], and above it the [`Answer`] of a refusal.
    fn judge_layer(at: u32, layer: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return (Answer::Refused as u32) << 8 | Verdict::Deny as u32;
        };
        let number = layer;
        let layer = Layer::from_index(layer);
        let request = scratch.request;
        let slot = slot_of(&scratch.subject.layers, layer);
        kernel::clear(&mut scratch.found);
        let ran = automaton::run_layer(slot, number, scratch);
        let everywhere = scratch.found.everywhere;
        let problem = match ran {
            Ok(()) if request.unnamed == NAMED => missing(scratch, layer),
            // What is granted on every path is granted without one, but for a move.
            Ok(()) if request.how & How::MOVE == 0 && everywhere.contains(request.requested) => {
                withheld(scratch, layer)
            }
            Ok(()) => Some((request.requested, kernel::reason(request.unnamed))),
            Err(reason) => Some((request.requested, reason)),
        };
        let is_quiet = request.how & How::QUIETLY != 0;
        let (missing, reason) = match problem {
            Some(problem) => problem,
            None if is_quiet || request.requested.is_empty() => return Verdict::Allow as u32,
            None => {
                maps::hit(scratch.found.hits, request.requested);
                // What is granted on every path is nobody's rule's.
                if !everywhere.contains(request.requested) && maps::look(scratch.found.hits) {
                    scratch.looks |= 1 << number;
                }
                let doubted = doubted(scratch.found.trial, request.requested, request.how);
                let watched = scratch.found.audit & request.requested;
                if (watched | doubted).is_empty() {
                    return Verdict::Allow as u32;
                }
                scratch.is_passing = 1;
                if doubted.is_empty() {
                    (Access::NONE, Reason::Watched)
                } else {
                    (doubted, Reason::OnTrial)
                }
            }
        };
        let answer = match reason {
            Reason::Watched | Reason::OnTrial => Answer::Granted,
            Reason::RightsGrow => Answer::Grows,
            _ => Answer::Refused,
        } as u32;
        if is_quiet {
            return answer << 8 | Verdict::Deny as u32;
        }
        let is_granted = matches!(reason, Reason::Watched | Reason::OnTrial);
        if !is_granted && !matches!(reason, Reason::NotGranted | Reason::RightsGrow) {
            // No rule was matched, so none says where an exec leads.
            scratch.found.target = Slot::NONE;
        }
        let mode = if ran.is_ok() { scratch.found.mode } else { 0 };
        let verdict = if is_granted {
            Verdict::Allow
        } else {
            refusal(Mode(mode))
        };
        let is_told = verdict != Verdict::Allow || is_granted;
        if verdict != Verdict::Allow {
            maps::count_reason(reason);
        }
        if reason == Reason::NotGranted && scratch.found.quiet.contains(missing) {
            maps::count(Counter::Untold);
        } else if is_told {
            let what = report::what(reason, verdict);
            let _done = report::report_violation(at, number, what, missing.0, report::PATH);
        }
        answer << 8 | verdict as u32
    }
}

/// The profile of a layer.
#[inline(always)]
pub(crate) fn slot_of(layers: &[Slot; LAYERS], layer: Layer) -> Slot {
    let [user, application, process] = *layers;
    match layer {
        Layer::User => user,
        Layer::Application => application,
        Layer::Process => process,
    }
}

/// What a layer does not grant of the request in the scratch, by what its table said, which
/// is there, too.
#[inline(always)]
pub(super) fn missing(scratch: &mut Scratch, layer: Layer) -> Option<(Access, Reason)> {
    let Request { requested, how, .. } = scratch.request;
    let lacks = requested.missing_from(scratch.found.allow);
    let mut is_own = false;
    if !lacks.is_empty() && scratch.found.owned.contains(lacks) && owns(scratch.at) == 1 {
        scratch.is_passing = 1;
        is_own = true;
    }
    let reach = scratch.found.reach();
    let kept = kept(scratch, layer);
    let before = *kept;
    if how & How::KEEP != 0 {
        *kept = reach;
    }
    if decide(Mode::ENFORCE, requested, reach.granted(is_own)) != Verdict::Allow {
        return Some((lacks, Reason::NotGranted));
    }
    let directory = how & How::DIRECTORY != 0;
    if how & How::NO_GROWTH != 0 && before.grows_to(reach, directory) {
        return Some((reach.allow.missing_from(before.allow), Reason::RightsGrow));
    }
    if how & How::NO_LOSS != 0 && reach.grows_to(before, directory) {
        return Some((before.allow.missing_from(reach.allow), Reason::RightsGrow));
    }
    withheld(scratch, layer)
}

/// The rights of a request that a layer grants, and would not grant if the tightening on
/// trial held that takes `trial` away. A move compares all rights at both names.
#[inline(always)]
pub(super) fn doubted(trial: Access, requested: Access, how: u32) -> Access {
    if how & How::MOVE == 0 {
        trial & requested
    } else {
        trial
    }
}

/// What a layer grants of the request in the scratch and withholds, since the task is
/// contained.
#[inline(always)]
fn withheld(scratch: &Scratch, layer: Layer) -> Option<(Access, Reason)> {
    if !Containment::holds_in(scratch.subject.contained, layer as u32) {
        return None;
    }
    let beyond = scratch.request.requested.missing_from(Containment::LEFT);
    (!beyond.is_empty()).then_some((beyond, Reason::Contained))
}

global! {
    /// Whether the object of the request belongs to the user as whom the current task
    /// acts: 0 or 1. What is not there yet will.
    fn owns(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let Object { vfsmount, dentry } = scratch.request.object;
        u32::from(kernel::owns(vfsmount, dentry).unwrap_or(false))
    }
}

#[inline(always)]
fn kept(scratch: &mut Scratch, layer: Layer) -> &mut Reach {
    let [user, application, process] = &mut scratch.kept;
    match layer {
        Layer::User => user,
        Layer::Application => application,
        Layer::Process => process,
    }
}
