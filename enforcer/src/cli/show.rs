//! `enforcer show`: what a profile comes to, with what it includes.

use std::{path::PathBuf, process::ExitCode};

use enforcer_abi::Access;
use serde::Serialize;

use super::{
    diff::subjects,
    explain::{
        load,
        rights::{RuleView, conditions, list},
    },
    output,
};
use crate::profile::{DEFAULT_DIR, Profile, Rule};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Variables are replaced, includes are followed, and each rule has its place. Rights that
others imply are left out.

Examples:
  enforcer show nginx
  enforcer show profiles/nginx.yaml --json";

/// The arguments of `enforcer show`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A profile, or its file (anything with a `/` or that ends in `.yaml`)
    #[arg(value_name = "NAME|FILE")]
    profile: String,
    /// Folder of profiles
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    profiles: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A profile as `--json` shows it.
#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    description: &'a str,
    file: String,
    mode: &'static str,
    /// Users, programs and cgroups.
    applies_to: Vec<String>,
    privileges: Vec<&'static str>,
    metadata: bool,
    respond: &'static str,
    tighten: &'static str,
    rules: Vec<Shown<'a>>,
}

/// A rule as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    rule: RuleView,
    /// The profile to which an exec leads, if it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
}

/// Shows a profile.
///
/// # Errors
///
/// If it cannot be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let profile = load(&args.profile, &args.profiles)?;
    if args.json {
        output::json(&View::new(&profile))?;
    } else {
        output::print(&text(&profile))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl<'a> View<'a> {
    fn new(profile: &'a Profile) -> Self {
        let shown = |rule: &'a Rule| Shown {
            rule: rule.into(),
            profile: rule.leads_to(),
        };
        Self {
            name: &profile.name,
            description: &profile.description,
            file: profile.source.to_string_lossy().into_owned(),
            mode: profile.mode.name(),
            applies_to: subjects(profile),
            privileges: profile.privileges.names().collect(),
            metadata: profile.metadata,
            respond: profile.on_violation.respond.name(),
            tighten: profile.on_violation.tighten.name(),
            rules: profile.rules.iter().map(shown).collect(),
        }
    }
}

/// A profile for people: its facts, then its rules.
fn text(profile: &Profile) -> String {
    let some = |list: Vec<String>| (!list.is_empty()).then(|| list.join(", "));
    let privileges = profile.privileges.names().map(str::to_owned);
    let metadata = if profile.metadata {
        "by rules"
    } else {
        "granted on every path"
    };
    let facts = output::fields(&[
        ("name", Some(profile.name.clone())),
        ("mode", Some(profile.mode.name().to_owned())),
        ("applies to", some(subjects(profile))),
        ("privileges", some(privileges.collect())),
        ("metadata", Some(metadata.to_owned())),
        (
            "respond",
            Some(profile.on_violation.respond.name().to_owned()),
        ),
        (
            "tighten",
            Some(profile.on_violation.tighten.name().to_owned()),
        ),
    ]);
    let rows: Vec<_> = profile.rules.iter().map(row).collect();
    format!(
        "{facts}\n{}",
        output::table(["RULE", "PATH", "WHERE"], &rows)
    )
}

fn row(rule: &Rule) -> [String; 3] {
    let Rule { allow, deny, .. } = *rule;
    let mut what = match (deny, rule.leads_to()) {
        (Access::NONE, Some(profile)) => {
            format!("allow {}, in {profile}", list(allow.without_implied()))
        }
        (Access::NONE, None) => format!("allow {}", list(allow.without_implied())),
        (deny, _) => format!("deny {}", list(deny)),
    };
    what.push_str(&conditions(rule));
    [
        what,
        rule.pattern.text().to_owned(),
        rule.origin.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{View, text};
    use crate::profile::Profile;

    const TEXT: &str = "\
name: p
mode: audit
applies_to: { executables: [/bin/p] }
variables: { top: [/a, /b] }
privileges: [setuid]
paths:
  - { path: \"${top}/**\", allow: [read, write] }
  - { path: /a/x, deny: [all], quiet: true }
exec:
  - { path: /bin/q, profile: q }
network:
  - { protocol: tcp, port: 443, allow: [connect], audit: true }
";

    #[test]
    fn a_profile_is_shown_whole() {
        let profile = Profile::parse(TEXT, Path::new("p.yaml"), Path::new("")).unwrap();
        assert_eq!(
            text(&profile),
            "\
name        p
mode        audit
applies to  executable /bin/p
privileges  setuid
metadata    granted on every path
respond     none
tighten     propose

RULE                          PATH                           WHERE
allow read, write             {/a,/b}/**                     p.yaml:7:13
deny all, quiet               /a/x                           p.yaml:8:13
allow execute, in q           /bin/q                         p.yaml:10:13
allow create, connect, audit  network:{ipv4,ipv6}/tcp/*:443  p.yaml:12:5
"
        );
        let json = serde_json::to_value(View::new(&profile)).unwrap();
        assert_eq!(json["rules"][2]["profile"], "q", "{json}");
        assert_eq!(json["rules"][0]["origin"], "p.yaml:7:13", "{json}");
    }
}
