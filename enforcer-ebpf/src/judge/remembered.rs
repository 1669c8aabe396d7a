//! What was found of an object before, and whether it still holds.
//!
//! What is remembered of an object is where its path leads each layer's table: the
//! states, and the rights that all of them grant. So a known object costs a look, and
//! an unknown one in a known folder costs its name. It holds as long as
//!
//! - the `struct dentry` is still the same: an inode was not given to one at its address
//!   since ([`known::born`]). Then all that it lies in is the same, too, since it holds
//!   them;
//! - nothing was renamed or mounted, anywhere; or, if something was, the way to the top
//!   still has the same mark;
//! - no table was replaced.
//!
//! Nothing is remembered of what has no inode yet, or whose path depends on who asks.
//!
//! Only a grant is given from memory. What is not granted is judged by its path, which
//! is told; and so is what is looked at for the history, and what is granted for a time.
//!
//! - [`look`]: a look that needs no scratch
//!
//! [`known::born`]: crate::maps::known::born

mod look;

pub(crate) use self::look::Folder;
pub(super) use self::look::{grants, grants_anywhere, grants_move, knows_edge, note_edge};

use enforcer_abi::{
    Access, Layer, Reason, Verdict,
    limits::{NAME_LEN, PATH_LEN, TABLE_WORDS, WALK_STEPS},
};

use crate::{
    automaton::{self, Settled},
    judge::{
        How,
        layer::{OUTWARDS, doubted, missing, slot_of},
    },
    kernel::{global, offset, word},
    maps::{
        self,
        known::{Key, Known, STAYS},
    },
    scratch::{Object, Request, STATES, Scratch},
    walk,
};

/// Bits of [`Known::states`] for each layer.
const STATE_BITS: u32 = 21;
const STATE: u64 = (1 << STATE_BITS) - 1;

const _: () = assert!(TABLE_WORDS[2] <= 1 << STATE_BITS);

/// Whether what is known holds at these sequence counts, too, since the way has its mark.
///
/// The mark of a dentry never comes back: one that is on the way now was there, too, when
/// the counts were read. Mount points are not marked so; but if none was changed until
/// then, they were as they are known.
#[inline(always)]
fn is_unmoved(key: &Key, known: &Known, sequences: u64, namespace: u64) -> bool {
    let [vfsmount, dentry] = key.object;
    if known.mark == 0 || !walk::is_quiet(sequences) {
        return false;
    }
    if walk::mounts_of(known.sequences) == walk::mounts_of(sequences) {
        return walk::mark_of(vfsmount, dentry, walk::ANY_NAMESPACE) == known.mark;
    }
    walk::mark_of(vfsmount, dentry, namespace) == known.mark && walk::sequences() == Ok(sequences)
}

global! {
    /// Whether every layer grants the request in the scratch, by what is remembered of
    /// the object or of its folder: 0 (nothing, or not all of it, or there is something
    /// to tell) or 1.
    fn judge_known(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        u32::from(known(scratch).unwrap_or(false))
    }
}

#[inline(always)]
fn known(scratch: &mut Scratch) -> Result<bool, Reason> {
    if scratch.subject.number == 0 {
        return Ok(false);
    }
    scratch.sequences = walk::sequences()?;
    if !walk::is_quiet(scratch.sequences) {
        return Ok(false);
    }
    let Object { dentry, .. } = scratch.request.object;
    let has_inode = has_inode(dentry);
    if has_inode && recall(scratch, dentry) {
        if !is_granted(scratch, false) {
            return Ok(false);
        }
        note_more(scratch, dentry);
        return Ok(true);
    }
    // See `look::in_folder` for the root of a mount.
    let folder = walk::link(dentry)?.parent;
    if folder == dentry || !recall(scratch, folder) {
        return Ok(false);
    }
    if scratch.known.is_uniform {
        // All in it is as the folder is.
        if walk::sequences()? != scratch.sequences || !is_granted(scratch, false) {
            return Ok(false);
        }
        if note_more(scratch, folder) {
            note_above(scratch.at, folder);
        }
        return Ok(true);
    }
    if !walk::last_name(scratch, dentry, folder)? || walk::sequences()? != scratch.sequences {
        return Ok(false);
    }
    scratch.known.mark = scratch.known.mark.wrapping_add(scratch.leaf_mark);
    scratch.known.granted = Access::NONE;
    scratch.known.len = scratch.known.len.wrapping_add(scratch.path_len());
    scratch.known.steps = scratch.known.steps.wrapping_add(1);
    if !is_granted(scratch, true) {
        return Ok(false);
    }
    if has_inode {
        note(scratch, dentry);
    }
    Ok(true)
}

