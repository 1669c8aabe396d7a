//! Profiles of ours as text.

use std::{fmt::Write as _, path::Path, sync::Arc};

use enforcer_abi::{Access, Privileges};

use super::{
    abstractions::{Abstraction, Sharing},
    convert::{Imported, Made, MadeKind, NetworkRule, is_exec_rule},
    error::{Fault, ImportError},
};
use crate::profile::{self, Escaped, FileKind, Origin, Target, format, quoted};

/// Widest line of a comment, in characters.
const WIDTH: usize = 100;

/// Most families on a line.
const FAMILIES: usize = 8;

/// What AppArmor's letters stand for in all.
const EVERY_RIGHT: Access = Access(
    Access::READ.0
        | Access::WRITE.0
        | Access::CREATE.0
        | Access::REMOVE.0
        | Access::ATTRIBUTES.0
        | Access::CONNECT.0
        | Access::EXECUTE.0
        | Access::MAP.0,
);

impl Imported {
    /// The profile as text in the one style, with the rules that it includes, but for those
    /// that `sharing` has in abstractions.
    ///
    /// # Errors
    ///
    /// If it is no profile, which is a mistake of the conversion.
    pub fn yaml(&self, sharing: &Sharing) -> Result<String, ImportError> {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _written = self.write(&mut out, sharing);
        let file = self.file_name();
        format(&out, Path::new(&file), FileKind::Profile, Path::new(""))
            .map_err(|cause| invalid(&self.section.origin, &self.name, &cause.to_string()))
    }

    fn write(&self, out: &mut String, sharing: &Sharing) -> std::fmt::Result {
        let source = self.source().file_name().unwrap_or_default();
        let source = Escaped::path(source.as_ref());
        let apparmors = Escaped(self.section.name.as_bytes());
        comment(
            out,
            0,
            &format!("AppArmor's profile {apparmors} of {source}, by `enforcer import`."),
        )?;
        for line in self.report.lines() {
            comment(out, 0, &line)?;
        }
        writeln!(out, "name: {}", quoted(&self.name))?;
        let description = format!("imported from AppArmor's {apparmors}");
        writeln!(out, "description: {}", quoted(&description))?;
        if !self.executables.is_empty() {
            let executables = self.executables.iter().map(|pattern| quoted(pattern));
            let executables = executables.collect::<Vec<_>>().join(", ");
            writeln!(out, "applies_to:\n  executables: [{executables}]")?;
        }
        writeln!(out, "mode: {}", self.mode.name())?;
        let include: Vec<&str> = sharing.included(self).collect();
        if !include.is_empty() {
            writeln!(out, "include: [{}]", include.join(", "))?;
        }
        let own = self.made.iter().filter(|made| !sharing.has(made));
        let (execs, paths): (Vec<&Made>, Vec<&Made>) = own.partition(|made| is_exec_rule(made));
        section(out, "paths", &paths)?;
        privileges(out, self.privileges, self.unmediated)?;
        section(out, "exec", &execs)?;
        network(out, &self.network)
    }
}

impl Abstraction {
    /// The abstraction as text in the one style.
    ///
    /// # Errors
    ///
    /// If it is none, which is a mistake of the conversion.
    pub fn yaml(&self) -> Result<String, ImportError> {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _written = self.write(&mut out);
        let file = self.file_name();
        let path = Path::new(&file);
        format(&out, path, FileKind::Abstraction, Path::new(""))
            .map_err(|cause| invalid(&Origin::start_of(path), &self.name, &cause.to_string()))
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let from = Escaped(self.from.as_bytes());
        comment(
            out,
            0,
            &format!(
                "AppArmor's {from}, by `enforcer import`. What it says of no path is in each \
                 profile that includes this one."
            ),
        )?;
        let description = format!("imported from AppArmor's {from}");
        writeln!(out, "description: {}", quoted(&description))?;
        let (execs, paths): (Vec<&Made>, Vec<&Made>) =
            self.rules.iter().partition(|made| is_exec_rule(made));
        for (key, rules) in [("paths", paths), ("exec", execs)] {
            if !rules.is_empty() {
                writeln!(out, "\n{key}:")?;
            }
            for made in rules {
                rule(out, made)?;
            }
        }
        Ok(())
    }
}

/// A text that came out wrong.
fn invalid(origin: &Origin, name: &str, message: &str) -> ImportError {
    ImportError {
        origin: origin.clone(),
        fault: Fault::Invalid {
            name: name.to_owned(),
            message: message.to_owned(),
        },
    }
}

/// Writes rules, each group under the file that it came from.
fn section(out: &mut String, key: &str, rules: &[&Made]) -> std::fmt::Result {
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{key}:")?;
    // The order of the rules is all one, so those of one file stand together.
    let mut groups: Vec<(&Option<Arc<str>>, Vec<&Made>)> = Vec::new();
    for made in rules {
        match groups.iter_mut().find(|(from, _)| **from == made.from) {
            Some((_, group)) => group.push(made),
            None => groups.push((&made.from, vec![made])),
        }
    }
    // First what makes it this profile.
    groups.sort_by_key(|(from, _)| from.is_some());
    let is_alone = matches!(groups.as_slice(), [(None, _)]);
    for (at, (from, group)) in groups.into_iter().enumerate() {
        if !is_alone {
            if at > 0 {
                writeln!(out)?;
            }
            let name = from.as_deref().unwrap_or("the profile itself");
            writeln!(out, "  # {}", Escaped(name.as_bytes()))?;
        }
        for made in group {
            rule(out, made)?;
        }
    }
    Ok(())
}

