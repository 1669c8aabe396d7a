//! Whether the way of a walk is still the same.
//!
//! Every rename anywhere moves the one count that brackets a walk, so that under
//! many of them no walk would ever count. Each dentry has a count of its own, too:
//! if all on the way are what they were in the walk, each held from the one look to
//! the other, and all at once in between.
//!
//! A mount has none. Its edges are compared themselves; they could have been
//! changed and changed back, which takes somebody who may mount, and gives a name
//! that the object had just before or after.

use enforcer_abi::limits::WALK_STEPS;

use crate::{
    kernel::{Task, global},
    maps,
    scratch::Scratch,
    walk::{End, STEPS, cross, link},
};

global! {
    /// Walks as [`super::walk_path`] does, and takes no names. What it came by is
    /// in the scratch's mark.
    fn recheck_path() -> u32 {
        for _ in 0..WALK_STEPS / STEPS {
            let end = recheck_names();
            if end != 0 {
                return end;
            }
        }
        0
    }
}

global! {
    /// Takes up to [`STEPS`] steps. Returns the [`End`], or 0 if there is none yet.
    fn recheck_names() -> u32 {
        let Ok(scratch) = maps::scratch(Task::current()) else {
            return End::Fault as u32;
        };
        for _ in 0..STEPS {
            if let Err(end) = advance(scratch) {
                return end as u32;
            }
        }
        0
    }
}

#[inline(always)]
fn advance(scratch: &mut Scratch) -> Result<(), End> {
    if cross(scratch)? {
        return Ok(());
    }
    let link = link(scratch)?;
    if link.parent == scratch.dentry {
        return Err(End::Escaped);
    }
    scratch.dentry = link.parent;
    Ok(())
}
