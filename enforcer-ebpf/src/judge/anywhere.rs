//! Decides about an object of which the kernel does not tell by what mount it was
//! reached.

use enforcer_abi::{Reason, limits::MOUNTS};

use crate::{
    judge::{Answer, How, judge, judge_unnamed},
    kernel::{global, offset},
    maps,
    walk::{self, NAMED, mounts},
};

global! {
    /// Judges the request in the scratch for an object that comes without a mount:
    /// one of its names has to grant it. Returns an [`Answer`].
    fn judge_anywhere(at: u32) -> u32 {
        anywhere(at).unwrap_or_else(|reason| judge_unnamed(at, reason as u32))
    }
}

#[inline(always)]
fn anywhere(at: u32) -> Result<u32, Reason> {
    let scratch = maps::scratch(at)?;
    let object = scratch.request.object;
    let before = walk::sequences()?;
    let super_block = mounts::start(scratch, object.dentry)?;
    let first = mounts::mount_of(scratch.cursor, super_block);
    scratch.shown = 0;
    scratch.candidate = 0;
    let mut tried = NEXT;
    for _ in 0..MOUNTS {
        tried = try_mount(at, super_block);
        if tried != NEXT {
            break;
        }
    }
    // Nobody asks quietly here.
    scratch.request.how &= !How::QUIETLY;
    scratch.request.unnamed = NAMED;
    match tried {
        // Once more, so that the use is noted.
        GRANTED => return Ok(judge(at)),
        FAULT => return Err(Reason::Fault),
        _ => {}
    }
    if scratch.candidate != 0 {
        scratch.request.object.vfsmount = scratch.candidate;
        return Ok(judge(at));
    }
    if tried == NEXT {
        return Err(Reason::TooManyMounts);
    }
    // The list may have changed under the search.
    if walk::mounts_of(before) != walk::mounts_of(walk::sequences()?) {
        return Err(Reason::Raced);
    }
    if scratch.shown != 0 || first == 0 {
        return Err(Reason::NoMount);
    }
    // It is on none of the domain's mounts; another tells what it is.
    scratch.request.object.vfsmount = first.wrapping_add(offset!(mount_mnt));
    Ok(judge(at))
}

/// What [`try_mount`] returns: this mount does not grant it, the next may.
const NEXT: u32 = 0;
/// This mount's name grants it.
const GRANTED: u32 = 1;
/// There are no more mounts.
const END: u32 = 2;
/// A read failed.
const FAULT: u32 = 3;

global! {
    /// Asks whether the name by the next mount of the domain's own grants the
    /// request in the scratch. Notes the first that names the object at all.
    fn try_mount(at: u32, super_block: u64) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return FAULT;
        };
        match mounts::seek_mount(at, super_block, scratch.subject.mount_namespace) {
            mounts::FOUND => {}
            mounts::MORE => return NEXT,
            mounts::END => return END,
            _ => return FAULT,
        }
        let vfsmount = scratch.mount.wrapping_add(offset!(mount_mnt));
        scratch.shown = 1;
        scratch.request.how |= How::QUIETLY;
        scratch.request.unnamed = NAMED;
        scratch.request.object.vfsmount = vfsmount;
        if judge(at) == Answer::Granted as u32 {
            return GRANTED;
        }
        if scratch.request.unnamed == NAMED && scratch.candidate == 0 {
            scratch.candidate = vfsmount;
        }
        NEXT
    }
}
