//! From a section of an AppArmor policy to what a profile of ours says.
//!
//! - [`files`]: rules about files; [`exec`]: where programs lead that are started
//! - [`others`]: all other rules; [`network`]: those about networks
//! - [`known`]: the profiles that there are; [`names`]: what ours are called

mod exec;
mod files;
pub(super) mod known;
pub(super) mod names;
mod network;
mod others;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use enforcer_abi::{Access, Privileges};

use self::known::Known;
pub(super) use self::network::NetworkRule;
use super::{
    error::{Fault, ImportError},
    glob,
    policy::{Policy, Qualifiers, Rule, RuleKind, Section, SectionKind},
    report::{Count, Finding, Fit, Report},
    variables::{expand, single_slashes},
};
use crate::profile::{ProfileMode, Target};

/// A profile of ours that came of one of AppArmor's.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// What it came of.
    pub section: Section,
    /// Whether AppArmor lets its programs do everything: then there is nothing to write.
    pub unconfined: bool,
    /// Its rules on paths, and after them its exec rules, as they are written.
    pub made: Vec<Made>,
    /// What became of AppArmor's rules.
    pub report: Report,
    pub(super) executables: Vec<String>,
    pub(super) mode: ProfileMode,
    /// What AppArmor's rules grant.
    pub(super) privileges: Privileges,
    /// What AppArmor grants without a rule.
    pub(super) unmediated: Privileges,
    pub(super) network: Vec<NetworkRule>,
}

/// A rule of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its pattern.
    pub pattern: String,
    /// What it says.
    pub kind: MadeKind,
    /// Whether it is for the owner of the file alone.
    pub owner: bool,
    /// Whether it is told when it is used: of an allow by `audit`, of a deny unless `quiet`.
    pub told: bool,
    /// Whether paths are left out that lead elsewhere, so that nobody would write it.
    pub cut: bool,
    /// The included file that it came from.
    pub from: Option<Arc<str>>,
    /// The rules of the section that it came of, by their indices.
    pub sources: Vec<usize>,
}

/// What a rule of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeKind {
    /// It grants rights.
    Allow(Access),
    /// It takes rights away.
    Deny(Access),
    /// It lets programs be started.
    Exec(Target),
}

/// The rules of ours, each once for each file that they came from.
#[derive(Default)]
struct MadeRules(Vec<Made>);

impl MadeRules {
    /// Adds a rule, or to one that says the same where it came from.
    fn add(&mut self, made: Made) {
        let same = self.0.iter_mut().find(|other| {
            other.pattern == made.pattern
                && other.kind == made.kind
                && (other.owner, other.told) == (made.owner, made.told)
                && other.from == made.from
        });
        match same {
            Some(same) => same.sources.extend(made.sources),
            None => self.0.push(made),
        }
    }
}

/// A section on its way.
struct Converter<'a> {
    policy: &'a Policy,
    section: &'a Section,
    rules: &'a [Rule],
    known: &'a Known,
    made: MadeRules,
    report: Report,
    /// The rules that do not come to the same.
    unequal: BTreeSet<usize>,
    privileges: others::Taken,
    network: Vec<NetworkRule>,
    /// What is refused under it.
    mode: ProfileMode,
    /// How many rules let links be made that in AppArmor do not.
    linking: usize,
}

/// Converts a section; its children are sections of their own.
///
/// # Errors
///
/// If a variable cannot be expanded.
pub(super) fn convert(
    policy: &Policy,
    section: &Section,
    known: &Known,
    name: &str,
) -> Result<Imported, ImportError> {
    let mut converter = Converter {
        policy,
        section,
        rules: &section.rules,
        known,
        made: MadeRules::default(),
        report: Report::default(),
        unequal: BTreeSet::new(),
        privileges: others::Taken::default(),
        network: Vec::new(),
        mode: ProfileMode::Enforce,
        linking: 0,
    };
    converter.flags();
    let executables = converter.executables()?;
    converter.rules()?;
    converter.links_at_last();
    converter.denies_at_last();
    let (privileges, unmediated) = converter.privileges_at_last();
    let network = network::merged(std::mem::take(&mut converter.network));
    converter.count();
    let Converter {
        made, report, mode, ..
    } = converter;
    let (paths, execs): (Vec<Made>, Vec<Made>) =
        (made.0.into_iter()).partition(|made| !is_exec_rule(made));
    Ok(Imported {
        name: name.to_owned(),
        section: section.clone(),
        unconfined: section.is_unconfined(),
        made: paths.into_iter().chain(execs).collect(),
        report,
        executables,
        mode,
        privileges,
        unmediated,
        network,
    })
}

/// Whether a rule is written among those of `exec`, which know no owners.
pub(super) fn is_exec_rule(made: &Made) -> bool {
    matches!(made.kind, MadeKind::Exec(_)) && !made.owner
}