/// Adds what was granted to what is known of what is at `dentry`.
#[inline(always)]
fn note(scratch: &mut Scratch, dentry: u64) {
    let granted = granted(scratch);
    let mut known = scratch.known;
    known.states = pack(scratch.states);
    known.granted = known.granted | granted | stays(scratch);
    known.is_uniform = scratch.is_uniform == 1;
    if has_room(&known) {
        key(scratch, dentry).remember(&known);
    }
}

/// As [`note`], of what was known, and has the states that it had. Returns whether it is
/// more than was known.
#[inline(always)]
fn note_more(scratch: &mut Scratch, dentry: u64) -> bool {
    let is_more = !scratch.known.granted.contains(granted(scratch));
    if is_more {
        note(scratch, dentry);
    }
    is_more
}

global! {
    /// Notes what was granted in a folder, of which all has the same outcome, also of the
    /// one above, if that is so there, too: what is made in it next is known then.
    fn note_above(at: u32, folder: u64) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let above = match walk::link(folder) {
            Ok(link) if link.parent != folder => key(scratch, link.parent),
            _ => return 0,
        };
        let granted = granted(scratch);
        if let Some(known) = above.recall()
            && known.is_uniform
            && known.sequences == scratch.sequences
            && known.states == pack(scratch.states)
            && !known.granted.contains(granted)
        {
            above.remember(&Known {
                granted: known.granted | granted,
                ..known
            });
        }
        0
    }
}

/// Whether something is remembered of what is at `dentry`, on the mount in the request,
/// that holds. Leaves it in the scratch.
#[inline(always)]
fn recall(scratch: &mut Scratch, dentry: u64) -> bool {
    let Some(known) = key(scratch, dentry).recall() else {
        return false;
    };
    scratch.known = known;
    scratch.states = unpack(known.states);
    known.sequences == scratch.sequences || renew(scratch.at, dentry) == 1
}

global! {
    /// Whether the way of what is at `dentry` has the mark in the scratch: 0 or 1. If so,
    /// what is known of it holds at the scratch's sequence counts, too.
    fn renew(at: u32, dentry: u64) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let key = key(scratch, dentry);
        let namespace = scratch.subject.mount_namespace;
        if !is_unmoved(&key, &scratch.known, scratch.sequences, namespace) {
            return 0;
        }
        scratch.known.sequences = scratch.sequences;
        key.remember(&scratch.known);
        1
    }
}

/// Whether every layer grants the request, by the states in the scratch; by those of the
/// folder, and the name, if `by_name`. Leaves in the scratch where an exec leads.
#[inline(always)]
fn is_granted(scratch: &mut Scratch, by_name: bool) -> bool {
    scratch.is_passing = 0;
    scratch.is_uniform = 1;
    for layer in OUTWARDS {
        let slot = slot_of(&scratch.subject.layers, layer);
        if !slot.is_none() && layer_grants(scratch.at, layer as u32, u32::from(by_name)) == 0 {
            return false;
        }
    }
    scratch.verdict = Verdict::Allow as u32;
    true
}

global! {
    /// [`is_granted`] for one layer: 0 or 1.
    fn layer_grants(at: u32, layer: u32, by_name: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let number = layer;
        let layer = Layer::from_index(layer);
        let slot = slot_of(&scratch.subject.layers, layer);
        let settled = automaton::settle(slot, number, by_name == 1, scratch);
        let Ok(Settled { outcome, hits, is_uniform }) = settled else {
            return 0;
        };
        scratch.is_uniform &= u32::from(is_uniform);
        scratch.found.allow = outcome.allow;
        scratch.found.owned = outcome.owned;
        scratch.found.class = outcome.class;
        scratch.found.target = outcome.target;
        scratch.found.scrub = u32::from(outcome.scrub);
        scratch.found.hits = hits;
        // What is to be told is judged by its path, and so is what is granted for a time.
        if !outcome.expiry.is_never() {
            return 0;
        }
        let Request { requested, how, .. } = scratch.request;
        if !(outcome.audit & requested | doubted(outcome.trial, requested, how)).is_empty()
            || missing(scratch, layer).is_some()
        {
            return 0;
        }
        if !requested.is_empty() && how & How::QUIETLY == 0 {
            if !scratch.known.granted.contains(requested) && maps::is_looked_at(hits) {
                return 0;
            }
            maps::hit(scratch.found.hits, requested);
        }
        1
    }
}

