//! Exec rules: where each leads, and which wins where several match.

mod answer;

use self::answer::Answer;
use super::{Converter, Made, MadeKind, known::KnownProfile};
use crate::{
    apparmor::{
        glob::{self, Sequence},
        parser::Exec,
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
                findings,
            } = self.answer(known, &draft);
            for (fit, why) in findings {
                self.differs(draft.rule, Finding::new(rule, "exec", fit, why));
            }
            let covers_all = apart.iter().any(|(some, _)| *some == draft.sequences);
            let rank = if draft.exact {
                Rank::Path
            } else {
                Rank::Pattern
            };
            let rest = others_than(&apart, &draft);
            for (sequences, profile) in apart {
                self.need(profile);
                let is_all = sequences == draft.sequences;
                all.push(Leads {
                    rule: draft.rule,
                    sequences,
                    to: profile.target(),
                    rank: if is_all || draft.exact {
                        rank
                    } else {
                        Rank::Program
                    },
                });
            }
            // A path that is not started is not started by way of a pattern either.
            if !covers_all && (others.is_some() || draft.exact) {
                all.push(Leads {
                    rule: draft.rule,
                    sequences: rest,
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
        if let Some(file) = profile.elsewhere.as_ref().filter(|_| !profile.unconfined) {
            let need = Need {
                profile: profile.ours.clone(),
                file: file.to_string_lossy().into_owned(),
            };
            if !self.report.needs.contains(&need) {
                self.report.needs.push(need);
            }
        }
    }
}

/// What a rule is for without the programs that it names and that lead elsewhere: of single
/// paths, each leads where it does and to nothing else.
fn others_than(apart: &[(Vec<Sequence>, &KnownProfile)], draft: &Draft) -> Vec<Sequence> {
    if !draft.exact || apart.is_empty() {
        return draft.sequences.clone();
    }
    let apart = apart.iter().flat_map(|(some, _)| glob::literals(some));
    let apart: Vec<Vec<u8>> = apart.collect();
    let others = glob::literals(&draft.sequences).into_iter();
    let others = others.filter(|path| !apart.contains(path));
    let others = others.map(|path| path.into_iter().map(glob::Node::Byte).collect());
    others.collect()
}

/// Our patterns for what `sequences` match.
fn parsed(sequences: &[Sequence]) -> Vec<Pattern> {
    let texts = glob::patterns(sequences).unwrap_or_default();
    let parsed = texts.iter().filter_map(|text| Pattern::parse(text).ok());
    parsed.collect()
}
