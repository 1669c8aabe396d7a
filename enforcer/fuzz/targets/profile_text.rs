//! Any text as a profile, with the shipped abstractions to include: read and checked without
//! a panic, in 256 MiB, and in a second. What takes longer when instrumented is tried again
//! as it is shipped, by the test `slow_texts`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/fuzzed/profile.rs"]
mod profile;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        let abstractions = concat!(env!("CARGO_MANIFEST_DIR"), "/../../profiles/abstractions");
        profile::exercise(text, Path::new(abstractions));
    }
});
