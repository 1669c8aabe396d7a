//! Any text as a pattern and any path: the pattern by itself and a profile's table that
//! has it say the same. The text is the first line, and the path what follows.

#![no_main]

use std::path::Path;

use enforcer::profile::{Pattern, Profile, compile_alone};
use enforcer_abi::Access;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let (Some(text), Some(path)) = (parts.next(), parts.next()) else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let Ok(pattern) = Pattern::parse(text) else {
        return;
    };
    // Paths have no NUL, and those are the ones that are judged.
    if path.contains(&0) {
        return;
    }
    let empty = "name: p\nmode: enforce\nmetadata: true\npaths: [{ path: /, allow: [read] }]\n";
    let mut profile = Profile::parse(empty, Path::new("p.yaml"), Path::new("")).unwrap();
    profile.rules[0].pattern = pattern.clone();
    let Ok(compiled) = compile_alone(&profile) else {
        return;
    };
    let matches = pattern.matches(path);
    let judged = compiled.judge(path).outcome.allow;
    assert_eq!(matches, judged.contains(Access::READ), "{text:?} {path:?}");
    if matches {
        assert!(path.starts_with(pattern.literal_prefix()), "{text:?}");
    }
});
