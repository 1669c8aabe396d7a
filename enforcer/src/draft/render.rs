//! The text of a profile, with a comment for each rule.

use super::{
    Facts, Request,
    sketch::{Named, Rule, Sketch},
};
use crate::profile::{DEFAULT_DIR, Escaped, ProfileMode, Text, exec_rule, path_rule, quoted};

/// The text of a profile. It is valid, and not formatted.
pub(super) fn text(request: &Request<'_>, name: &str, facts: &Facts, sketch: &Sketch) -> String {
    let mut text = Text::default();
    if request.schema {
        text.line("# yaml-language-server: $schema=profile.schema.json");
    }
    header(&mut text, request, name, facts);
    text.line(&format!("name: {name}"));
    let description = match facts.packages.all.first() {
        Some(package) if !package.summary.is_empty() => package.summary.clone(),
        _ => format!("{} and what it needs", facts.name),
    };
    text.line(&format!("description: {}", quoted(&description)));
    let path = super::sketch::pattern(&facts.path, super::Scope::Path);
    text.line("applies_to:");
    text.line(&format!("  executables: [{}]", quoted(&path)));
    text.line(&format!("mode: {}", request.mode.name()));
    if !sketch.include.is_empty() {
        text.line("include:");
        for Named { name, source } in &sketch.include {
            text.with(&format!("  - {name}"), source);
        }
    }
    text.line("\npaths:");
    let mut group = None;
    for rule in &sketch.rules {
        if group != Some(rule.group) {
            if group.is_some() {
                text.line("");
            }
            text.comment(2, rule.group.heading());
            group = Some(rule.group);
        }
        let Rule {
            pattern,
            allow,
            sources,
            ..
        } = rule;
        text.with(&path_rule(pattern, *allow, false), &sources.join("; "));
    }
    section(&mut text, "privileges", &sketch.privileges, |name| {
        format!("  - {name}")
    });
    section(&mut text, "exec", &sketch.exec, exec_rule);
    section(&mut text, "network", &sketch.network, |rule| {
        format!("  - {rule}")
    });
    text.0
}

/// What is said at the top: of what it was made, and what to do with it.
fn header(text: &mut Text, request: &Request<'_>, name: &str, facts: &Facts) {
    let mut known = vec!["its own file".to_owned()];
    for package in &facts.packages.all {
        known.push(format!("package {} {}", package.name, package.version));
    }
    let units = facts.units.services.iter().chain(&facts.units.sockets);
    known.extend(units.map(|unit| unit.name.clone()));
    text.comment(
        0,
        &format!(
            "A first profile of {}, which `enforcer new` drafted from what this host knows: {}. \
             The comment behind each rule says where it comes from.",
            Escaped::path(&facts.path),
            known.join(", ")
        ),
    );
    match &facts.user {
        Some((user, source)) => text.comment(0, &format!("It runs as {user} ({source}).")),
        None => text.comment(0, "No unit starts it, so it is not known as whom it runs."),
    }
    text.line("#");
    let next = match request.mode {
        ProfileMode::Enforce => "What it does not grant is refused: use mode `audit` first.",
        ProfileMode::Audit => "It refuses nothing, and records what it would refuse.",
        ProfileMode::Learn => "It refuses nothing, and records what it does not grant.",
    };
    text.comment(
        0,
        &format!(
            "Next: put it into {DEFAULT_DIR}/{name}.yaml and reload the agent. {next} Let the \
             program do all of its usual work, and look at `enforcer detections list --profile \
             {name}`. Add rules for what it may do, remove those that it does not need, and then \
             say `mode: enforce`."
        ),
    );
}

/// A list with a line for each.
fn section(text: &mut Text, key: &str, list: &[Named], row: impl Fn(&str) -> String) {
    if list.is_empty() {
        return;
    }
    text.line(&format!("\n{key}:"));
    for Named { name, source } in list {
        text.with(&row(name), source);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use enforcer_abi::Access;

    use super::text;
    use crate::{
        draft::{
            Facts, Request, Root,
            elf::Elf,
            libraries::Libraries,
            package::Packages,
            sketch::{Group, Scope, Sketch},
            unit::Units,
        },
        profile::ProfileMode,
    };

    #[test]
    fn a_whole_profile() {
        let root = Root::at(Path::new("/")).unwrap();
        let request = Request {
            root: &root,
            executable: Path::new("/x"),
            name: None,
            user: None,
            mode: ProfileMode::Audit,
            abstractions: Path::new(""),
            available: &[],
            schema: false,
        };
        let facts = Facts {
            name: "x".to_owned(),
            path: "/usr/bin/x{".into(),
            program: Elf::default(),
            libraries: Libraries::default(),
            script: None,
            interpreter: None,
            packages: Packages::default(),
            units: Units::default(),
            user: Some(("www".to_owned(), "--user".to_owned())),
        };
        let mut sketch = Sketch::default();
        Sketch::name(&mut sketch.include, "base", "every\nprogram");
        let path = (Path::new("/etc/a\"b"), Scope::Tree);
        sketch.rule(
            Group::Settings,
            path,
            Access::READ | Access::METADATA,
            "one",
        );
        sketch.rule(Group::Settings, path, Access::APPEND | Access::WRITE, "two");
        let port = "{ protocol: tcp, port: 80, allow: [bind] }";
        Sketch::name(&mut sketch.network, port, "x.socket");
        Sketch::name(&mut sketch.privileges, "kill", "it calls kill");
        Sketch::name(&mut sketch.exec, "/usr/lib/x/y", "package x");

        let whole = text(&request, "x", &facts, &sketch);
        let (above, below) = whole.split_once("\nname: x\n").unwrap();
        assert!(
            above
                .lines()
                .all(|line| line.starts_with('#') && line.len() <= 88)
        );
        assert!(above.contains("# It runs as www (--user)."), "{above}");
        let want = r#"description: "x and what it needs"
applies_to:
  executables: ["/usr/bin/x\\{"]
mode: audit
include:
  - base  # every\nprogram

paths:
  # Settings.
  - { path: "/etc/a\"b{,/**}", allow: [read, write] }  # one; two

privileges:
  - kill  # it calls kill

exec:
  - { path: "/usr/lib/x/y", inherit: true }  # package x

network:
  - { protocol: tcp, port: 80, allow: [bind] }  # x.socket
"#;
        assert_eq!(below, want);
    }
}
