//! Exec rules: where each leads, and which wins where several match.

use super::{
    Converter, Made, MadeKind,
    known::{Known, KnownProfile},
};
use crate::{
    apparmor::{
        glob::{self, Sequence},
        parser::{Exec, ExecTo, Fallback},
        policy::Rule,
        report::{Finding, Fit, Need},
    },
    profile::{Pattern, Target},
};

/// An exec rule on its way: one for each text that its pattern stands for.
pub(super) struct Draft {
    pub(super) rule: usize,
    pub(super) sequences: Vec<Sequence>,
    pub(super) exec: Exec,
    /// The profile that it names.
    pub(super) named: Option<String>,
    /// Whether the rule is for one path, so that it wins over patterns.
    pub(super) exact: bool,
}

/// Where some programs lead.
struct Leads {
    rule: usize,
    sequences: Vec<Sequence>,
    /// `None`: they are not started.
    to: Option<Target>,
    rank: Rank,
}

/// Where what a rule is for leads, as it will be written.
struct Told<'a> {
    rule: usize,
    to: &'a Target,
    sequences: Vec<Sequence>,
    /// Whether paths are left out that lead elsewhere.
    cut: bool,
}

/// What wins over what where several match a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A rule for a pattern.
    Pattern,
    /// A profile for a program, which a pattern matches.
    Program,
    /// A rule for this one path.
    Path,
}

/// What a rule says of where its programs lead.
struct Answer<'a> {
    /// Programs with profiles of their own.
    apart: Vec<(Vec<Sequence>, &'a KnownProfile)>,
    /// All others.
    others: Option<Target>,
    /// What is not as in AppArmor.
    finding: Option<(Fit, String)>,
}