fn rule(out: &mut String, made: &Made) -> std::fmt::Result {
    if made.cut {
        comment(
            out,
            2,
            "All that AppArmor's rule is for, but for the programs that lead elsewhere by others.",
        )?;
    }
    let path = quoted(&made.pattern);
    let says = match &made.kind {
        MadeKind::Allow(rights) => format!("allow: [{}]", names(rights.without_implied())),
        MadeKind::Deny(rights) if rights.contains(EVERY_RIGHT) => "deny: [all]".to_owned(),
        // A deny implies less than an allow, so all of it is said.
        MadeKind::Deny(rights) => format!("deny: [{}]", names(*rights)),
        MadeKind::Exec(_) if !is_exec_rule(made) => "allow: [execute]".to_owned(),
        MadeKind::Exec(Target::Inherit) => "inherit: true".to_owned(),
        MadeKind::Exec(Target::Profile(name)) => format!("profile: {}", quoted(name)),
    };
    let owner = if made.owner { ", owner: true" } else { "" };
    let told = telling(matches!(made.kind, MadeKind::Deny(_)), made.told);
    writeln!(out, "  - {{ path: {path}, {says}{owner}{told} }}")
}

/// What a rule says of what is told.
const fn telling(denies: bool, told: bool) -> &'static str {
    match (denies, told) {
        (true, false) => ", quiet: true",
        (false, true) => ", audit: true",
        _ => "",
    }
}

fn names(rights: Access) -> String {
    let names: Vec<_> = rights.names().collect();
    names.join(", ")
}

fn privileges(out: &mut String, stated: Privileges, unmediated: Privileges) -> std::fmt::Result {
    if stated == Privileges::NONE && unmediated == Privileges::NONE {
        return writeln!(out, "\nprivileges: []");
    }
    writeln!(out, "\nprivileges:")?;
    for name in stated.names() {
        writeln!(out, "  - {name}")?;
    }
    if unmediated != Privileges::NONE {
        comment(
            out,
            2,
            "AppArmor does not ask about these. Take out what the program does without.",
        )?;
    }
    for name in unmediated.names() {
        writeln!(out, "  - {name}")?;
    }
    Ok(())
}

fn network(out: &mut String, rules: &[NetworkRule]) -> std::fmt::Result {
    if rules.is_empty() {
        return writeln!(out, "\nnetwork: []");
    }
    writeln!(out, "\nnetwork:")?;
    for rule in rules {
        let NetworkRule {
            families,
            protocols,
            address,
            port,
            rights,
            denies,
            told,
        } = rule;
        for families in families.chunks(FAMILIES) {
            let mut pairs = Vec::new();
            match families {
                // Those that a rule is about anyway.
                ["ipv4", "ipv6"] => {}
                families => pairs.push(("family", list(families))),
            }
            if !protocols.is_empty() {
                pairs.push(("protocol", list(protocols)));
            }
            let of_ipv6 = |address: &String| address.contains(':');
            pairs.extend(address.iter().map(|address| {
                // Only what YAML takes for something else is in quotes.
                let written = if of_ipv6(address) {
                    quoted(address)
                } else {
                    address.clone()
                };
                ("address", written)
            }));
            pairs.extend(port.iter().map(|port| ("port", port.clone())));
            let rights = match (denies, rights.contains(Access::CREATE)) {
                (true, true) if *rights == Access::ON_NETWORKS => "all".to_owned(),
                // It comes with the others.
                (false, true) if *rights != Access::CREATE => {
                    names(rights.missing_from(Access::CREATE))
                }
                _ => names(*rights),
            };
            let key = if *denies { "deny" } else { "allow" };
            pairs.push((key, format!("[{rights}]")));
            let pairs = pairs.iter().map(|(key, value)| format!("{key}: {value}"));
            let pairs = pairs.collect::<Vec<_>>().join(", ");
            writeln!(out, "  - {{ {pairs}{} }}", telling(*denies, *told))?;
        }
    }
    Ok(())
}

/// A name, or a list of them.
fn list(names: &[&str]) -> String {
    match names {
        [name] => (*name).to_owned(),
        names => format!("[{}]", names.join(", ")),
    }
}

/// Writes a comment, in lines that are not too wide. What is further in goes on further in.
fn comment(out: &mut String, indent: usize, text: &str) -> std::fmt::Result {
    let first = text.len() - text.trim_start().len();
    let further = if first > 0 { first + 2 } else { 0 };
    let words: Vec<&str> = text.split_whitespace().collect();
    out.write_str(&profile::comment(indent, [first, further], WIDTH, &words))
}
