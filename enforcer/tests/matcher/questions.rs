//! Who can do something, against a model that is asked profile by profile: rules are tried
//! one after the other, and no automaton, no table and no explanation has a part in it.

#[path = "questions/nets.rs"]
mod nets;

use std::{borrow::Cow, cell::RefCell, collections::BTreeMap, path::Path};

use enforcer::profile::{
    Move, Owner, Profile, ProfileMode, Question, Rule, Target, compile_alone, who_can,
};
use enforcer_abi::{Access, Privilege, Privileges, Verdict};
use proptest::prelude::*;

use self::nets::{Net, Thing, net, thing};
use crate::{Say, Sketch, glob, paths, paths::Random, profile, rule, runner, sketch};

/// Sets of profiles, and questions of each.
const SETS: u32 = 60;
const QUESTIONS: usize = 12;

const OTHER: &str = "other";

/// A profile to be.
#[derive(Clone, Debug)]
struct Draft {
    mode: ProfileMode,
    metadata: bool,
    /// Whether each of [`Privilege::NAMES`] is granted.
    privileges: Vec<bool>,
    /// With each rule whether its programs go on in another profile.
    rules: Vec<(Sketch, bool)>,
    networks: Vec<Net>,
}

/// What a draft says of one path: the rights of anybody, those besides of an owner, and
/// whether an exec leads to another profile.
struct Said {
    allow: Access,
    owned: Access,
    leads: bool,
}

impl Draft {
    fn of_path(&self, path: &[u8]) -> Said {
        let rules = self.rules.iter();
        let matching: Vec<_> = rules
            .filter(|(sketch, _)| glob::matches(&sketch.glob, path))
            .collect();
        let sketches: Vec<&Sketch> = matching.iter().map(|(sketch, _)| sketch).collect();
        let mut say = Say::of(&sketches);
        if !self.metadata {
            say.allow |= Access::METADATA;
            say.owned = say.owned & !Access::METADATA;
        }
        let runs = |(sketch, leads): &(Sketch, bool)| {
            *leads && !sketch.denies && sketch.access.contains(Access::EXECUTE)
        };
        Said {
            leads: matching.into_iter().any(runs),
            allow: say.allow,
            owned: say.owned,
        }
    }

    fn grants_of_path(&self, access: Access, path: &[u8], owner: Owner) -> bool {
        let said = self.of_path(path);
        match owner {
            Owner::Task => (said.allow | said.owned).contains(access),
            Owner::Other => said.allow.contains(access),
        }
    }

    fn grants_of_network(&self, access: Access, thing: Thing) -> bool {
        let mut rights = (0..16).map(|bit| Access(1 << bit));
        rights.all(|right| {
            let mut about = self
                .networks
                .iter()
                .filter(|net| net.is_about(right, thing));
            !access.contains(right)
                || about.clone().any(|net| !net.denies) && about.all(|net| !net.denies)
        })
    }

    fn lets_move(&self, how: Move, [old, new]: [&[u8]; 2], owner: Owner) -> bool {
        let leaves = how == Move::Link || self.grants_of_path(Access::REMOVE, old, owner);
        // Who makes something owns it.
        let comes = self.grants_of_path(Access::CREATE, new, Owner::Task);
        let [before, after] = [old, new].map(|path| self.of_path(path));
        let to_others = before.allow.contains(after.allow);
        let to_owner = (before.allow | before.owned).contains(after.allow | after.owned);
        let runs = (after.allow | after.owned).contains(Access::EXECUTE);
        leaves && comes && to_others && to_owner && (!runs || before.leads == after.leads)
    }

    /// The verdict, where something is granted or not.
    fn verdict(&self, granted: bool) -> Verdict {
        match self.mode {
            _ if granted => Verdict::Allow,
            ProfileMode::Enforce => Verdict::Deny,
            ProfileMode::Audit => Verdict::Audit,
            ProfileMode::Learn => Verdict::Learn,
        }
    }

