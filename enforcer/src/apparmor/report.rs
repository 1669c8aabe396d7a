//! What became of the rules of a profile, for people and programs.

use serde::Serialize;

use super::policy::Rule;
use crate::profile::{Escaped, Origin};

/// How what came of a rule compares with the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// It grants, or refuses, the same.
    Equal,
    /// The same, but something beside rights differs, as what is told.
    Differs,
    /// It grants less, or refuses more.
    Narrower,
    /// It grants more, or refuses less.
    Wider,
    /// Nothing came of it.
    LeftOut,
}

/// A rule of which something else came than the rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of rule it is: its keyword, `file`, `exec`, `flags`.
    pub kind: String,
    /// How what came of it compares with it.
    pub fit: Fit,
    /// What differs.
    pub why: String,
    /// Where it stands.
    pub origin: Origin,
    /// Its text.
    pub text: String,
}

/// How many rules there are, and of how many something equal came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All of them.
    pub rules: usize,
    /// Those that grant or refuse the same as before.
    pub equal: usize,
}

/// A profile to which an exec rule leads and that was not imported with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Need {
    /// Its name, as ours has to be.
    pub profile: String,
    /// AppArmor's file of it.
    pub file: String,
}

/// What became of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rules about files, exec rules among them.
    pub files: Count,
    /// All others.
    pub others: Count,
    /// What differs, in the order of the file.
    pub findings: Vec<Finding>,
    /// What has to be imported, too.
    pub needs: Vec<Need>,
}

impl Fit {
    /// The fit in a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Differs => "differs",
            Self::Narrower => "narrower",
            Self::Wider => "wider",
            Self::LeftOut => "left out",
        }
    }
}

impl Finding {
    /// A finding about `rule`.
    pub(super) fn new(rule: &Rule, kind: &str, fit: Fit, why: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            fit,
            why: why.into(),
            origin: rule.origin.clone(),
            text: rule.text.clone(),
        }
    }
}

impl Report {
    /// What differs in a few words: counts by kind; `None` if nothing does.
    pub fn summary(&self) -> Option<String> {
        let mut counts: Vec<(Fit, &str, usize)> = Vec::new();
        for finding in &self.findings {
            let same = counts
                .iter_mut()
                .find(|(fit, kind, _)| (*fit, *kind) == (finding.fit, finding.kind.as_str()));
            match same {
                Some((_, _, count)) => *count += 1,
                None => counts.push((finding.fit, &finding.kind, 1)),
            }
        }
        counts.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        let mut parts = Vec::new();
        for group in counts.chunk_by(|one, other| one.0 == other.0) {
            let kinds = group
                .iter()
                .map(|(_, kind, count)| format!("{kind} {count}"));
            let fit = group.first().map_or("", |(fit, _, _)| fit.name());
            parts.push(format!("{fit}: {}", kinds.collect::<Vec<_>>().join(", ")));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// The whole, a line each: what differs, grouped by how and why, with the rules.
    pub(super) fn lines(&self) -> Vec<String> {
        let Self {
            files,
            others,
            findings,
            needs,
        } = self;
        let mut lines = vec![format!(
            "As in AppArmor: {} of {} rules about files, {} of {} others.",
            files.equal, files.rules, others.equal, others.rules
        )];
        let mut findings: Vec<&Finding> = findings.iter().collect();
        let key = |finding: &Finding| (finding.fit, finding.kind.clone(), finding.why.clone());
        findings.sort_by(|one, other| {
            let by_fit = other.fit.cmp(&one.fit);
            by_fit.then_with(|| key(one).cmp(&key(other)))
        });
        for group in findings.chunk_by(|one, other| key(one) == key(other)) {
            let Some(first) = group.first() else { continue };
            lines.push(format!(
                "{} ({}): {}",
                first.kind,
                first.fit.name(),
                first.why
            ));
            for finding in group {
                let Origin { file, line, .. } = &finding.origin;
                let file = Escaped::path(file.file_name().unwrap_or_default().as_ref());
                let text = Escaped(finding.text.as_bytes());
                lines.push(format!("  {file}:{line}: {text}"));
            }
        }
        for Need { profile, file } in needs {
            lines.push(format!(
                "Import {}, too: it has the profile {profile}.",
                Escaped(file.as_bytes())
            ));
        }
        lines
    }
}

/// A finding as `--json` shows it.
impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            kind: &'a str,
            fit: Fit,
            why: &'a str,
            file: String,
            line: u32,
            column: u32,
            rule: &'a str,
        }
        View {
            kind: &self.kind,
            fit: self.fit,
            why: &self.why,
            file: self.origin.file.to_string_lossy().into_owned(),
            line: self.origin.line,
            column: self.origin.column,
            rule: &self.text,
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Count, Finding, Fit, Need, Report};
    use crate::profile::Origin;

    #[test]
    fn told_by_kind() {
        let finding = |kind: &str, fit, why: &str, text: &str| Finding {
            kind: kind.to_owned(),
            fit,
            why: why.to_owned(),
            origin: Origin::start_of(Path::new("/x/p")),
            text: text.to_owned(),
        };
        let report = Report {
            files: Count { rules: 3, equal: 2 },
            others: Count { rules: 4, equal: 1 },
            findings: vec![
                finding("signal", Fit::Wider, "any", "signal peer=a"),
                finding("dbus", Fit::LeftOut, "no", "dbus\u{1b}"),
                finding("signal", Fit::Wider, "any", "signal peer=b"),
                finding("file", Fit::LeftOut, "odd", "/../x r"),
            ],
            needs: vec![Need {
                profile: "q".to_owned(),
                file: "/x/q".to_owned(),
            }],
        };
        let want = "left out: dbus 1, file 1; wider: signal 2";
        assert_eq!(report.summary().as_deref(), Some(want));
        #[rustfmt::skip]
        assert_eq!(report.lines(), [
            "As in AppArmor: 2 of 3 rules about files, 1 of 4 others.",
            "dbus (left out): no", "  p:1: dbus\\u{1b}",
            "file (left out): odd", "  p:1: /../x r",
            "signal (wider): any", "  p:1: signal peer=a", "  p:1: signal peer=b",
            "Import /x/q, too: it has the profile q.",
        ]);
        assert_eq!(Report::default().summary(), None);
    }
}
