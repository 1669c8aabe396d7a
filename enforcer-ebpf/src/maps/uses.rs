//! Uses of profiles of which the agent was told: the history.

use aya_ebpf::{btf_maps::LruHashMap, macros::btf_map};
use enforcer_abi::{Access, UseKey, limits::USES};

/// The rights of which the agent was told. It clears it to be told anew.
#[btf_map]
static USES_TOLD: LruHashMap<UseKey, Access, USES> = LruHashMap::new();

/// The rights of which the agent was told under `key`.
#[inline(always)]
pub(crate) fn known(key: &UseKey) -> Access {
    // SAFETY: a value is one word.
    unsafe { USES_TOLD.get(key) }.map_or(Access::NONE, |access| *access)
}

/// Notes the rights of which the agent was told.
#[inline(always)]
pub(crate) fn note(key: &UseKey, told: Access) {
    // Where there is no room for it, the agent is told again.
    let _result = USES_TOLD.insert(key, told, 0);
}
