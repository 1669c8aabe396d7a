//! Checks that the object for old kernels uses nothing that is younger than the
//! oldest of them, 5.7: no virtual machine has a kernel that old.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object as _, ObjectSection as _, SectionKind};

/// The last helper of Linux 5.7, `sk_assign`: `__BPF_FUNC_MAPPER` in
/// `include/uapi/linux/bpf.h` of tag v5.7. Helpers are numbered in the order in
/// which they came.
const LAST_HELPER: i32 = 124;

/// The last map type of Linux 5.7, `BPF_MAP_TYPE_STRUCT_OPS` of 5.6: `enum
/// bpf_map_type` there. 27 is the ring buffer, of 5.8; 28 inode storage, of 5.10.
const LAST_MAP_TYPE: u32 = 26;

/// The first map flag that Linux 5.7 does not know, `BPF_F_PRESERVE_ELEMS` of 5.10; its
/// own last is `BPF_F_MMAPABLE`, `1 << 10`, of 5.5.
const FIRST_YOUNG_FLAG: u32 = 1 << 11;

/// `BPF_JMP | BPF_CALL`; a helper's if the source register is 0.
const CALL: u8 = 0x85;
/// `BPF_LD | BPF_IMM | BPF_DW`, which takes two instructions.
const LOAD_IMMEDIATE: u8 = 0x18;
/// `BPF_STX | BPF_ATOMIC` of 4 and of 8 bytes.
const ATOMIC: [u8; 2] = [0xc3, 0xdb];
/// The atomic operation that 5.7 knows, as `BPF_XADD`: addition without a result.
/// The others are of 5.12.
const ADD: i32 = 0;

/// What an object uses of the kernel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    /// The numbers of the helpers.
    pub(super) helpers: BTreeSet<i32>,
    /// The atomic operations, as instructions have them.
    pub(super) atomics: BTreeSet<i32>,
    /// The sections with programs.
    sections: BTreeSet<String>,
}

/// Checks the object at `path`.
pub(super) fn check(path: &Path) -> Result<()> {
    let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let uses = uses(&data)?;
    if uses.helpers.is_empty() {
        bail!(
            "{} calls no helper: it is not what it should be",
            path.display()
        );
    }
    let young: Vec<_> = uses
        .helpers
        .iter()
        .filter(|&&helper| helper > LAST_HELPER)
        .collect();
    if !young.is_empty() {
        bail!("helpers {young:?} are younger than Linux 5.7 (the last is {LAST_HELPER})");
    }
    let young: Vec<_> = uses.atomics.iter().filter(|&&one| one != ADD).collect();
    if !young.is_empty() {
        bail!("atomic operations {young:x?} are younger than Linux 5.7");
    }
    maps(&data)?;
    // `lsm.s/` is a sleepable program, of 5.10.
    if let Some(section) = uses
        .sections
        .iter()
        .find(|name| !(*name == "lsm" || name.starts_with("lsm/") || *name == ".text"))
    {
        bail!("section {section} is of another kind than the programs of Linux 5.7");
    }
    Ok(())
}

/// Checks the maps of an object.
fn maps(data: &[u8]) -> Result<()> {
    let object = aya_obj::Object::parse(data).context("cannot read the object's maps")?;
    if object.maps.is_empty() {
        bail!("the object has no maps: it is not what it should be");
    }
    for (name, map) in &object.maps {
        if let Some(what) = young(map.map_type(), map.map_flags()) {
            bail!("the map {name} has {what}, which is younger than Linux 5.7");
        }
    }
    Ok(())
}

/// What of a map is younger than Linux 5.7.
fn young(map_type: u32, flags: u32) -> Option<String> {
    if map_type > LAST_MAP_TYPE {
        return Some(format!("the type {map_type}"));
    }
    (flags >= FIRST_YOUNG_FLAG).then(|| format!("the flags {flags:#x}"))
}

/// Reads what an object uses.
fn uses(data: &[u8]) -> Result<Uses> {
    let file = object::File::parse(data).context("cannot read the object")?;
    let mut uses = Uses::default();
    for section in file.sections() {
        if section.kind() != SectionKind::Text || section.size() == 0 {
            continue;
        }
        uses.sections.insert(section.name()?.to_owned());
        instructions(section.data()?, &mut uses);
    }
    Ok(uses)
}

/// Takes in the instructions of a section.
fn instructions(code: &[u8], uses: &mut Uses) {
    let mut rest = code;
    while let Some((instruction, tail)) = rest.split_first_chunk::<8>() {
        rest = tail;
        let [opcode, registers, _, _, immediate @ ..] = *instruction;
        let immediate = i32::from_le_bytes(immediate);
        if opcode == LOAD_IMMEDIATE {
            rest = rest.get(8..).unwrap_or_default();
        } else if opcode == CALL && registers >> 4 == 0 {
            uses.helpers.insert(immediate);
        } else if ATOMIC.contains(&opcode) {
            uses.atomics.insert(immediate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn young_maps() {
        // Columns: a hash without memory of its own, the oldest ring buffer, a new flag.
        assert_eq!(young(1, 1), None);
        assert_eq!(young(26, 1 << 10), None);
        assert!(young(27, 0).is_some());
        assert!(young(1, 1 << 11).is_some());
    }

    #[test]
    fn instructions_are_told_apart() {
        let mut code = Vec::new();
        let mut put = |opcode: u8, registers: u8, immediate: i32| {
            code.extend([opcode, registers, 0, 0]);
            code.extend(immediate.to_le_bytes());
        };
        put(CALL, 0, 113);
        // A call of a function, and a constant that looks like a helper's call.
        put(CALL, 0x10, 130);
        put(LOAD_IMMEDIATE, 0, 1);
        put(CALL, 0, 131);
        put(0xdb, 0x10, 0);
        put(0xc3, 0x10, 0x41);
        let mut uses = Uses::default();
        instructions(&code, &mut uses);
        assert_eq!(uses.helpers, BTreeSet::from([113]));
        assert_eq!(uses.atomics, BTreeSet::from([0, 0x41]));
    }
}
