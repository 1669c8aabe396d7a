use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use enforcer_abi::{Access, Operation, Privilege};

use super::{Entry, Existing, Learned, Object, Observation, Request, Thresholds, learn, merge};
use crate::profile::{
    ABSTRACTIONS, Compiled, FileKind, Profile, ProfileMode, compile_alone, format,
};

mod folding;
mod merging;
mod properties;
mod runs;

/// A host with nothing on it.
pub(super) struct Nothing;

impl Existing for Nothing {
    fn names(&self, _: &[u8]) -> Option<Vec<Entry>> {
        None
    }
}

/// Observations from lines such as `open create,write,own /tmp/a`, where a name that something
/// was moved to has `<- OLD` behind it, and a folder the right `folder`.
pub(super) fn observed(lines: &str) -> Vec<Observation> {
    let lines = lines.lines().filter(|line| !line.is_empty());
    lines.map(one).collect()
}

fn one(line: &str) -> Observation {
    let (operation, rest) = line.split_once(' ').unwrap();
    let named = |known: &&Operation| known.name() == operation;
    let operation = *Operation::ALL.iter().find(named).unwrap();
    let mut observation = Observation {
        object: Object::Privilege(Privilege::NONE),
        operation,
        access: Access::NONE,
        is_folder: None,
        is_own: None,
        from: None,
        program: b"/usr/bin/x".to_vec(),
        lineage: 1,
    };
    if operation == Operation::Privilege {
        observation.object = Object::Privilege(Privilege::from_name(rest).unwrap());
        return observation;
    }
    let (rights, object) = rest.split_once(' ').unwrap();
    for right in rights.split(',') {
        match right {
            "own" => observation.is_own = Some(true),
            "folder" => observation.is_folder = Some(true),
            _ => observation.access |= Access::from_name(right).unwrap(),
        }
    }
    let (object, from) = match object.split_once(" <- ") {
        Some((object, from)) => (object, Some(from)),
        None => (object, None),
    };
    observation.from = from.map(|from| from.as_bytes().to_vec());
    observation.object = if object.starts_with('/') {
        Object::Path(object.as_bytes().to_vec())
    } else {
        Object::Network(object.parse().unwrap())
    };
    observation
}

/// The profiles that are shipped.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../profiles")
}

/// What is learned of observations, with the abstraction that all profiles have.
fn learned(
    observations: &[Observation],
    left_out: &BTreeSet<u64>,
    existing: &dyn Existing,
    before: Option<&str>,
) -> (Learned, Profile, Compiled) {
    learned_with(&["base"], observations, left_out, existing, before)
}

/// What is learned of observations, with these abstractions, and its table.
fn learned_with(
    available: &[&str],
    observations: &[Observation],
    left_out: &BTreeSet<u64>,
    existing: &dyn Existing,
    before: Option<&str>,
) -> (Learned, Profile, Compiled) {
    let folder = shipped().join(ABSTRACTIONS);
    let available: Vec<String> = available.iter().map(|&name| name.to_owned()).collect();
    let request = Request {
        name: "x",
        description: "a program",
        executables: &[],
        units: &["x.service".to_owned()],
        mode: ProfileMode::Enforce,
        observations,
        left_out,
        existing,
        abstractions: &folder,
        available: &available,
        thresholds: Thresholds::default(),
        schema: false,
    };
    let file = Path::new("x.yaml");
    let learned = match before {
        None => learn(&request),
        Some(text) => merge(&request, text, file),
    };
    let learned = learned.unwrap_or_else(|error| panic!("{error}"));
    let again = format(&learned.text, file, FileKind::Profile, &folder).unwrap();
    assert_eq!(again, learned.text, "it is not in the one style");
    let profile = Profile::parse(&learned.text, file, &folder).unwrap();
    let compiled = compile_alone(&profile).unwrap();
    (learned, profile, compiled)
}

/// What of these observations a profile refuses, in words.
fn refused(observations: &[Observation], profile: &Profile, compiled: &Compiled) -> Vec<String> {
    let mut refused = Vec::new();
    for observation in observations {
        let name = match &observation.object {
            Object::Privilege(privilege) if profile.privileges.contains(*privilege) => continue,
            Object::Privilege(privilege) => {
                refused.push(format!("privilege {}", privilege.name().unwrap_or("?")));
                continue;
            }
            Object::Path(path) => path.clone(),
            Object::Network(object) => object.name(),
        };
        let reach = compiled.judge(&name).outcome.reach();
        let granted = reach.granted(observation.is_own == Some(true));
        let missing = observation.access.missing_from(granted);
        let text = String::from_utf8_lossy(&name).into_owned();
        if !missing.is_empty() {
            let missing: Vec<&str> = missing.names().collect();
            refused.push(format!("{} {text}", missing.join(",")));
        }
        if let Some(from) = &observation.from {
            let before = compiled.judge(from).outcome.reach();
            if before.grows_to(compiled.judge(&name).outcome.reach(), false) {
                refused.push(format!(
                    "{} {} to {text}",
                    observation.operation.name(),
                    String::from_utf8_lossy(from)
                ));
            }
        }
    }
    refused.sort();
    refused.dedup();
    refused
}
