//! The profiles.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use enforcer_tests::BASE_RULES;

/// The files that every profile grants.
pub(crate) const GRANTED: &str = "/tmp/scale/some";

/// Rules of each of many profiles.
const RULES_EACH: usize = 10;

/// Rules that each profile has: those that a program needs, and of [`GRANTED`].
fn common() -> (String, usize) {
    let text = format!("{BASE_RULES}  - {{ path: \"{GRANTED}/**\", allow: [read] }}\n");
    let count = text.matches("path:").count();
    (text, count)
}

/// Writes the profiles of a row into a folder.
pub(crate) fn write(table: &str, size: u32, folder: &Path) {
    fs::create_dir_all(folder).expect("make a folder");
    match table {
        "profiles" => (0..size).for_each(|number| one_of_many(number, folder)),
        // A row without rules is one without a profile.
        "rules" if size == 0 => {}
        "rules" => large(size, folder),
        _ => panic!("table {table} has no profiles of its own"),
    }
}

/// The name of a profile of a row, which grants [`GRANTED`].
pub(crate) fn name(table: &str, size: u32) -> String {
    match table {
        "profiles" => format!("p{}", size / 2),
        _ => "large".to_owned(),
    }
}

/// Writes a profile with these rules besides the common ones, each a pattern and a right.
pub(crate) fn write_one(folder: &Path, name: &str, whom: &str, rules: &[(String, &str)]) {
    let (common, _) = common();
    let mut text = format!("name: {name}\nmode: enforce\n{whom}paths:{common}");
    for (pattern, right) in rules {
        writeln!(text, "  - {{ path: \"{pattern}\", allow: [{right}] }}").expect("write text");
    }
    let file: PathBuf = folder.join(format!("{name}.yaml"));
    fs::write(file, text).expect("write a profile");
}

/// A profile of a program of its own, with some rules.
fn one_of_many(number: u32, folder: &Path) {
    let rules: Vec<_> = (common().1..RULES_EACH)
        .map(|rule| (format!("/srv/service-{number}/part-{rule}/**"), "read"))
        .collect();
    let whom = format!("applies_to: {{ executables: [\"/srv/scale/program-{number}\"] }}\n");
    write_one(folder, &format!("p{number}"), &whom, &rules);
}

/// One profile: trees, names in any folder, and single files.
fn large(size: u32, folder: &Path) {
    let common = u32::try_from(common().1).expect("a few");
    let rules: Vec<_> = (0..size - common)
        .map(|number| {
            let pattern = match number % 3 {
                0 => format!("/srv/trees/{number}/**"),
                1 => format!("/srv/names/*/file-{number}"),
                _ => format!("/srv/files/{number}/file"),
            };
            (pattern, ["read", "write"][number as usize % 2])
        })
        .collect();
    write_one(folder, "large", "", &rules);
}
