//! `enforcer explain --profile`: what would a profile say to this access, and why?

use std::{
    ffi::OsStr,
    io::{self, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use enforcer_abi::{Access, Slot, Verdict};
use serde::Serialize;

use crate::{
    profile::{
        ABSTRACTIONS, AccessNameError, Compiled, Escaped, Explanation, Profile, Rule, Target,
        access_from_names, compile, explain,
    },
    text,
};

/// The profile does not grant the access.
const NOT_GRANTED: u8 = 1;

/// A question to a profile.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The profile: the name of one in `profiles`, or a file, which has a `/` in it or
    /// ends in `.yaml`.
    pub profile: &'a str,
    /// The rights that the access needs.
    pub access: Access,
    /// The path, as the kernel sees it.
    pub path: &'a OsStr,
    /// The folder of profiles.
    pub profiles: &'a Path,
    /// Whether the answer is JSON.
    pub json: bool,
}

/// An answer as `--json` shows it.
#[derive(Serialize)]
struct Answer<'a> {
    profile: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    verdict: &'static str,
    requested: Vec<&'static str>,
    granted: Vec<&'static str>,
    missing: Vec<&'static str>,
    /// Where an exec leads: `inherit` or `profile:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    granting: Vec<RuleView>,
    denying: Vec<RuleView>,
    nearest: Vec<RuleView>,
}

/// A rule as `--json` shows it.
#[derive(Serialize)]
struct RuleView {
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
    /// Why, in its author's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Reads the value of `--op`: names of rights, with commas between them.
///
/// # Errors
///
/// The first name that no right has.
pub fn parse_access(names: &str) -> Result<Access, AccessNameError> {
    access_from_names(names.split(',').map(str::trim))
}

/// Answers `question`, without the agent. Exits with 1 if the profile does not grant
/// the access, be it that it only audits.
///
/// # Errors
///
/// If the profile cannot be read or the path is relative.
pub fn offline(question: Question<'_>) -> anyhow::Result<ExitCode> {
    let Question { path, json, .. } = question;
    let shown = Escaped(path.as_bytes());
    ensure!(
        path.as_bytes().starts_with(b"/"),
        "the path {shown} is relative; give it from the root"
    );
    let (profile, compiled) = load(question)?;
    let explanation = explain(&profile, &compiled, question.access, path.as_bytes());
    let text = if json {
        let answer = Answer::new(&profile, path.as_bytes(), &explanation);
        serde_json::to_string(&answer).context("cannot write the answer as JSON")?
    } else {
        sentences(&profile.name, path.as_bytes(), &explanation)
    };
    writeln!(io::stdout().lock(), "{}", text.trim_end()).context("cannot write to stdout")?;
    Ok(if explanation.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_GRANTED)
    })
}

/// The profile that is asked, and its table.
fn load(question: Question<'_>) -> anyhow::Result<(Profile, Compiled)> {
    let Question {
        profile, profiles, ..
    } = question;
    let is_file = profile.contains('/')
        || Path::new(profile)
            .extension()
            .is_some_and(|extension| extension == "yaml");
    let (file, beside) = if is_file {
        let file = PathBuf::from(profile);
        let beside = file.parent().unwrap_or(Path::new("")).join(ABSTRACTIONS);
        (file, beside)
    } else {
        let file = profiles.join(format!("{profile}.yaml"));
        (file, profiles.join(ABSTRACTIONS))
    };
    let abstractions = if beside.is_dir() {
        beside
    } else {
        profiles.join(ABSTRACTIONS)
    };
    let profile = Profile::load(&file, &abstractions)?;
    // Where an exec leads is told by the rule; the slot is the agent's business.
    let compiled = compile(&profile, &|_| Some(Slot(1)))?;
    Ok((profile, compiled))
}

/// The answer for people.
fn sentences(profile: &str, path: &[u8], explanation: &Explanation<'_>) -> String {
    let shown = Escaped(path);
    let requested = list(explanation.requested);
    let missing = list(explanation.missing);
    let mut lines = vec![match explanation.verdict {
        Verdict::Allow => format!("allowed: profile {profile} grants {requested} on {shown}"),
        Verdict::Deny => format!("denied: profile {profile} does not grant {missing} on {shown}"),
        Verdict::Audit => format!(
            "audited: profile {profile} does not grant {missing} on {shown}, and lets it through since its mode is audit"
        ),
    }];
    for rule in &explanation.denying {
        lines.push(format!("  denied by {}", describe(rule)));
    }
    for rule in &explanation.granting {
        lines.push(format!("  granted by {}", describe(rule)));
    }
    if let Some(target) = explanation.target
        && explanation.requested.contains(Access::EXECUTE)
    {
        lines.push(match target {
            Target::Inherit => format!("  the program goes on in profile {profile}"),
            Target::Profile(name) => format!("  the program goes on in profile {name}"),
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
    lines.join("\n")
}

fn describe(rule: &Rule) -> String {
    let (verb, rights) = if rule.deny.is_empty() {
        ("allow", rule.allow)
    } else {
        ("deny", rule.deny)
    };
    let Rule {
        origin, pattern, ..
    } = rule;
    let reason = match &rule.reason {
        Some(reason) => format!(" ({})", Escaped(reason.as_bytes())),
        None => String::new(),
    };
    format!("{origin}: {pattern} {verb} {}{reason}", list(rights))
}

fn list(access: Access) -> String {
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
            reason: rule.reason.clone(),
        }
    }
}

impl<'a> Answer<'a> {
    fn new(profile: &'a Profile, path: &[u8], explanation: &Explanation<'_>) -> Self {
        let rules = |rules: &[&Rule]| rules.iter().copied().map(RuleView::from).collect();
        Self {
            profile: &profile.name,
            path: text::lossy(path),
            path_bytes: text::lost(path),
            verdict: match explanation.verdict {
                Verdict::Allow => "allowed",
                Verdict::Audit => "audited",
                Verdict::Deny => "denied",
            },
            requested: explanation.requested.names().collect(),
            granted: explanation.granted.names().collect(),
            missing: explanation.missing.names().collect(),
            target: explanation.target.map(|target| match target {
                Target::Inherit => "inherit".to_owned(),
                Target::Profile(name) => format!("profile:{name}"),
            }),
            granting: rules(&explanation.granting),
            denying: rules(&explanation.denying),
            nearest: rules(&explanation.nearest),
        }
    }
}
