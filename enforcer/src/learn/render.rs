//! The text of a profile, with the evidence above each rule that is about more than what was
//! seen.

use super::{
    Request,
    fold::PathRule,
    plan::{Plan, Scope},
};
use crate::profile::{DEFAULT_DIR, ProfileMode, Text, exec_rule, literal, path_rule, quoted};

/// The text. It is valid, and not formatted.
pub(super) fn text(request: &Request<'_>, plan: &Plan, scope: Scope) -> String {
    let mut text = Text::default();
    if scope == Scope::Whole {
        if request.schema {
            text.line("# yaml-language-server: $schema=profile.schema.json");
        }
        header(&mut text, request, plan);
    }
    text.line(&format!("name: {}", quoted(request.name)));
    text.line(&format!("description: {}", quoted(request.description)));
    applies_to(&mut text, request);
    text.line(&format!("mode: {}", request.mode.name()));
    if !plan.include.is_empty() {
        let names: Vec<&str> = plan.include.iter().map(|one| one.name.as_str()).collect();
        text.line(&format!("include: [{}]", names.join(", ")));
    }
    if !plan.rules.is_empty() || !plan.denied.is_empty() {
        text.line("\npaths:");
    }
    for rule in &plan.rules {
        evidence(&mut text, plan, rule);
        text.line(&path_rule(&rule.pattern(), rule.allow, rule.is_owner));
    }
    for pattern in &plan.denied {
        text.line(&format!("  - path: {}", quoted(pattern)));
        text.line("    deny: [all]");
        text.line("    reason: nobody used such a secret while this was learned");
    }
    if !plan.privileges.is_empty() {
        text.line("\nprivileges:");
        let names = plan
            .privileges
            .iter()
            .filter_map(|privilege| privilege.name());
        for name in names {
            text.line(&format!("  - {name}"));
        }
    }
    if !plan.exec.is_empty() {
        text.line("\nexec:");
    }
    for rule in &plan.exec {
        evidence(&mut text, plan, rule);
        text.line(&exec_rule(&rule.pattern()));
    }
    if !plan.networks.is_empty() {
        text.line("\nnetwork:");
    }
    for rule in &plan.networks {
        if let Some(why) = &rule.why {
            text.comment(2, why);
        }
        text.line(&format!("  - {}", rule.text));
    }
    text.0
}

/// Whom it confines.
fn applies_to(text: &mut Text, request: &Request<'_>) {
    let programs = request
        .executables
        .iter()
        .map(|path| quoted(&literal(path)));
    let units = request.units.iter().map(|unit| quoted(unit));
    let lists: [(&str, Vec<String>); 2] = [
        ("executables", programs.collect()),
        ("units", units.collect()),
    ];
    let mut lists = lists.iter().filter(|(_, list)| !list.is_empty()).peekable();
    if lists.peek().is_some() {
        text.line("applies_to:");
    }
    for (key, list) in lists {
        text.line(&format!("  {key}: [{}]", list.join(", ")));
    }
}

/// What is said at the top: of what it was made, and what to do with it.
fn header(text: &mut Text, request: &Request<'_>, plan: &Plan) {
    let Plan {
        count, left_out, ..
    } = plan;
    let left_out = if *left_out > 0 {
        format!(" Left out are {left_out} accesses of processes with an open detection.")
    } else {
        String::new()
    };
    text.comment(
        0,
        &format!("Learned by `enforcer learn` from {count} accesses.{left_out}"),
    );
    text.line("#");
    let next = match request.mode {
        ProfileMode::Enforce => "What it does not grant is refused.",
        ProfileMode::Audit => "It refuses nothing, and records what it would refuse.",
        ProfileMode::Learn => "It refuses nothing, and records what it does not grant.",
    };
    let name = request.name;
    text.comment(
        0,
        &format!(
            "Next: look at each rule with a comment, which is about more than what was seen, put \
             it into {DEFAULT_DIR}/{name}.yaml and reload the agent. {next}"
        ),
    );
}

/// Why a rule is about more than what was seen, and about what.
fn evidence(text: &mut Text, plan: &Plan, rule: &PathRule) {
    if rule.why.is_empty() {
        return;
    }
    text.comment(2, &rule.evidence());
    let Some(admitted) = plan.admitted(&rule.pattern()) else {
        return;
    };
    if let Some(example) = admitted.examples.first() {
        let least = if admitted.is_all { "" } else { "at least " };
        let count = admitted.count;
        let example = String::from_utf8_lossy(example);
        text.comment(
            2,
            &format!("admits {least}{count} existing beyond those, such as {example}"),
        );
    }
}
