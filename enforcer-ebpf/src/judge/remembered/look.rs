//! A look at what is remembered, before anything is judged.
//!
//! It needs no scratch: most accesses of a process are granted here, or not asked at all.

use enforcer_abi::{Access, Label, offsets::Features};

use super::refresh;
use crate::{
    judge::Question,
    kernel::{Task, global, offset, word},
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

/// What is known of a question without asking.
enum Look {
    /// It is granted by what is known here.
    Granted(Known),
    /// It may be, but what is known of this dentry is of other sequence counts.
    Stale(u64),
    /// It takes a closer look.
    Unknown,
}

/// Whether it is known that every layer grants what a question asks for.
#[inline(always)]
pub(in crate::judge) fn grants(label: &mut Label, question: &Question, named: Named) -> bool {
    if !remembers(label) {
        return false;
    }
    // Verifier: pointers become numbers in the label.
    label.object = [question.object.vfsmount, question.object.dentry];
    let key = key(label, core::hint::black_box(&*label).object);
    matches!(look(&key, question.requested, named), Look::Granted(_))
}

/// Whether it is known that every layer grants what is asked for of an object that comes
/// without a mount.
///
/// Verifier: the callers have no stack left for more.
#[inline(always)]
pub(in crate::judge) fn grants_anywhere(label: &mut Label, dentry: u64, requested: Access) -> bool {
    if !remembers(label) {
        return false;
    }
    label.object = [0, dentry];
    knows_anywhere(requested.0) == 1
}

global! {
    /// [`grants_anywhere`] for the object in the label: 0 or 1.
    fn knows_anywhere(requested: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        let key = key(label, label.object);
        u32::from(matches!(look(&key, Access(requested), Named::NOW), Look::Granted(_)))
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
        let from = folder(key(label, label.object), Access(leaves));
        if from == NOT_KNOWN {
            return 0;
        }
        u32::from(from == folder(key(label, label.target), Access(comes)))
    }
}

/// No states have this number.
const NOT_KNOWN: u64 = u64::MAX;

/// The states of all that lies in the folder of an object, if every layer is known to
/// grant there what is asked for; else [`NOT_KNOWN`].
#[inline(always)]
fn folder(key: Key, requested: Access) -> u64 {
    for _ in 0..2 {
        match look(&key, requested, Named::LATER) {
            Look::Granted(known) => return known.states,
            Look::Stale(dentry) if refresh(key.object[0], dentry) == 1 => {}
            Look::Stale(_) | Look::Unknown => break,
        }
    }
    NOT_KNOWN
}

#[inline(always)]
fn remembers(label: &Label) -> bool {
    offset!(features) & Features::REMEMBERS != 0 && label.number != 0
}

#[inline(always)]
fn key(label: &Label, object: [u64; 2]) -> Key {
    Key {
        domain: label.number,
        object,
        version: maps::subjects().version,
    }
}

/// What is known of an object, or of all that lies in its folder. The sequence counts are
/// read last: if they are those of what is known, nothing was moved in between.
#[inline(always)]
fn look(key: &Key, requested: Access, named: Named) -> Look {
    if named == Named::NOW
        && let Some(known) = key.recall()
    {
        return judge_look(known, requested, key.object[1]);
    }
    let [vfsmount, dentry] = key.object;
    // The root of a mount has its name on another. Without a mount it does not matter: by
    // that of its folder, the object has a name, whatever others it has.
    if vfsmount != 0 && word(vfsmount.wrapping_add(offset!(vfsmount_root))) == dentry {
        return Look::Unknown;
    }
    let folder = word(dentry.wrapping_add(offset!(dentry_parent)));
    let in_folder = Key {
        object: [vfsmount, folder],
        ..*key
    };
    match in_folder.recall() {
        Some(known) if known.is_uniform => judge_look(known, requested, folder),
        _ => Look::Unknown,
    }
}

#[inline(always)]
fn judge_look(known: Known, requested: Access, dentry: u64) -> Look {
    if !known.granted.contains(requested) {
        return Look::Unknown;
    }
    match walk::sequences() {
        Ok(sequences) if sequences == known.sequences => Look::Granted(known),
        Ok(_) if known.mark != 0 => Look::Stale(dentry),
        _ => Look::Unknown,
    }
}
