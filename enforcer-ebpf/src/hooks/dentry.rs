//! What makes that stale which is remembered of an object.

use aya_ebpf::{macros::lsm, programs::LsmContext};

use crate::{
    hooks::address,
    maps::{self, known},
};

/// `void d_instantiate(struct dentry *dentry, struct inode *inode)`
///
/// Comes before a dentry is given an inode: after its name was looked up or made, and
/// also for what has none, as a pipe. Judges nothing.
#[lsm(hook = "d_instantiate")]
fn d_instantiate(context: LsmContext) -> i32 {
    if maps::subjects().epoch != 0 {
        known::born(maps::number(address(&context, 0)));
    }
    0
}
