//! What a profile says to an access that needs rights on a path.

use anyhow::Context as _;
use enforcer_abi::{Access, Verdict};
use serde::Serialize;

use super::Shown;
use crate::{
    detection::verdict_name,
    profile::{Escaped, Explanation, Profile, Rule, Target, object_text},
    text,
};

/// An answer as `--json` shows it.
#[derive(Serialize)]
pub(super) struct View<'a> {
    profile: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    verdict: &'static str,
    requested: Vec<&'static str>,
    granted: Vec<&'static str>,
    missing: Vec<&'static str>,
    /// Those missing that are granted on what belongs to the process' own user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owned: Vec<&'static str>,
    /// Those granted whose use is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audit: Vec<&'static str>,
    /// Whether nothing is told of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quiet: bool,
    /// Where an exec leads: `inherit` or `profile:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    granting: Vec<RuleView>,
    denying: Vec<RuleView>,
    nearest: Vec<RuleView>,
}

/// A rule as `--json` shows it.
#[derive(Serialize)]
pub(in crate::cli) struct RuleView {
    /// `FILE:LINE:COL`.
    origin: String,
    /// The pattern's text.
    pattern: String,
    /// The rights it grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow: Vec<&'static str>,
    /// The rights it denies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deny: Vec<&'static str>,
    /// Whether it allows only what belongs to the process' own user.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    owner: bool,
    /// When it ends, if it does: `until 2026-12-01T00:00:00Z, for 30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
    /// What it has told or not told: `audit` or `quiet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    telling: Option<&'static str>,
    /// Why, in its author's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Shows what `profile` says to an access at `name`.
pub(super) fn shown(
    profile: &Profile,
    name: &[u8],
    explanation: &Explanation<'_>,
) -> anyhow::Result<Shown> {
    let path = &*object_text(name);
    let view = View::new(profile, path, explanation);
    Ok(Shown {
        text: sentences(profile, path, explanation).join("\n"),
        json: serde_json::to_string(&view).context("cannot write the answer as JSON")?,
    })
}

/// The answer for people, by lines.
pub(super) fn sentences(
    profile: &Profile,
    path: &[u8],
    explanation: &Explanation<'_>,
) -> Vec<String> {
    let name = &profile.name;
    let shown = Escaped(path);
    let requested = list(explanation.requested);
    let missing = list(explanation.missing);
    let verdict = verdict_name(explanation.verdict);
    let mut lines = vec![match explanation.verdict {
        Verdict::Allow => format!("{verdict}: profile {name} grants {requested} on {shown}"),
        Verdict::Deny => format!("{verdict}: profile {name} does not grant {missing} on {shown}"),
        Verdict::Audit | Verdict::Learn => format!(
            "{verdict}: profile {name} does not grant {missing} on {shown}, and lets it through since its mode is {}",
            profile.mode.name()
        ),
    }];
    for rule in &explanation.denying {
        lines.push(format!("  denied by {}", describe(rule)));
    }
    for rule in &explanation.granting {
        lines.push(format!("  granted by {}", describe(rule)));
    }
    if !explanation.owned.is_empty() {
        lines.push(format!(
            "  {} is granted on what belongs to the process' own user: ask with --own",
            list(explanation.owned)
        ));
    }
    if !explanation.audit.is_empty() {
        lines.push(format!("  {} is told each time", list(explanation.audit)));
    }
    if explanation.is_quiet {
        lines.push("  nobody is told".to_owned());
    }
    if !profile.metadata && explanation.requested.contains(Access::METADATA) {
        lines.push(
            "  metadata is granted on every path; `metadata: true` would let rules decide"
                .to_owned(),
        );
    }
    if let Some(target) = explanation.target
        && explanation.requested.contains(Access::EXECUTE)
    {
        lines.push(match target {
            Target::Inherit => format!("  the program goes on in profile {name}"),
            Target::Profile(other) => format!(
                "  the program goes on in profile {other}, and is told not to trust its environment"
            ),
        });
    }
    let denied = explanation
        .denying
        .iter()
        .fold(Access::NONE, |all, rule| all | rule.deny);
    let ungranted = explanation
        .granting
        .iter()
        .fold(explanation.missing.missing_from(denied), |rest, rule| {
            rest.missing_from(rule.allow)
        });
    if !ungranted.is_empty() {
        lines.push(format!("  no rule grants {}", list(ungranted)));
    }
    for rule in &explanation.nearest {
        lines.push(format!("  nearest: {}", describe(rule)));
    }
    lines
}

/// A rule in a line.
pub(in crate::cli) fn describe(rule: &Rule) -> String {
    let (verb, rights) = if rule.deny.is_empty() {
        ("allow", rule.allow.without_implied())
    } else {
        ("deny", rule.deny)
    };
    let Rule {
        origin, pattern, ..
    } = rule;
    let rights = format!("{}{}", list(rights), conditions(rule));
    let reason = match &rule.reason {
        Some(reason) => format!(" ({})", Escaped(reason.as_bytes())),
        None => String::new(),
    };
    format!("{origin}: {pattern} {verb} {rights}{reason}")
}

/// To whom and until when a rule allows, and what is told of it, where that is not the usual.
pub(in crate::cli) fn conditions(rule: &Rule) -> String {
    let owner = if rule.owner { ", to the owner" } else { "" };
    let ends = if rule.ends.is_never() {
        String::new()
    } else {
        format!(", {}", rule.ends)
    };
    let telling = rule.telling.name().map(|telling| format!(", {telling}"));
    format!("{owner}{ends}{}", telling.unwrap_or_default())
}

/// Where an exec leads, as `--json` shows it.
pub(in crate::cli) fn target_name(target: &Target) -> String {
    match target {
        Target::Inherit => "inherit".to_owned(),
        Target::Profile(name) => format!("profile:{name}"),
    }
}

/// The rights, as a sentence lists them.
pub(in crate::cli) fn list(access: Access) -> String {
    match access {
        Access::NONE => return "nothing".to_owned(),
        Access::ALL => return "all".to_owned(),
        _ => {}
    }
    access.names().collect::<Vec<_>>().join(", ")
}

impl From<&Rule> for RuleView {
    fn from(rule: &Rule) -> Self {
        Self {
            origin: rule.origin.to_string(),
            pattern: rule.pattern.text().to_owned(),
            allow: rule.allow.names().collect(),
            deny: rule.deny.names().collect(),
            owner: rule.owner,
            ends: (!rule.ends.is_never()).then(|| rule.ends.to_string()),
            telling: rule.telling.name(),
            reason: rule.reason.clone(),
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn new(profile: &'a Profile, path: &[u8], explanation: &Explanation<'_>) -> Self {
        let rules = |rules: &[&Rule]| rules.iter().copied().map(RuleView::from).collect();
        Self {
            profile: &profile.name,
            path: text::lossy(path),
            path_bytes: text::lost(path),
            verdict: verdict_name(explanation.verdict),
            requested: explanation.requested.names().collect(),
            granted: explanation.granted.names().collect(),
            missing: explanation.missing.names().collect(),
            owned: explanation.owned.names().collect(),
            audit: explanation.audit.names().collect(),
            quiet: explanation.is_quiet,
            target: explanation.target.map(target_name),
            granting: rules(&explanation.granting),
            denying: rules(&explanation.denying),
            nearest: rules(&explanation.nearest),
        }
    }
}
