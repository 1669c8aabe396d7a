//! A look at what is remembered, before anything is judged.
//!
//! It needs no scratch: most accesses of a process are granted here, or not asked at all.

use enforcer_abi::{Access, Label};

use super::{has_room, is_unmoved};
use crate::{
    judge::Question,
    kernel::{self, Task, global, offset, word},
    maps::{
        self,
        known::{Key, Known},
    },
    walk,
};

/// When the object of a question gets its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named(bool);

impl Named {
    /// It has it.
    pub(crate) const NOW: Self = Self(true);
    /// It is about to be made: what is remembered of its `struct dentry` may be of one that
    /// was at the same address before.
    pub(crate) const LATER: Self = Self(false);
}

/// Whether it is known that every layer grants what a question asks for.
#[inline(always)]
pub(in crate::judge) fn grants(label: &mut Label, question: &Question, named: Named) -> bool {
    if !remembers(label) {
        return false;
    }
    let object = [question.object.vfsmount, question.object.dentry];
    let object = kernel::numbers(&mut label.object, object);
    let key = key(label, object);
    is_granted(&key, question.requested, named)
}

/// As [`grants`], of an exec that leads to no other profile.
#[inline(always)]
pub(in crate::judge) fn grants_exec(label: &mut Label, question: &Question) -> bool {
    if !remembers(label) {
        return false;
    }
    let object = [question.object.vfsmount, question.object.dentry];
    let object = kernel::numbers(&mut label.object, object);
    match key(label, object).recall() {
        Some(known) => known.stays && holds(&known, question.requested),
        None => false,
    }
}

/// Whether it is known that every layer grants what is asked for of an object that comes
/// without a mount, by its name on the mount that was asked about last: one of its names
/// has to grant it, and most often this is the one.
///
/// Verifier: the callers have no stack left for more.
#[inline(always)]
pub(in crate::judge) fn grants_anywhere(label: &mut Label, dentry: u64, requested: Access) -> bool {
    if !remembers(label) {
        return false;
    }
    label.object[1] = dentry;
    knows_anywhere(requested.0) == 1
}

global! {
    /// [`grants_anywhere`] for the object in the label: 0 or 1.
    fn knows_anywhere(requested: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        let key = key(label, label.object);
        u32::from(is_granted(&key, Access(requested), Named::NOW))
    }
}

/// Whether it is known that every layer grants a move, and has equal rights at both
/// names and beneath them: both lie in folders of which all has the same outcome.
#[inline(always)]
pub(in crate::judge) fn grants_move(label: &mut Label, from: &Question, to: &Question) -> bool {
    if !remembers(label) {
        return false;
    }
    label.object = [from.object.vfsmount, from.object.dentry];
    label.target = [to.object.vfsmount, to.object.dentry];
    knows_move(from.requested.0, to.requested.0) == 1
}

global! {
    /// [`grants_move`] for the objects in the label, with the rights that it takes at
    /// each: 0 or 1.
    fn knows_move(leaves: u32, comes: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        let Some(from) = in_folder(key(label, label.object)) else {
            return 0;
        };
        let Some(to) = in_folder(key(label, label.target)) else {
            return 0;
        };
        if from.object[0] == to.object[0] && from.object[1] == to.object[1] {
            return u32::from(states(label, &from, Access(leaves | comes)) != NOT_KNOWN);
        }
        let before = states(label, &from, Access(leaves));
        u32::from(before != NOT_KNOWN && before == states(label, &to, Access(comes)))
    }
}

/// No states have this number.
const NOT_KNOWN: u64 = u64::MAX;

/// The states of all that lies in a folder, if every layer is known to grant there what
/// is asked for; else [`NOT_KNOWN`].
///
/// It is moves that make stale what is known: here it is made to hold again.
#[inline(always)]
fn states(label: &Label, folder: &Key, requested: Access) -> u64 {
    let Some(known) = folder.recall() else {
        return NOT_KNOWN;
    };
    let Ok(sequences) = walk::sequences() else {
        return NOT_KNOWN;
    };
    if !known.is_uniform || !known.granted.contains(requested) {
        return NOT_KNOWN;
    }
    if known.sequences != sequences {
        if !is_unmoved(folder, known.mark, sequences, label.mount_namespace) {
            return NOT_KNOWN;
        }
        folder.remember(&Known { sequences, ..known });
    }
    known.states
}

#[inline(always)]
fn remembers(label: &Label) -> bool {
    label.number != 0
}

#[inline(always)]
fn key(label: &Label, object: [u64; 2]) -> Key {
    Key {
        domain: label.number,
        object,
        version: maps::version(),
    }
}

/// Whether every layer is known to grant what is asked for on an object, or on all that
/// lies in its folder. The sequence counts are read last: if they are those of what is
/// known, nothing was moved in between.
#[inline(always)]
fn is_granted(key: &Key, requested: Access, named: Named) -> bool {
    if named == Named::NOW
        && let Some(known) = key.recall()
    {
        return holds(&known, requested);
    }
    let [vfsmount, dentry] = key.object;
    is_granted_in_folder(key.domain, vfsmount, dentry, requested.0)
}

/// As [`is_granted`], by the folder.
///
/// Apart, so that what it needs is not kept ready by those who do not come here.
#[inline(never)]
fn is_granted_in_folder(domain: u64, vfsmount: u64, dentry: u64, requested: u32) -> bool {
    let key = Key {
        domain,
        object: [vfsmount, dentry],
        version: maps::version(),
    };
    let requested = Access(requested);
    let Some(folder) = in_folder(key) else {
        return false;
    };
    match folder.recall() {
        Some(known) if known.is_uniform => holds(&known, requested),
        Some(_) => false,
        None => {
            let [vfsmount, dentry] = folder.object;
            inherits(vfsmount, dentry, requested.0) == 1
        }
    }
}

global! {
    /// Whether every layer is known to grant what is asked for in a folder of which nothing
    /// is known, since all that lies in the one above has the same outcome: 0 or 1. If so,
    /// it is known of this one from now on.
    fn inherits(vfsmount: u64, dentry: u64, requested: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        let folder = key(label, [vfsmount, dentry]);
        let Some(known) = in_folder(folder).and_then(|above| above.recall()) else {
            return 0;
        };
        let Ok(name) = walk::link(dentry) else {
            return 0;
        };
        let inner = Known {
            mark: known.mark.wrapping_add(name.mark(dentry)),
            len: known.len.wrapping_add(1).wrapping_add(name.len),
            steps: known.steps.wrapping_add(1),
            ..known
        };
        if !known.is_uniform || !has_room(&inner) || !holds(&known, Access(requested)) {
            return 0;
        }
        folder.remember(&inner);
        1
    }
}

#[inline(always)]
fn holds(known: &Known, requested: Access) -> bool {
    known.granted.contains(requested) && walk::sequences() == Ok(known.sequences)
}

/// What an object's folder is known by; `None` if its name is not there.
#[inline(always)]
pub(super) fn in_folder(key: Key) -> Option<Key> {
    let [vfsmount, dentry] = key.object;
    // The root of a mount has its name on another.
    if word(vfsmount.wrapping_add(offset!(vfsmount_root))) == dentry {
        return None;
    }
    let folder = word(dentry.wrapping_add(offset!(dentry_parent)));
    Some(Key {
        object: [vfsmount, folder],
        ..key
    })
}
