//! Just enough of BTF to change where a member of a structure is.

/// Bytes of a type before what belongs to its kind, and of a member.
const RECORD: usize = 12;

/// `BTF_KIND_STRUCT`, from `include/uapi/linux/btf.h`.
const STRUCT: u32 = 4;

/// Lets the member `name` of `structure` be where the first of `others` is that
/// there is.
pub(super) fn move_member(btf: &mut [u8], structure: &str, name: &str, others: &[&str]) {
    let header_len = word(btf, 4) as usize;
    let [types, types_len, texts] = [8, 12, 16].map(|at| word(btf, at) as usize);
    let (types, texts) = (header_len + types, header_len + texts);
    let mut at = types;
    while at < types + types_len {
        let info = word(btf, at + 4);
        let (kind, members) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
        let first = at + RECORD;
        if kind == STRUCT && name_of(btf, texts, at) == structure.as_bytes() {
            let place = |wanted: &str| {
                (0..members)
                    .map(|member| first + member * RECORD)
                    .find(|record| name_of(btf, texts, *record) == wanted.as_bytes())
            };
            let from = others.iter().find_map(|other| place(other));
            let (to, from) = (place(name).expect("the member"), from.expect("another"));
            btf.copy_within(from + 8..from + 12, to + 8);
            return;
        }
        at = first + tail_len(kind, members);
    }
    panic!("no structure {structure}");
}

/// Bytes of what belongs to a type's kind.
fn tail_len(kind: u32, members: usize) -> usize {
    match kind {
        // A number's size; the variable; the declaration's tag.
        1 | 14 | 17 => 4,
        // An array.
        3 => 12,
        // Structure, union, data section, enumeration of 64 bits.
        4 | 5 | 15 | 19 => members * 12,
        // Enumeration, function prototype.
        6 | 13 => members * 8,
        _ => 0,
    }
}

fn word(btf: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(btf[at..at + 4].try_into().expect("4 bytes"))
}

/// The name of a type or member, which NUL ends.
fn name_of(btf: &[u8], texts: usize, record: usize) -> &[u8] {
    let rest = &btf[texts + word(btf, record) as usize..];
    let end = rest.iter().position(|byte| *byte == 0).expect("it ends");
    &rest[..end]
}
