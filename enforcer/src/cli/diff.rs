//! `enforcer diff`: what one profile grants and another does not.
//!
//! - `reasons`: the rules that make a difference

mod reasons;

use std::{path::PathBuf, process::ExitCode};

use enforcer_abi::Access;
use serde::Serialize;

use self::reasons::{Reasons, are_same, reasons};
use super::{
    NO,
    explain::{
        load,
        rights::{RuleView, describe, list, target_name},
    },
    output,
};
use crate::{
    profile::{
        DEFAULT_DIR, Difference, Ends, Escaped, OtherEnds, Profile, Rule, Target, To, differences,
        ends, object_text,
    },
    text,
};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
It is told by what the profiles mean: of paths on which they differ, one is shown for each
way in which they do, with the rules that make it so. Exits with 1 if they differ.

Examples:
  enforcer diff nginx nginx.new.yaml
  git show HEAD:profiles/nginx.yaml > /tmp/nginx.yaml; enforcer diff /tmp/nginx.yaml nginx";

/// The arguments of `enforcer diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A profile, or its file (anything with a `/` or that ends in `.yaml`)
    #[arg(value_name = "BEFORE")]
    before: String,
    /// Another
    #[arg(value_name = "AFTER")]
    after: String,
    /// Folder of profiles
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    profiles: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Compares two profiles. Exits with 1 if they differ.
///
/// # Errors
///
/// If a profile cannot be read, or both together are too large to be compared.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let now = ends::now();
    let before = load(&args.before, &args.profiles)?.without_ended(now);
    let after = load(&args.after, &args.profiles)?.without_ended(now);
    let differences = differences(&before, &after)?;
    let view = View::new(&before, &after, &differences);
    if args.json {
        output::json(&view)?;
    } else {
        let lines = view.lines.iter().map(|line| format!("{line}\n"));
        output::print(&lines.collect::<Vec<_>>().concat())?;
    }
    Ok(if view.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}

/// What differs, as `--json` shows it.
#[derive(Serialize)]
struct View {
    paths: Vec<PathView>,
    privileges: Change,
    /// Users, programs and cgroups, as the profiles spell them.
    applies_to: Change,
    /// The modes, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<[&'static str; 2]>,
    on_violation: ViolationView,
    /// The same for people.
    #[serde(skip)]
    lines: Vec<String>,
}

/// How both profiles answer a violation, where that differs.
#[derive(Serialize)]
struct ViolationView {
    #[serde(skip_serializing_if = "Option::is_none")]
    respond: Option<[&'static str; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tighten: Option<[&'static str; 2]>,
}

/// What only the second profile has, and what only the first.
#[derive(Serialize)]
struct Change {
    gained: Vec<String>,
    lost: Vec<String>,
}

/// Paths of which the profiles say different things.
#[derive(Serialize)]
struct PathView {
    /// A shortest of them.
    example: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    example_bytes: Option<String>,
    gained: Vec<&'static str>,
    lost: Vec<&'static str>,
    /// Rights of both that end otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ends: Vec<EndsView>,
    /// Rights of both of which a use is told by one of them.
    #[serde(skip_serializing_if = "RightsView::is_empty")]
    audit: RightsView,
    /// Rights of neither of which a refusal is not told by one of them.
    #[serde(skip_serializing_if = "RightsView::is_empty")]
    quiet: RightsView,
    /// Where an exec led and leads, if that differs: `inherit` or `profile:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<[String; 2]>,
    /// The rules that make the difference.
    rules: Vec<ReasonView>,
}

/// Rights by which paths differ.
#[derive(Serialize)]
struct RightsView {
    gained: Vec<&'static str>,
    lost: Vec<&'static str>,
}

/// Rights that both profiles grant, but until other ends.
#[derive(Serialize)]
struct EndsView {
    rights: Vec<&'static str>,
    /// To whom, if not to all: `owner` or `others`.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    /// As `until 2026-12-01T00:00:00Z`, or `for good`; the last of them counts.
    before: Vec<String>,
    after: Vec<String>,
}

/// A rule, and what it has to do with a difference.
#[derive(Serialize)]
struct ReasonView {
    /// `granted by` and its kin.
    role: &'static str,
    #[serde(flatten)]
    rule: RuleView,
}