/// Whether the object at `dentry` is there.
#[inline(always)]
fn has_inode(dentry: u64) -> bool {
    word(dentry.wrapping_add(offset!(dentry_inode))) != 0
}

global! {
    /// Remembers what the request in the scratch came to, after its path was walked.
    fn note_walked(at: u32) -> u32 {
        if let Ok(scratch) = maps::scratch(at) {
            walked(scratch);
        }
        0
    }
}

#[inline(always)]
fn walked(scratch: &mut Scratch) {
    if scratch.settled == 0
        || scratch.personal != 0
        // A root's path is a `/` longer than what the paths in it begin with.
        || scratch.names == 0
        || scratch.subject.number == 0
    {
        return;
    }
    let dentry = scratch.request.object.dentry;
    if walk::is_in_procfs(dentry) != Ok(false) || walk::sequences() != Ok(scratch.sequences) {
        return;
    }
    let object = Known {
        sequences: scratch.sequences,
        mark: scratch.mark,
        states: pack(scratch.states),
        granted: granted(scratch) | stays(scratch),
        is_uniform: scratch.is_uniform == 1,
        len: scratch.path_len(),
        steps: scratch.names.wrapping_add(scratch.crossings),
    };
    if !has_room(&object) {
        return;
    }
    if has_inode(dentry) {
        let key = key(scratch, dentry);
        // Rights that were asked for by themselves are known together.
        let before = match key.recall() {
            Some(known) if known.sequences == object.sequences && known.states == object.states => {
                known.granted
            }
            _ => Access::NONE,
        };
        key.remember(&Known {
            granted: object.granted | before,
            ..object
        });
    }
    if scratch.folder != 0 && scratch.leaf < scratch.path_len() {
        let is_uniform = scratch.is_folder_uniform == 1;
        // As long as each object in it is looked at, none is granted for the folder's sake.
        let is_granted = is_uniform && scratch.looks == 0;
        key(scratch, scratch.folder).remember(&Known {
            mark: scratch.mark.wrapping_sub(scratch.leaf_mark),
            states: pack(scratch.folder_states),
            granted: if is_granted {
                object.granted
            } else {
                Access::NONE
            },
            is_uniform,
            len: object.len.wrapping_sub(scratch.leaf),
            steps: object.steps.wrapping_sub(1),
            ..object
        });
    }
}

/// Whether whatever name an object in this one has is within the limits of a path, which
/// nobody checks if this one is remembered.
#[inline(always)]
fn has_room(known: &Known) -> bool {
    const NAME: u32 = 1 + NAME_LEN as u32;
    // The top of the mount tree is a step, too.
    known.len <= PATH_LEN as u32 - NAME && known.steps <= WALK_STEPS - 2
}

#[inline(always)]
fn key(scratch: &Scratch, dentry: u64) -> Key {
    Key {
        domain: scratch.subject.number,
        object: [scratch.request.object.vfsmount, dentry],
        version: scratch.version,
    }
}

/// What every layer granted of the request, and noted as used.
#[inline(always)]
fn granted(scratch: &Scratch) -> Access {
    let request = scratch.request;
    if scratch.verdict == Verdict::Allow as u32
        && scratch.is_passing == 0
        && request.how & How::QUIETLY == 0
    {
        request.requested
    } else {
        Access::NONE
    }
}

/// [`STAYS`], if it is so. What was refused says nothing.
#[inline(always)]
fn stays(scratch: &Scratch) -> Access {
    if scratch.verdict == Verdict::Allow as u32 && scratch.found.target.is_none() {
        STAYS
    } else {
        Access::NONE
    }
}

#[inline(always)]
fn pack(states: [u32; STATES]) -> u64 {
    let [user, application, process, _] = states.map(u64::from);
    user | application << STATE_BITS | process << (2 * STATE_BITS)
}

#[inline(always)]
fn unpack(states: u64) -> [u32; STATES] {
    let state = |layer| (states >> (layer * STATE_BITS) & STATE) as u32;
    [state(0), state(1), state(2), 0]
}
