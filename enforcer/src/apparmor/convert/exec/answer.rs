//! What an exec rule says of where its programs lead.

use super::{Draft, parsed};
use crate::{
    apparmor::{
        convert::{
            Converter,
            known::{Known, KnownProfile},
        },
        glob::{self, Sequence},
        parser::{Exec, ExecTo, Fallback},
        report::Fit,
    },
    profile::{Escaped, Pattern, Target},
};

/// What a rule says of where its programs lead.
pub(super) struct Answer<'a> {
    /// Programs with profiles of their own.
    pub(super) apart: Vec<(Vec<Sequence>, &'a KnownProfile)>,
    /// All others.
    pub(super) others: Option<Target>,
    /// What is not as in AppArmor.
    pub(super) findings: Vec<(Fit, String)>,
}

impl Answer<'_> {
    /// Takes down the profiles under which AppArmor lets everything be done. They are not
    /// written, so nothing can lead to them.
    fn tell_of_unconfined(&mut self) {
        let unconfined = self.apart.iter().filter(|(_, known)| known.unconfined);
        let names: Vec<String> = unconfined
            .map(|(_, known)| Escaped(known.name.as_bytes()).to_string())
            .collect();
        if names.is_empty() {
            return;
        }
        let fit = if names.len() == self.apart.len() && self.others.is_none() {
            Fit::LeftOut
        } else {
            Fit::Narrower
        };
        let why = format!(
            "no program leaves its profile for one that lets it do everything, as `{}` does; \
             write one that confines it",
            names.join("`, `")
        );
        self.findings.push((fit, why));
    }
}

impl Converter<'_> {
    /// Where the programs of a rule lead.
    pub(super) fn answer<'a>(&self, known: &'a Known, draft: &Draft) -> Answer<'a> {
        let simple = |others| Answer {
            apart: Vec::new(),
            others,
            findings: Vec::new(),
        };
        let none = |why: String| Answer {
            apart: Vec::new(),
            others: None,
            findings: vec![(Fit::LeftOut, why)],
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
            let fit = if answer.apart.is_empty() {
                Fit::LeftOut
            } else {
                Fit::Narrower
            };
            answer.findings = vec![(fit, why.to_owned())];
        } else if or == Fallback::Nothing && answer.apart.is_empty() && answer.findings.is_empty() {
            let why = "no profile is known for it, so AppArmor refuses it, too; if there is one, \
                       name its folder with --base";
            answer.findings.push((Fit::LeftOut, why.to_owned()));
        }
        let leads = answer.apart.iter().any(|(_, known)| !known.unconfined);
        if answer.findings.is_empty() && !scrubs && leads {
            let why = "the environment of what is started is distrusted, as it is by `Px`";
            answer.findings.push((Fit::Differs, why.to_owned()));
        }
        answer.tell_of_unconfined();
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
        let finding = match found {
            None => {
                let full = Escaped(full.as_bytes()).to_string();
                let why = format!("there is no profile `{full}`; name its folder with --base");
                Some((Fit::LeftOut, why))
            }
            Some(profile) if stacks && !profile.unconfined => {
                let why = "they go on in the other profile alone, and not in both";
                Some((Fit::Wider, why.to_owned()))
            }
            Some(_) => None,
        };
        let apart = found.map(|profile| (draft.sequences.clone(), profile));
        Answer {
            apart: apart.into_iter().collect(),
            others: None,
            findings: finding.into_iter().collect(),
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
                findings: Vec::new(),
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
            findings: finding.into_iter().collect(),
        }
    }
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
