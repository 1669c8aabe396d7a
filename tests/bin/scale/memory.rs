//! What memory is taken.

use std::{collections::BTreeMap, fs, path::Path};

/// Memory that is there to be used, in KiB.
pub(crate) fn available_kib() -> u64 {
    line(Path::new("/proc/meminfo"), "MemAvailable")
}

/// Memory that the kernel has mapped page by page for itself, in KiB. Tables are there:
/// each is larger than what it takes from its allocator.
pub(crate) fn mapped_kib() -> u64 {
    line(Path::new("/proc/meminfo"), "VmallocUsed")
}

/// Memory of a process's own, with the tables that map it, in KiB.
pub(crate) fn of_process_kib(process: u32) -> u64 {
    let status = Path::new("/proc").join(process.to_string()).join("status");
    ["RssAnon", "RssShmem", "VmPTE"]
        .iter()
        .map(|name| line(&status, name))
        .sum()
}

/// What the kernel says that the maps take that a process holds, in KiB. Tables within
/// maps of maps are not among them.
pub(crate) fn of_maps_kib(process: u32) -> u64 {
    let folder = Path::new("/proc").join(process.to_string()).join("fdinfo");
    let mut maps = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("list descriptors") {
        let text = fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default();
        if let (Some(id), Some(bytes)) = (value(&text, "map_id"), value(&text, "memlock")) {
            maps.insert(id, bytes);
        }
    }
    maps.values().sum::<u64>() >> 10
}

fn line(file: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(file).expect("read what the kernel says of memory");
    value(&text, name).unwrap_or_else(|| panic!("{} has no {name}", file.display()))
}

/// The number behind `NAME:`.
fn value(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}