impl Converter<'_> {
    /// Makes rules of all that was gathered.
    pub(super) fn execs(&mut self, drafts: Vec<Draft>) {
        let known = self.known;
        let mut all: Vec<Leads> = Vec::new();
        for draft in drafts {
            let Some(rule) = self.rules.get(draft.rule) else {
                continue;
            };
            let Answer {
                apart,
                others,
                finding,
            } = self.answer(known, &draft);
            if let Some((fit, why)) = finding {
                self.differs(draft.rule, Finding::new(rule, "exec", fit, why));
            }
            let covers_all = apart.iter().any(|(some, _)| *some == draft.sequences);
            let rank = if draft.exact {
                Rank::Path
            } else {
                Rank::Pattern
            };
            for (sequences, profile) in apart {
                self.need(profile);
                let is_all = sequences == draft.sequences;
                all.push(Leads {
                    rule: draft.rule,
                    sequences,
                    to: Some(Target::Profile(profile.ours.clone())),
                    rank: if is_all { rank } else { Rank::Program },
                });
            }
            // A path that is not started is not started by way of a pattern either.
            if !covers_all && (others.is_some() || draft.exact) {
                all.push(Leads {
                    rule: draft.rule,
                    sequences: draft.sequences,
                    to: others,
                    rank,
                });
            }
        }
        self.settle(&all);
    }

    /// Makes the rules, each without the paths for which another wins.
    fn settle(&mut self, all: &[Leads]) {
        // What one rule says with several texts is told at once.
        let mut told: Vec<Told<'_>> = Vec::new();
        for leads in all {
            let (Some(to), Some(rule)) = (&leads.to, self.rules.get(leads.rule)) else {
                continue;
            };
            let mut sequences = leads.sequences.clone();
            let winners = Self::winners(leads, all);
            let cut = !winners.is_empty();
            if cut {
                let winners: Vec<&[u8]> = winners.iter().map(Vec::as_slice).collect();
                match glob::without(&sequences, &winners) {
                    Ok(less) => sequences = less,
                    Err(fault) => {
                        let why = format!("programs of it lead elsewhere by other rules: {fault}");
                        self.differs(leads.rule, Finding::new(rule, "exec", Fit::LeftOut, why));
                        continue;
                    }
                }
            }
            match told
                .iter_mut()
                .find(|one| (one.rule, one.to) == (leads.rule, to))
            {
                Some(known) => {
                    known.sequences.extend(sequences);
                    known.cut |= cut;
                }
                None => told.push(Told {
                    rule: leads.rule,
                    to,
                    sequences,
                    cut,
                }),
            }
        }
        for one in told {
            let Told {
                rule: at,
                to,
                sequences,
                cut,
            } = one;
            let Some(rule) = self.rules.get(at).filter(|_| !sequences.is_empty()) else {
                continue;
            };
            match glob::patterns(&sequences) {
                Ok(patterns) => self.exec_rules((at, rule), patterns, to, cut),
                Err(fault) => {
                    let why = fault.to_string();
                    self.differs(at, Finding::new(rule, "exec", Fit::LeftOut, why));
                }
            }
        }
    }

    /// The paths of `leads` that lead elsewhere, since something wins.
    fn winners(leads: &Leads, all: &[Leads]) -> Vec<Vec<u8>> {
        let wins = |other: &&Leads| other.rank > leads.rank && other.to != leads.to;
        let stronger: Vec<&Leads> = all.iter().filter(wins).collect();
        if stronger.is_empty() {
            return Vec::new();
        }
        let patterns = parsed(&leads.sequences);
        let paths = stronger
            .iter()
            .flat_map(|other| glob::literals(&other.sequences));
        paths
            .filter(|path| patterns.iter().any(|pattern| pattern.matches(path)))
            .collect()
    }

    fn exec_rules(
        &mut self,
        (at, rule): (usize, &Rule),
        patterns: Vec<String>,
        to: &Target,
        cut: bool,
    ) {
        let qualifiers = &rule.qualifiers;
        let is_inherit = *to == Target::Inherit;
        if qualifiers.owner && !is_inherit {
            let why = "an exec rule that leads to a profile cannot be for the owner alone, so what \
                       it is for is not started";
            self.differs(at, Finding::new(rule, "exec", Fit::LeftOut, why));
            return;
        }
        for pattern in patterns {
            self.made.add(Made {
                pattern,
                kind: MadeKind::Exec(to.clone()),
                owner: qualifiers.owner,
                told: qualifiers.audit,
                cut,
                from: rule.from.clone(),
                sources: vec![at],
            });
        }
    }

    /// Notes that a profile has to be imported, too.
    fn need(&mut self, profile: &KnownProfile) {
        if let Some(file) = &profile.elsewhere {
            let need = Need {
                profile: profile.ours.clone(),
                file: file.to_string_lossy().into_owned(),
            };
            if !self.report.needs.contains(&need) {
                self.report.needs.push(need);
            }
        }
    }

    /// Where the programs of a rule lead.
    fn answer<'a>(&self, known: &'a Known, draft: &Draft) -> Answer<'a> {
        let simple = |others| Answer {
            apart: Vec::new(),
            others,
            finding: None,
        };
        let none = |why: String| Answer {
            apart: Vec::new(),
            others: None,
            finding: Some((Fit::LeftOut, why)),
        };
        let Exec { to, or, scrubs } = draft.exec;
        match to {
            ExecTo::Inherit => return simple(Some(Target::Inherit)),
            ExecTo::Unconfined => {
                let why = "no program leaves its profile for none; give it a profile of its own";
                return none(why.to_owned());
            }
            ExecTo::Unsaid => return none("`x` does not say where it leads".to_owned()),
            ExecTo::Profile | ExecTo::Child => {}
        }
        let mut answer = match &draft.named {
            Some(name) => self.to_named(known, draft, name),
            None => self.to_attached(known, draft),
        };
        answer.others = match or {
            Fallback::Inherit => Some(Target::Inherit),
            Fallback::Nothing | Fallback::Unconfined => None,
        };
        let covers_all = answer
            .apart
            .iter()
            .any(|(some, _)| *some == draft.sequences);
        if covers_all {
            answer.others = None;
        } else if or == Fallback::Unconfined {
            let why = "programs without a profile would run without one, and do not run; give \
                       them one";
            answer.finding = Some((Fit::Narrower, why.to_owned()));
            if answer.apart.is_empty() {
                answer.finding = Some((Fit::LeftOut, why.to_owned()));
            }
        } else if or == Fallback::Nothing && answer.apart.is_empty() && answer.finding.is_none() {
            let why = "no profile is known for it, so AppArmor refuses it, too; if there is one, \
                       name its folder with --base";
            answer.finding = Some((Fit::LeftOut, why.to_owned()));
        }
        if answer.finding.is_none() && !scrubs && !answer.apart.is_empty() {
            let why = "the environment of what is started is distrusted, as it is by `Px`";
            answer.finding = Some((Fit::Differs, why.to_owned()));
        }
        answer
    }

    /// Where a rule leads that names the profile.
    fn to_named<'a>(&self, known: &'a Known, draft: &Draft, name: &str) -> Answer<'a> {
        let (stacks, name) = match name.strip_prefix('&') {
            Some(name) => (true, name),
            None => (false, name),
        };
        let child = format!("{}//{name}", self.section.name);
        let full = match draft.exec.to {
            // What is stacked is a profile of its own, whatever leads to it.
            ExecTo::Child if !stacks || known.named(name).is_none() => child,
            _ => name.to_owned(),
        };
        let found = known.named(&full);
        let finding = if found.is_none() {
            let full = crate::profile::Escaped(full.as_bytes()).to_string();
            let why = format!("there is no profile `{full}`; name its folder with --base");
            Some((Fit::LeftOut, why))
        } else if stacks {
            let why = "they go on in the other profile alone, and not in both";
            Some((Fit::Wider, why.to_owned()))
        } else {
            None
        };
        let apart = found.map(|profile| (draft.sequences.clone(), profile));
        Answer {
            apart: apart.into_iter().collect(),
            others: None,
            finding,
        }
    }

    /// Where a rule leads by the programs that it matches.
    fn to_attached<'a>(&self, known: &'a Known, draft: &Draft) -> Answer<'a> {
        let candidates: Vec<&KnownProfile> = match draft.exec.to {
            ExecTo::Child => known.children(&self.section.name),
            _ => known.attached().collect(),
        };
        let mut apart: Vec<(Vec<Sequence>, &'a KnownProfile)> = Vec::new();
        let mut finding = None;
        if draft.exact {
            for path in glob::literals(&draft.sequences) {
                let closest = candidates
                    .iter()
                    .filter_map(|profile| Some((profile.closeness(&path)?, *profile)))
                    .max_by_key(|&(closeness, _)| closeness);
                let sequence: Sequence = path.into_iter().map(glob::Node::Byte).collect();
                let Some((_, profile)) = closest else {
                    continue;
                };
                let same = apart
                    .iter_mut()
                    .find(|(_, other)| std::ptr::eq(*other, profile));
                match same {
                    Some((sequences, _)) => sequences.push(sequence),
                    None => apart.push((vec![sequence], profile)),
                }
            }
            // All of them, as the rule has it.
            let all = glob::literals(&draft.sequences).len();
            if let [(sequences, _)] = apart.as_mut_slice()
                && sequences.len() == all
            {
                sequences.clone_from(&draft.sequences);
            }
            return Answer {
                apart,
                others: None,
                finding,
            };
        }
        let patterns = parsed(&draft.sequences);
        for profile in candidates {
            if profile.attachment() == draft.sequences {
                apart.push((draft.sequences.clone(), profile));
                continue;
            }
            let matching: Vec<Sequence> = profile
                .programs()
                .into_iter()
                .filter(|path| patterns.iter().any(|pattern| pattern.matches(path)))
                .map(|path| path.into_iter().map(glob::Node::Byte).collect())
                .collect();
            if !matching.is_empty() {
                apart.push((matching, profile));
            }
            if profile.has_patterns() && may_meet(&patterns, profile) {
                let why = "profiles that are for patterns of programs are not looked for in a \
                           rule for a pattern";
                finding = Some((Fit::Narrower, why.to_owned()));
            }
        }
        Answer {
            apart,
            others: None,
            finding,
        }
    }
}

/// Our patterns for what `sequences` match.
fn parsed(sequences: &[Sequence]) -> Vec<Pattern> {
    let texts = glob::patterns(sequences).unwrap_or_default();
    let parsed = texts.iter().filter_map(|text| Pattern::parse(text).ok());
    parsed.collect()
}

/// Whether patterns may have a path in common with the programs of a profile, by what they
/// begin with.
fn may_meet(patterns: &[Pattern], profile: &KnownProfile) -> bool {
    patterns.iter().any(|one| {
        profile.patterns().iter().any(|other| {
            let (one, other) = (one.literal_prefix(), other.literal_prefix());
            one.starts_with(other) || other.starts_with(one)
        })
    })
}