impl Converter<'_> {
    /// Takes down that `rule`, the section's at index `at`, does not come to the same.
    fn differs(&mut self, at: usize, finding: Finding) {
        if finding.fit > Fit::Differs {
            self.unequal.insert(at);
        }
        if !self.report.findings.contains(&finding) {
            self.report.findings.push(finding);
        }
    }

    /// Takes down what differs of the profile and not of one of its rules.
    fn differs_as_a_whole(&mut self, kind: &str, fit: Fit, why: &str, text: &str) {
        self.report.findings.push(Finding {
            kind: kind.to_owned(),
            fit,
            why: why.to_owned(),
            origin: self.section.origin.clone(),
            text: text.to_owned(),
        });
    }

    /// Reads the flags: what becomes of what is not granted.
    fn flags(&mut self) {
        let section = self.section;
        for flag in &section.flags {
            let why = match flag.as_str() {
                "enforce" | "unconfined" => continue,
                "complain" => {
                    self.mode = ProfileMode::Audit;
                    continue;
                }
                "default_allow" => {
                    self.everything(None);
                    continue;
                }
                "xattrs" => "programs are told by their paths, whatever attributes they have",
                "attach_disconnected" => "what is in no mount of the task's is refused",
                "audit" => "what is granted is told by rules with `audit: true` alone",
                "kill" => "who tries what is refused is not killed",
                _ => "the flag has no equivalent",
            };
            let fit = match flag.as_str() {
                "xattrs" => Fit::Wider,
                "attach_disconnected" => Fit::Narrower,
                "audit" | "kill" => Fit::Differs,
                _ => Fit::LeftOut,
            };
            self.differs_as_a_whole("flags", fit, why, flag);
        }
        if section.kind == SectionKind::Hat {
            let why = "no program changes its profile by itself, so nothing leads to this one";
            self.differs_as_a_whole("hat", Fit::LeftOut, why, &section.name);
        }
    }

    /// Whether what a rule with these says is told when it is used. In audit mode a deny is
    /// nothing but told.
    fn is_told(&self, qualifiers: &Qualifiers) -> bool {
        qualifiers.audit || qualifiers.deny && self.mode == ProfileMode::Audit
    }

    /// Takes down that denies refuse nothing in audit mode, as they do in complain mode.
    fn denies_at_last(&mut self) {
        let denies = self.rules.iter().filter(|rule| rule.qualifiers.deny);
        let what = match denies.count() {
            _ if self.mode != ProfileMode::Audit => return,
            0 => return,
            1 => "what 1 rule with `deny` is for is".to_owned(),
            count => format!("what {count} rules with `deny` are for is"),
        };
        let why = format!("{what} told and not refused, as AppArmor does even in this mode");
        self.differs_as_a_whole("flags", Fit::Wider, &why, "complain");
    }

    /// The programs that lead to the profile wherever they are started.
    fn executables(&mut self) -> Result<Vec<String>, ImportError> {
        let section = self.section;
        let Some(attachment) = &section.attachment else {
            return Ok(Vec::new());
        };
        if section.kind != SectionKind::Profile {
            return Ok(Vec::new());
        }
        let texts = self.expand(attachment).map_err(|fault| ImportError {
            origin: section.origin.clone(),
            fault,
        })?;
        let mut sequences = Vec::new();
        for text in texts {
            match glob::files(&text) {
                Ok(files) => sequences.extend(files),
                Err(fault) => self.unattached(&fault.to_string()),
            }
        }
        match glob::patterns(&sequences) {
            Ok(patterns) => Ok(patterns),
            Err(fault) => {
                self.unattached(&fault.to_string());
                Ok(Vec::new())
            }
        }
    }

    fn unattached(&mut self, why: &str) {
        let section = self.section;
        let attachment = section.attachment.as_deref().unwrap_or_default();
        self.differs_as_a_whole("attachment", Fit::LeftOut, why, attachment);
    }

    fn rules(&mut self) -> Result<(), ImportError> {
        let mut execs = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            if let Some(what) = rule.qualifiers.others.first() {
                let why = format!("`{what}` before a rule has no equivalent");
                self.differs(at, Finding::new(rule, rule.kind.name(), Fit::LeftOut, why));
                continue;
            }
            let done = match &rule.kind {
                RuleKind::File { .. } => self.file(at, rule, &mut execs),
                RuleKind::Link { path, .. } => self.link(at, rule, path),
                RuleKind::Other { keyword, items } => {
                    self.other(at, rule, keyword, items);
                    Ok(())
                }
            };
            done.map_err(|fault| ImportError {
                origin: rule.origin.clone(),
                fault,
            })?;
        }
        self.execs(execs);
        Ok(())
    }

    /// The texts that `text` stands for: of each variable each value, and of each beginning
    /// of a path its aliases.
    fn expand(&self, text: &str) -> Result<Vec<String>, Fault> {
        let texts = expand(text, &self.policy.variables, &self.section.name)?;
        let mut texts: Vec<String> = texts.iter().map(|text| single_slashes(text)).collect();
        for (from, to) in &self.policy.aliases {
            let renamed: Vec<String> = texts
                .iter()
                .filter_map(|text| text.strip_prefix(from.as_str()))
                .map(|rest| single_slashes(&format!("{to}{rest}")))
                .collect();
            texts.extend(renamed);
        }
        Ok(texts)
    }

    fn count(&mut self) {
        for (at, rule) in self.rules.iter().enumerate() {
            let count = match rule.kind {
                RuleKind::File { .. } | RuleKind::Link { .. } => &mut self.report.files,
                RuleKind::Other { .. } => &mut self.report.others,
            };
            let Count { rules, equal } = count;
            *rules += 1;
            *equal += usize::from(!self.unequal.contains(&at));
        }
    }
}

impl RuleKind {
    /// What kind of rule it is, in a word.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Link { .. } => "link",
            Self::Other { keyword, .. } => keyword,
        }
    }
}

impl Imported {
    /// Whether AppArmor's rule at index `at` of [`Imported::section`] comes to the same.
    pub fn is_equal(&self, at: usize) -> bool {
        let Some(rule) = self.section.rules.get(at) else {
            return false;
        };
        let findings = self.report.findings.iter();
        !findings
            .filter(|finding| finding.fit > Fit::Differs)
            .any(|finding| finding.origin == rule.origin && finding.text == rule.text)
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.yaml", self.name)
    }

    /// The file that AppArmor has it in.
    pub fn source(&self) -> &Path {
        &self.section.origin.file
    }
}

#[cfg(test)]
mod tests;
