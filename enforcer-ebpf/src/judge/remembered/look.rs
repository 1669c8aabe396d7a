//! A look at what is remembered, before anything is judged.
//!
//! It needs no scratch: most accesses of a process are granted here, or not asked at all.

use enforcer_abi::{Access, Label};

use super::{has_room, is_unmoved};
use crate::{
    judge::Question,
    kernel::{self, Task, global, load, offset},
    maps::{
        self,
        known::{Key, Known},
    },
    subject::claims,
    walk,
};

/// What folder the object of a question is in: a `struct dentry *`.
#[derive(Clone, Copy)]
pub(crate) enum Folder {
    /// The parent of the object's dentry, of which the verifier knows what it is: it came
    /// with the hook's arguments.
    Loaded,
    /// The parent of the object's dentry, of which it does not.
    Read,
    /// This one.
    This(u64),
    /// This one, where the object is about to get its name: what is remembered of its
    /// `struct dentry` may be of one that was at the same address before.
    Coming(u64),
}

/// Whether it is known that every layer grants what a question asks for. The sequence
/// counts are read last: if they are those of what is known, nothing was moved in between.
#[inline(always)]
pub(in crate::judge) fn grants(label: &mut Label, question: &Question, folder: Folder) -> bool {
    if !remembers(label) {
        return false;
    }
    let Question {
        object, requested, ..
    } = *question;
    let vfsmount = kernel::number(&mut label.object[0], object.vfsmount);
    let dentry = kernel::number(&mut label.object[1], object.dentry);
    let key = key(label, [vfsmount, dentry]);
    if !matches!(folder, Folder::Coming(_))
        && let Some(known) = key.recall()
    {
        return holds(&known, requested);
    }
    let folder = match folder {
        Folder::Loaded => load(object.dentry, offset!(dentry_parent)),
        Folder::Read => walk::parent(object.dentry),
        Folder::This(folder) | Folder::Coming(folder) => folder,
    };
    let folder = kernel::number(&mut label.target[1], folder);
    folder != dentry && in_folder(key.domain, vfsmount, folder, requested.0)
}

/// Whether it is known that every layer grants what is asked for of an object that comes
/// without a mount, by its name on the mount that was asked about last: one of its names
/// has to grant it, and most often this is the one. `folder` holds it.
///
/// Verifier: the callers have no stack left for more.
#[inline(always)]
pub(in crate::judge) fn grants_anywhere(
    label: &mut Label,
    dentry: u64,
    folder: u64,
    requested: Access,
) -> bool {
    if !remembers(label) {
        return false;
    }
    label.object[1] = dentry;
    label.target[1] = folder;
    knows_anywhere(requested.0) == 1
}

global! {
    /// [`grants_anywhere`] for the object in the label: 0 or 1.
    fn knows_anywhere(requested: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        let key = key(label, label.object);
        if let Some(known) = key.recall() {
            return u32::from(holds(&known, Access(requested)));
        }
        let [vfsmount, dentry] = key.object;
        let [_, folder] = label.target;
        u32::from(folder != dentry && in_folder(key.domain, vfsmount, folder, requested))
    }
}

/// Whether it is known that every layer grants a move from a folder into another, and has
/// equal rights at both names and beneath them: all in either has the same outcome.
#[inline(always)]
pub(in crate::judge) fn grants_move(
    label: &mut Label,
    from: &Question,
    to: &Question,
    folders: [u64; 2],
) -> bool {
    if !remembers(label) {
        return false;
    }
    label.object = [from.object.vfsmount, folders[0]];
    label.target = [to.object.vfsmount, folders[1]];
    knows_move(from.requested.0, to.requested.0) == 1
}

global! {
    /// [`grants_move`] for the folders in the label, with the rights that it takes in
    /// each: 0 or 1.
    fn knows_move(leaves: u32, comes: u32) -> u32 {
        let Some(label) = maps::label(Task::current()) else {
            return 0;
        };
        let from = key(label, label.object);
        let to = Key {
            object: label.target,
            ..from
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
        if !is_unmoved(folder, &known, sequences, label.mount_namespace) {
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
    key_of(label.number, object)
}

#[inline(always)]
fn key_of(domain: u64, object: [u64; 2]) -> Key {
    Key {
        domain,
        object,
        version: maps::version(),
    }
}

/// Whether every layer is known to grant what is asked for on all that lies in a folder.
///
/// What is known of a folder on a mount tells that it is on it; so nothing in it is the
/// mount's root, which has its name on another.
///
/// Apart, so that what it needs is not kept ready by those who do not come here.
#[inline(never)]
fn in_folder(domain: u64, vfsmount: u64, dentry: u64, requested: u32) -> bool {
    let folder = key_of(domain, [vfsmount, dentry]);
    match folder.recall() {
        Some(known) if known.is_uniform => holds(&known, Access(requested)),
        Some(_) => false,
        None => inherits(vfsmount, dentry, requested) == 1,
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
        // The version is read once: what is known by one is not noted by another.
        let folder = key(label, [vfsmount, dentry]);
        let parent = walk::parent(dentry);
        let above = Key {
            object: [vfsmount, parent],
            ..folder
        };
        let Some(known) = above.recall() else {
            return 0;
        };
        // The name is read after that, and the counts last: so it was there when they were
        // as they are.
        let Ok(name) = walk::link(dentry) else {
            return 0;
        };
        if name.parent != parent || parent == dentry {
            return 0;
        }
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

global! {
    /// Whether the program that the current task runs was seen to run the object in the
    /// label: 0 or 1.
    fn knows_edge() -> u32 {
        let edge = maps::label(Task::current()).map(|label| edge(label));
        u32::from(edge.is_some_and(|edge| edge.recall().is_some()))
    }
}

global! {
    /// Notes that the program which the current task runs ran the object in the label.
    fn note_edge() -> u32 {
        if let Some(label) = maps::label(Task::current())
            && remembers(label)
        {
            edge(label).remember(&Known::NOTHING);
        }
        0
    }
}

/// What an edge is remembered under. It is of no domain: nothing is granted by it.
#[inline(always)]
fn edge(label: &Label) -> Key {
    let file = claims::running_file(Task::current());
    let program = match file {
        0 => 0,
        file => claims::file_object(file).1,
    };
    let [_, dentry] = label.object;
    key_of(!label.number, [program, dentry])
}

#[inline(always)]
fn holds(known: &Known, requested: Access) -> bool {
    known.granted.contains(requested) && walk::sequences() == Ok(known.sequences)
}
