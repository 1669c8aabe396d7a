//! `AppArmor`: its own compiler makes the profile.

use std::{
    ffi::OsString,
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use super::{Confiner, running, this};
use crate::rules::{Paths, Rule, rules};

/// The profile's name.
const NAME: &str = "bench";

/// Where a process says what its next program is to be confined by.
const ATTRIBUTES: [&str; 2] = ["/proc/self/attr/apparmor/exec", "/proc/self/attr/exec"];

/// What is no matter of paths: all of it is granted.
const NOT_PATHS: &str = "  capability,\n  network,\n  unix,\n  signal,\n  ptrace,\n";

/// Says whether it runs.
pub(super) fn available() -> Result<(), String> {
    running("apparmor")
}

/// Loads a profile of so many rules.
pub(super) fn confiner(count: usize) -> Result<Confiner, String> {
    available()?;
    let lines: String = rules(count).iter().map(line).collect();
    let file = "/run/bench.apparmor";
    let text = format!("profile {NAME} {{\n{NOT_PATHS}{lines}}}\n");
    fs::write(file, text).expect("write a profile");
    let output = Command::new("apparmor_parser")
        .args(["--replace", "--skip-cache", file])
        .stdin(Stdio::null())
        .output()
        .expect("run apparmor_parser");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "apparmor_parser: {said}");
    Ok(this(&["apparmor"]))
}

/// Runs a command in the profile.
pub(crate) fn exec(words: &[OsString]) {
    let attribute = ATTRIBUTES.iter().find(|file| Path::new(file).exists());
    let attribute = attribute.expect("AppArmor runs");
    fs::write(attribute, format!("exec {NAME}")).expect("ask for the profile");
    let failed = Command::new(&words[0]).args(&words[1..]).exec();
    panic!("cannot run {}: {failed}", words[0].display());
}

/// A rule in its language, where the path of a folder ends with a slash.
fn line(rule: &Rule) -> String {
    let pattern = match &rule.paths {
        Paths::Tree(folder) => format!("{folder}/{{,**}}"),
        Paths::Pattern(pattern) => pattern.clone(),
    };
    let mut rights = String::new();
    for (name, letters) in [("read", "r"), ("write", "wkl"), ("execute", "mix")] {
        if rule.grants(name) {
            rights.push_str(letters);
        }
    }
    format!("  {pattern} {rights},\n")
}