impl View {
    fn new(before: &Profile, after: &Profile, differences: &[Difference<'_>]) -> Self {
        let mut lines = Vec::new();
        let mut paths = Vec::new();
        let mut told: Vec<([[Access; 2]; 3], Reasons<'_>)> = Vec::new();
        for difference in differences {
            let reasons = reasons(difference);
            let granted = [difference.gained(), difference.lost()];
            let rights = [granted, difference.audit(), difference.quiet()];
            // Paths that other rules tell apart, too, differ in the same way.
            let is_told = told
                .iter()
                .any(|(other, others)| *other == rights && are_same(others, &reasons));
            if is_told {
                continue;
            }
            tell(&mut lines, difference, &reasons);
            paths.push(PathView::new(difference, &reasons));
            told.push((rights, reasons));
        }
        let privileges = Change::new(&privileges(before), &privileges(after));
        privileges.tell(&mut lines, "privilege");
        let applies_to = Change::new(&subjects(before), &subjects(after));
        applies_to.tell(&mut lines, "applies to");
        let mode = other(before, after, |profile| profile.mode.name());
        let on_violation = ViolationView {
            respond: other(before, after, |profile| profile.on_violation.respond.name()),
            tighten: other(before, after, |profile| profile.on_violation.tighten.name()),
        };
        let ViolationView { respond, tighten } = on_violation;
        for (what, names) in [("mode", mode), ("respond", respond), ("tighten", tighten)] {
            if let Some([old, new]) = names {
                lines.push(format!("~ {what} {new}, was {old}"));
            }
        }
        Self {
            paths,
            privileges,
            applies_to,
            mode,
            on_violation,
            lines,
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// What both profiles have, if that differs.
fn other<T: PartialEq>(before: &Profile, after: &Profile, of: fn(&Profile) -> T) -> Option<[T; 2]> {
    let both = [before, after].map(of);
    (both[0] != both[1]).then_some(both)
}

impl Change {
    fn new(before: &[String], after: &[String]) -> Self {
        let without = |one: &[String], other: &[String]| {
            let missing = one.iter().filter(|text| !other.contains(text));
            missing.cloned().collect()
        };
        Self {
            gained: without(after, before),
            lost: without(before, after),
        }
    }

    fn tell(&self, lines: &mut Vec<String>, what: &str) {
        for (sign, list) in [("+", &self.gained), ("-", &self.lost)] {
            for name in list {
                lines.push(format!("{sign} {what} {name}"));
            }
        }
    }
}

impl PathView {
    fn new(difference: &Difference<'_>, reasons: &Reasons<'_>) -> Self {
        let reason = |&(role, rule): &(&'static str, &Rule)| ReasonView {
            role,
            rule: rule.into(),
        };
        Self {
            example: text::lossy(&object_text(&difference.example)),
            example_bytes: text::lost(&difference.example),
            gained: difference.gained().names().collect(),
            lost: difference.lost().names().collect(),
            ends: difference.ends.iter().map(EndsView::new).collect(),
            audit: RightsView::new(difference.audit()),
            quiet: RightsView::new(difference.quiet()),
            target: (difference.before.target.zip(difference.after.target))
                .filter(|_| difference.leads_elsewhere())
                .map(|(before, after)| [before, after].map(target_name)),
            rules: reasons.iter().map(reason).collect(),
        }
    }
}

impl RightsView {
    fn new(rights: [Access; 2]) -> Self {
        let [gained, lost] = rights.map(|rights| rights.names().collect());
        Self { gained, lost }
    }

    fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }
}

impl EndsView {
    fn new(other: &OtherEnds) -> Self {
        Self {
            rights: other.rights.names().collect(),
            to: match other.to {
                To::Everyone => None,
                To::Owner => Some("owner"),
                To::Others => Some("others"),
            },
            before: other.before.iter().copied().map(end).collect(),
            after: other.after.iter().copied().map(end).collect(),
        }
    }
}

/// Tells a difference to people.
fn tell(lines: &mut Vec<String>, difference: &Difference<'_>, reasons: &Reasons<'_>) {
    let example = object_text(&difference.example);
    let path = Escaped(&example);
    let Difference {
        before,
        after,
        ends,
        ..
    } = difference;
    for (sign, parts) in [("+", after.beyond(before)), ("-", before.beyond(after))] {
        for (to, rights) in parts {
            if !rights.is_empty() {
                let (rights, to) = (list(rights.without_implied()), whom(to));
                lines.push(format!("{sign} {rights} {path}{to}"));
            }
        }
    }
    for other in ends {
        let (rights, to) = (list(other.rights.without_implied()), whom(other.to));
        let [old, new] = [&other.before, &other.after].map(|ends| {
            ends.iter()
                .copied()
                .map(end)
                .collect::<Vec<_>>()
                .join(" or ")
        });
        lines.push(format!("~ {rights} {path}{to} {new}, was {old}"));
    }
    let tellings = [
        ("use", difference.audit(), ["told", "not told"]),
        ("refusal", difference.quiet(), ["not told", "told"]),
    ];
    for (what, rights, [new, old]) in tellings {
        for (rights, [new, old]) in rights.into_iter().zip([[new, old], [old, new]]) {
            if !rights.is_empty() {
                let rights = list(rights.without_implied());
                lines.push(format!(
                    "~ {what} of {rights} on {path} is {new}, was {old}"
                ));
            }
        }
    }
    if difference.leads_elsewhere() {
        let [old, new] = [difference.before.target, difference.after.target].map(goes_on);
        lines.push(format!(
            "~ execute {path} goes on in {new}, went on in {old}"
        ));
    }
    for (role, rule) in reasons {
        lines.push(format!("    {role} {}", describe(rule)));
    }
}

/// To whom rights differ, behind a path.
fn whom(to: To) -> &'static str {
    match to {
        To::Everyone => "",
        To::Owner => ", to the owner",
        To::Others => ", to others than the owner",
    }
}

/// When rights end.
fn end(ends: Ends) -> String {
    if ends.is_never() {
        "for good".to_owned()
    } else {
        ends.to_string()
    }
}

fn goes_on(target: Option<&Target>) -> String {
    match target {
        Some(Target::Profile(name)) => format!("profile {name}"),
        Some(Target::Inherit) | None => "the same profile".to_owned(),
    }
}

fn privileges(profile: &Profile) -> Vec<String> {
    profile.privileges.names().map(str::to_owned).collect()
}

/// Whom a profile confines, by lines.
pub(super) fn subjects(profile: &Profile) -> Vec<String> {
    let executables = profile.executables.iter();
    let executables = executables.map(|executable| format!("executable {}", executable.pattern));
    let users = profile
        .users
        .iter()
        .map(|user| format!("user {}", user.who));
    let cgroups = profile.cgroups.iter().map(|cgroup| match &cgroup.unit {
        Some(unit) => format!("unit {unit}"),
        None => format!("cgroup {}", cgroup.pattern),
    });
    executables.chain(users).chain(cgroups).collect()
}

#[cfg(test)]
mod tests;
