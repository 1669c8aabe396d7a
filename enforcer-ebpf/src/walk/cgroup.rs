//! The path of a cgroup.

use enforcer_abi::{Reason, limits::CGROUP_LEVELS};

use crate::{
    kernel::{Task, global, offset, read, read_text},
    maps,
    scratch::{BUFFER, Scratch},
    walk::{End, build},
};

/// Levels that one call of [`walk_cgroups`] takes.
const LEVELS: u32 = 8;

/// Puts the path of the current task's cgroup, from the root of cgroup v2, into
/// the scratch.
///
/// # Errors
///
/// If a read fails, or the path is past a limit.
#[inline(always)]
pub(crate) fn path(task: Task, scratch: &mut Scratch) -> Result<(), Reason> {
    let set: u64 = read(task.address().wrapping_add(offset!(task_cgroups)))?;
    let cgroup: u64 = read(set.wrapping_add(offset!(css_set_default)))?;
    scratch.cursor = read(cgroup.wrapping_add(offset!(cgroup_node)))?;
    scratch.clear_path();
    for _ in 0..CGROUP_LEVELS / LEVELS {
        let end = walk_cgroups(scratch.at);
        if end == End::Top as u32 {
            return Ok(());
        } else if end == End::TooLong as u32 {
            return Err(Reason::PathTooLong);
        } else if end != 0 {
            return Err(Reason::Fault);
        }
    }
    Err(Reason::PathTooDeep)
}

global! {
    /// Takes up to [`LEVELS`] names of the cgroup at the scratch's cursor. Returns
    /// the [`End`], or 0 if there is none yet.
    fn walk_cgroups(at: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return End::Fault as u32;
        };
        for _ in 0..LEVELS {
            if let Err(end) = advance(scratch) {
                return end as u32;
            }
        }
        0
    }
}

/// Takes one name.
#[inline(always)]
fn advance(scratch: &mut Scratch) -> Result<(), End> {
    let node = scratch.cursor;
    let parent: u64 =
        read(node.wrapping_add(offset!(kernfs_parent))).map_err(|_fault| End::Fault)?;
    if parent == 0 {
        if scratch.names == 0 {
            scratch.start = BUFFER as u32 - 1;
            scratch.buffer[BUFFER - 1] = b'/';
        }
        return Err(End::Top);
    }
    let name: u64 = read(node.wrapping_add(offset!(kernfs_name))).map_err(|_fault| End::Fault)?;
    let len = read_text(&mut scratch.name, name).map_err(|_fault| End::Fault)?;
    let text = scratch.name.as_ptr() as u64;
    build::name(scratch, len, text)?;
    scratch.cursor = parent;
    Ok(())
}
