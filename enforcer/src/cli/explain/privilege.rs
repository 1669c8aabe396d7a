//! What a profile says to the use of a privilege.

use anyhow::Context as _;
use enforcer_abi::{Privilege, Privileges, Verdict};
use serde::Serialize;

use super::Shown;
use crate::{
    detection::verdict_name,
    profile::{Escaped, Problem, Profile},
};

/// An answer as `--json` shows it.
#[derive(Serialize)]
struct PrivilegeView<'a> {
    profile: &'a str,
    privilege: &'static str,
    verdict: &'static str,
    granted: bool,
    /// Where the profile's list of privileges stands, `FILE:LINE:COL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

/// Returns the privilege with this name.
///
/// # Errors
///
/// If none has it, with the one that may have been meant.
pub(super) fn named(name: &str) -> Result<Privilege, Problem> {
    Privilege::from_name(name).ok_or_else(|| Problem::UnknownPrivilege {
        name: Escaped(name.as_bytes()).to_string(),
    })
}

/// Shows what becomes of the use of `privilege` under `profile`.
pub(super) fn shown(
    profile: &Profile,
    privilege: Privilege,
    verdict: Verdict,
) -> anyhow::Result<Shown> {
    let Profile {
        name, privileges, ..
    } = profile;
    let granted = verdict == Verdict::Allow;
    let label = verdict_name(verdict);
    let spelt = privilege.name().unwrap_or_default();
    let mut lines = vec![match verdict {
        Verdict::Allow => format!("{label}: profile {name} grants the privilege {spelt}"),
        Verdict::Deny => format!("{label}: profile {name} does not grant the privilege {spelt}"),
        Verdict::Audit | Verdict::Learn => format!(
            "{label}: profile {name} does not grant the privilege {spelt}, and lets it through since its mode is {}",
            profile.mode.name()
        ),
    }];
    lines.push(match &profile.privileges_origin {
        None => format!(
            "  it has no list `privileges`: {}",
            Escaped::path(&profile.source)
        ),
        Some(origin) if granted => {
            let implied = implied_by(*privileges, privilege);
            format!("  granted by its list `privileges`: {origin}{implied}")
        }
        Some(origin) => format!("  not in its list `privileges`: {origin}"),
    });
    let view = PrivilegeView {
        profile: name,
        privilege: spelt,
        verdict: label,
        granted,
        origin: profile.privileges_origin.as_ref().map(ToString::to_string),
    };
    Ok(Shown {
        text: lines.join("\n"),
        json: serde_json::to_string(&view).context("cannot write the answer as JSON")?,
    })
}

/// Which other privileges of the list imply this one.
fn implied_by(privileges: Privileges, privilege: Privilege) -> String {
    let implying: Vec<_> = Privilege::NAMES
        .into_iter()
        .filter(|&(other, _)| other != privilege && privileges.contains(other))
        .filter(|&(other, _)| {
            let implied = Privileges::of(other).with_implied();
            implied.contains(privilege)
        })
        .map(|(_, name)| name)
        .collect();
    if implying.is_empty() {
        String::new()
    } else {
        format!("; {} implies it", implying.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{super::shown, named};
    use crate::profile::{Profile, Question};

    #[test]
    fn privileges() {
        const LIST: &str = "privileges: [chown, mount]\n";
        // Columns: what it shows, privilege, mode, list, answer.
        #[rustfmt::skip]
        let cases = [
            ("named",    "chown",     "enforce", LIST, "allowed: profile p grants the privilege chown\n  granted by its list `privileges`: p.yaml:3:13"),
            ("implied",  "sys_admin", "enforce", LIST, "allowed: profile p grants the privilege sys_admin\n  granted by its list `privileges`: p.yaml:3:13; mount implies it"),
            ("not named", "setuid",   "enforce", LIST, "denied: profile p does not grant the privilege setuid\n  not in its list `privileges`: p.yaml:3:13"),
            ("no list",  "setuid",    "enforce", "",   "denied: profile p does not grant the privilege setuid\n  it has no list `privileges`: p.yaml"),
            ("audited",  "setuid",    "audit",   "",   "audited: profile p does not grant the privilege setuid, and lets it through since its mode is audit\n  it has no list `privileges`: p.yaml"),
            ("learned",  "setuid",    "learn",   "",   "learned: profile p does not grant the privilege setuid, and lets it through since its mode is learn\n  it has no list `privileges`: p.yaml"),
        ];
        for (name, privilege, mode, list, want) in cases {
            let text = format!("name: p\nmode: {mode}\n{list}");
            let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
            let question = Question::Privilege(named(privilege).unwrap());
            let got = shown(&profile, &question.ask(&profile).unwrap()).unwrap();
            assert_eq!(got.text, want, "{name}");
            let json: serde_json::Value = serde_json::from_str(&got.json).unwrap();
            assert_eq!(json["granted"], want.starts_with("allowed"), "{name}");
        }
        assert!(
            named("setiud")
                .unwrap_err()
                .to_string()
                .ends_with("did you mean `setuid`?")
        );
    }
}
