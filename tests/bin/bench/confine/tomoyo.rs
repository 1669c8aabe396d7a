//! TOMOYO, without its tools: the kernel runs a loader when a certain program is
//! started, and takes what the loader writes.

use std::{
    fmt::Write as _,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

use super::{Confiner, running};
use crate::{
    nothing, place,
    rules::{Paths, Rule, rules},
};

/// What the kernel's command line names: the loader, and the program at whose start it
/// is run (`TOMOYO_loader=` and `TOMOYO_trigger=`).
const LOADER: &str = "/run/tomoyo-loader";
const TRIGGER: &str = "/run/tomoyo-trigger";

/// Where policy is written to, and where it comes from.
const KERNEL: &str = "/sys/kernel/security/tomoyo";
const POLICY: &str = "/run/tomoyo";

/// Profile 3 enforces; 0 does nothing, and is everybody else's.
const PROFILE: &str = "PROFILE_VERSION=20150505\n\
    0-CONFIG={ mode=disabled grant_log=no reject_log=no }\n\
    3-CONFIG={ mode=enforcing grant_log=no reject_log=yes }\n";

/// What is no matter of paths: all of it is granted. The first is a server's own socket.
const NOT_PATHS: &str = "file ioctl socket:[\\$] 0-0xFFFFFFFF\n\
    network inet stream bind/listen/connect 0.0.0.0-255.255.255.255 0-65535\n\
    network inet dgram bind/send 0.0.0.0-255.255.255.255 0-65535\n\
    misc env \\*\n";

/// Loads a policy of so many rules. Whatever starts as the measured program is in its
/// domain, and so is what that starts.
pub(super) fn confiner(count: usize) -> Result<Confiner, String> {
    running("tomoyo")?;
    let bench = place::BENCH;
    let exceptions =
        format!("initialize_domain {bench} from any\nkeep_domain any from <kernel> {bench}\n");
    let mut domains = format!("<kernel> {bench}\nuse_profile 3\nuse_group 0\n{NOT_PATHS}");
    for rule in rules(count) {
        write_rule(&mut domains, &rule);
    }
    fs::create_dir_all(POLICY).expect("make a folder");
    let parts = [
        ("profile", PROFILE),
        ("exception_policy", &exceptions),
        ("domain_policy", &domains),
    ];
    let mut loader = "#!/bin/sh\n".to_owned();
    for (name, text) in parts {
        fs::write(format!("{POLICY}/{name}"), text).expect("write a policy");
        writeln!(loader, "cat {POLICY}/{name} >{KERNEL}/{name}").expect("write text");
    }
    program(LOADER, loader.as_bytes());
    program(TRIGGER, &nothing::program());
    let status = Command::new(TRIGGER).status().expect("run a program");
    assert!(status.success(), "the trigger ended with {status}");
    let taken = fs::read_to_string(format!("{KERNEL}/domain_policy")).expect("read a policy");
    if !taken.contains("use_profile 3") {
        return Err("TOMOYO took no policy from its loader".to_owned());
    }
    // What it does not understand, it leaves out.
    for pattern in rules(count).iter().flat_map(|rule| patterns(&rule.paths)) {
        assert!(taken.contains(&pattern), "TOMOYO did not take {pattern}");
    }
    Ok(Vec::new())
}

fn program(path: &str, contents: &[u8]) {
    fs::write(path, contents).expect("write a program");
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("make it executable");
}

/// Writes a rule in its language, where the path of a folder ends with a slash.
fn write_rule(text: &mut String, rule: &Rule) {
    for pattern in patterns(&rule.paths) {
        let mut say = |what: String| writeln!(text, "{what}").expect("write text");
        if rule.grants("read") {
            say(format!("file read/getattr {pattern}"));
        }
        if rule.grants("write") {
            say(format!("file write/append/truncate {pattern}"));
            say(format!("file ioctl {pattern} 0-0xFFFFFFFF"));
        }
        if rule.grants("create") {
            say(format!("file create {pattern} 0-0777"));
            say(format!("file mkdir {pattern} 0-0777"));
            say(format!("file mksock {pattern} 0-0777"));
        }
        if rule.grants("remove") {
            say(format!("file unlink/rmdir {pattern}"));
            say(format!("file rename {pattern} {pattern}"));
            say(format!("file link {pattern} {pattern}"));
        }
        if rule.grants("attributes") {
            say(format!("file chmod {pattern} 0-07777"));
        }
        if rule.grants("execute") {
            say(format!("file execute {pattern}"));
        }
        if rule.grants("connect") {
            say(format!("network unix stream bind/listen/connect {pattern}"));
        }
    }
}

/// Returns the patterns for a rule's paths. `\*` is a part of a name, and `\{\*\}/` one
/// folder or more.
fn patterns(paths: &Paths) -> Vec<String> {
    match paths {
        Paths::Tree(folder) => {
            let top = top(folder);
            ["/", "/\\*", "/\\{\\*\\}/", "/\\{\\*\\}/\\*"]
                .map(|rest| format!("{top}{rest}"))
                .to_vec()
        }
        Paths::Pattern(pattern) => {
            let parts = pattern.split("/**/").map(|part| part.replace('*', "\\*"));
            vec![parts.collect::<Vec<_>>().join("/\\{\\*\\}/")]
        }
    }
}

/// A path as TOMOYO has it: a file system where nothing can be renamed has a name of its
/// own.
fn top(folder: &str) -> &str {
    match folder {
        "/proc" => "proc:",
        other => other,
    }
}
