//! Types by hand.

use proptest::prelude::*;

use super::{Types, kind};

const STRINGS: &[u8] = b"\0bpf_lsm_hook\0bpf_lsm_odd\0outer\0first\0a\0inner\0last\0";

/// `struct outer { int first; union { struct { int a; int inner; }; }; int last:4; }`
/// and `int bpf_lsm_hook(int first, int last)`
fn sample() -> Vec<u8> {
    let name = |text: &str| {
        let needle = format!("\0{text}\0");
        let at = STRINGS
            .windows(needle.len())
            .position(|window| window == needle.as_bytes());
        u32::try_from(at.unwrap() + 1).unwrap()
    };
    let structure = |of: u32, members: u32, flag: u32| of << 24 | members | flag << 31;
    #[rustfmt::skip]
    let types: Vec<u32> = vec![
        // 1: int
        0, kind::INT << 24, 4, 32,
        // 2: struct { int a; int inner; }
        0, structure(kind::STRUCT, 2, 0), 8,
        name("a"), 1, 0,
        name("inner"), 1, 32,
        // 3: union { 2 }
        0, structure(kind::UNION, 1, 0), 8,
        0, 2, 0,
        // 4: struct outer, with bit fields
        name("outer"), structure(kind::STRUCT, 3, 1), 16,
        name("first"), 1, 0,
        0, 3, 64,
        name("last"), 1, 4 << 24 | 0x81,
        // 5: int (int first, int last)
        0, kind::FUNC_PROTO << 24 | 2, 1,
        name("first"), 1,
        name("last"), 1,
        // 6, 7: functions, the second of no prototype
        name("bpf_lsm_hook"), kind::FUNC << 24 | 1, 5,
        name("bpf_lsm_odd"), kind::FUNC << 24 | 1, 1,
    ];
    let type_len = u32::try_from(types.len() * 4).unwrap();
    let header = [
        0x0001_eb9f,
        24,
        0,
        type_len,
        type_len,
        u32::try_from(STRINGS.len()).unwrap(),
    ];
    let mut data: Vec<u8> = header
        .into_iter()
        .chain(types)
        .flat_map(u32::to_ne_bytes)
        .collect();
    data.extend(STRINGS);
    data
}

#[test]
fn offsets() {
    let data = sample();
    let types = Types::parse(&data).unwrap();
    #[rustfmt::skip]
    let cases = [
        ("a member",                        "outer", "first", Some(0)),
        ("inside an unnamed structure",     "outer", "inner", Some(12)),
        ("a bit field that starts askew",   "outer", "last",  None),
        ("no such member",                  "outer", "other", None),
        ("no such structure",               "inner", "first", None),
    ];
    for (name, structure, member, want) in cases {
        assert_eq!(types.offset(structure, member).unwrap(), want, "{name}");
    }
}

#[test]
fn hooks() {
    let data = sample();
    let types = Types::parse(&data).unwrap();
    let want: Vec<&[u8]> = vec![b"first", b"last"];
    assert_eq!(types.hook("hook"), Ok(Some(want)));
    assert_eq!(types.hook("outer"), Ok(None), "no function");
    assert!(types.hook("odd").is_err(), "a function of no prototype");
}

#[test]
fn every_cut_is_an_error() {
    let data = sample();
    // The strings are looked at when a name is asked for.
    let strings = data.len() - STRINGS.len();
    for len in 0..strings {
        assert!(Types::parse(&data[..len]).is_err(), "cut at {len}");
    }
}

proptest! {
    #[test]
    fn damage_never_panics(at in 0_usize..300, value: u8) {
        let mut data = sample();
        if let Some(byte) = data.get_mut(at) {
            *byte = value;
        }
        if let Ok(types) = Types::parse(&data) {
            let _offset = types.offset("outer", "inner");
                let _arguments = types.hook("hook");
        }
    }
}
