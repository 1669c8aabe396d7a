//! The reference of profiles lies beside them, and is what the code says.

use std::{env, fs, path::Path, process::Command};

use enforcer::profile::reference;

/// Set, it writes the page anew.
const UPDATE: &str = "ENFORCER_UPDATE";

/// If this fails, `ENFORCER_UPDATE=1 cargo test --test reference` writes the page anew.
#[test]
fn the_page_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles/README.md");
    let text = reference();
    if env::var_os(UPDATE).is_some() {
        fs::write(&file, &text).unwrap();
    }
    let is_same = fs::read_to_string(&file).unwrap_or_default() == text;
    assert!(is_same, "{} is stale; set {UPDATE}=1", file.display());
}

#[test]
fn the_command_line_prints_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_enforcer"));
    let output = command.args(["schema", "--markdown"]).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), reference());
}

/// Every link leads to a heading.
#[test]
fn links_lead_somewhere() {
    let text = reference();
    let headings: Vec<String> = text
        .lines()
        .filter_map(|line| {
            line.trim_start_matches('#')
                .strip_prefix(' ')
                .filter(|_| line.starts_with('#'))
        })
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let links: Vec<&str> = text
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(links.len() >= 8, "{links:?}");
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "{link}");
    }
}