    /// The profile, if its rules do not contradict one another.
    fn profile(&self, name: String) -> Option<Profile> {
        let mut rules: Vec<Rule> = Vec::new();
        for (sketch, leads) in &self.rules {
            // What is no pattern is sorted out before.
            let mut rule = rule(sketch)?;
            if rule.allow.contains(Access::EXECUTE) {
                rule.target = Some(if *leads {
                    Target::Profile(OTHER.to_owned())
                } else {
                    Target::Inherit
                });
            }
            rules.push(rule);
        }
        if !self.networks.is_empty() {
            let lines: String = self.networks.iter().map(Net::text).collect();
            let text = format!("name: p\nmode: enforce\nnetwork:\n{lines}");
            let parsed = Profile::parse(&text, Path::new("p.yaml"), Path::new(""));
            rules.extend(parsed.unwrap().rules);
        }
        let granted = Privilege::NAMES.into_iter().zip(&self.privileges);
        let granted = granted.filter(|&(_, &granted)| granted);
        let profile = Profile {
            name,
            mode: self.mode,
            metadata: self.metadata,
            privileges: granted.fold(Privileges::NONE, |all, ((privilege, _), _)| {
                Privileges(all.0 | Privileges::of(privilege).0)
            }),
            ..profile(rules)
        };
        compile_alone(&profile).is_ok().then_some(profile)
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let mode = prop_oneof![
        6 => Just(ProfileMode::Enforce),
        1 => Just(ProfileMode::Audit),
        1 => Just(ProfileMode::Learn),
    ];
    let privileges = prop::collection::vec(any::<bool>(), Privilege::NAMES.len());
    let leads = prop::bool::weighted(0.2);
    let rules = prop::collection::vec((sketch(), leads), 1..5);
    let networks = prop::collection::vec(net(), 0..4);
    (mode, any::<bool>(), privileges, rules, networks).prop_map(
        |(mode, metadata, privileges, mut rules, networks)| {
            rules.retain(|(sketch, _)| rule(sketch).is_some());
            Draft {
                mode,
                metadata,
                privileges,
                rules,
                networks,
            }
        },
    )
}

/// A few rights out of these.
fn some(of: Access, random: &mut Random) -> Access {
    let rights: Vec<Access> = (0..16).map(|bit| Access(1 << bit)).collect();
    let rights: Vec<Access> = rights.into_iter().filter(|&it| of.contains(it)).collect();
    let count = 1 + random.below(2);
    (0..count).fold(Access::NONE, |all, _| {
        all | rights[random.below(rights.len())]
    })
}

/// A question of one of the kinds, with the kind and which of the drafts grant it.
fn ask<'a>(
    at: usize,
    drafts: &[&Draft],
    [path, new]: &'a [Vec<u8>; 2],
    nets: &[&Net],
    random: &mut Random,
) -> (&'static str, Question<'a>, Vec<bool>) {
    let owner = [Owner::Task, Owner::Other][random.below(2)];
    match at % 6 {
        0..3 => {
            let access = some(Access::ON_PATHS, random);
            let grants = |draft: &&Draft| draft.grants_of_path(access, path, owner);
            let name = Cow::from(&path[..]);
            let question = Question::Rights {
                access,
                name,
                owner,
            };
            ("path", question, drafts.iter().map(grants).collect())
        }
        3 => {
            let thing = thing(nets, random);
            let access = match thing.at {
                Some(_) => some(Access::CONNECT | Access::BIND, random),
                None => Access::CREATE,
            };
            let grants = |draft: &&Draft| draft.grants_of_network(access, thing);
            let name = Cow::from(thing.name());
            let question = Question::Rights {
                access,
                name,
                owner,
            };
            ("network", question, drafts.iter().map(grants).collect())
        }
        4 => {
            let how = [Move::Rename, Move::Link][random.below(2)];
            let paths = [&path[..], [&new[..], &path[..]][random.below(2)]];
            let grants = |draft: &&Draft| draft.lets_move(how, paths, owner);
            let paths = paths.map(Cow::from);
            let question = Question::Move { how, paths, owner };
            ("move", question, drafts.iter().map(grants).collect())
        }
        _ => {
            let at = random.below(Privilege::NAMES.len());
            let grants = |draft: &&Draft| draft.privileges[at];
            let question = Question::Privilege(Privilege::NAMES[at].0);
            ("privilege", question, drafts.iter().map(grants).collect())
        }
    }
}

#[test]
fn who_can_agrees_with_every_profile_by_itself() {
    // By kind of question and verdict: how often.
    let counts: RefCell<BTreeMap<(&str, u8), u64>> = RefCell::default();
    let strategy = (prop::collection::vec(draft(), 2..5), any::<u64>());
    let result = runner(SETS).run(&strategy, |(drafts, seed)| {
        let (drafts, profiles): (Vec<&Draft>, Vec<Profile>) = drafts
            .iter()
            .enumerate()
            .filter_map(|(at, draft)| Some((draft, draft.profile(format!("p{at}"))?)))
            .unzip();
        let sketches = drafts.iter().flat_map(|draft| &draft.rules);
        let globs: Vec<_> = sketches.map(|(sketch, _)| &sketch.glob[..]).collect();
        let nets: Vec<_> = drafts.iter().flat_map(|draft| &draft.networks).collect();
        prop_assume!(!globs.is_empty());
        let mut random = Random(seed);
        for at in 0..QUESTIONS {
            let named = [(); 2].map(|()| paths::near(&globs, &mut random));
            let (kind, question, granted) = ask(at, &drafts, &named, &nets, &mut random);
            let verdicts: Vec<Verdict> = drafts
                .iter()
                .zip(granted)
                .map(|(draft, granted)| draft.verdict(granted))
                .collect();
            for &verdict in &verdicts {
                *counts
                    .borrow_mut()
                    .entry((kind, verdict as u8))
                    .or_default() += 1;
            }
            let want: Vec<(&str, Verdict)> = profiles
                .iter()
                .zip(verdicts)
                .filter(|&(_, verdict)| verdict != Verdict::Deny)
                .map(|(profile, verdict)| (&profile.name[..], verdict))
                .collect();
            let able = who_can(&profiles, &question).unwrap();
            let got: Vec<(&str, Verdict)> = able
                .iter()
                .map(|(profile, answer)| (&profile.name[..], answer.verdict()))
                .collect();
            prop_assert_eq!(got, want, "{:?}", question);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    // Of each kind, so that neither a yes nor a no to everything gets through.
    let counts = counts.into_inner();
    println!("{counts:?}");
    for kind in ["path", "network", "move", "privilege"] {
        for verdict in [
            Verdict::Allow,
            Verdict::Deny,
            Verdict::Audit,
            Verdict::Learn,
        ] {
            let count = counts.get(&(kind, verdict as u8)).copied().unwrap_or(0);
            assert!(count >= 2, "{kind}, {verdict:?}: {count}");
        }
    }
}
