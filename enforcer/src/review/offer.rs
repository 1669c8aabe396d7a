//! Which decisions there are of an item, and why there is none that loosens.

use std::{fmt, str::FromStr};

use enforcer_abi::{Access, Privilege, Reason};

use super::{Addition, Draft, Item};
use crate::{
    detection::{Detection, State, TighteningId, base_name, finding::leaves_profile},
    learn::{
        Admitted, Evidence, Existing, Observation, admitted, may_be_offered,
        recorded::{Found, observation},
    },
    profile::{Escaped, NetworkObject, Rule, literal},
};

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// What was refused.
    Exact,
    /// The same of all that lies in its folder.
    Folder,
    /// The same of all that is like it.
    Pattern,
}

/// Something that can be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How much that is.
    pub choice: Choice,
    /// The rule.
    pub addition: Addition,
    /// The evidence that it may be about more than what was refused.
    pub why: Option<String>,
    /// What exists that it admits beyond what was seen; `None` where that says nothing.
    pub admitted: Option<Admitted>,
}

/// How things stand with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The profile grants it by now, or will with what was accepted.
    Granted,
    /// It can be allowed: exactly, or more. All of these grant it.
    Offers(Vec<Offer>),
    /// It cannot.
    Blocked(Obstacle),
}

/// Why something cannot be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Rules deny it, and a deny wins: where they stand, with their reasons.
    Denied(Vec<String>),
    /// Tightenings took it away.
    Tightened(Vec<TighteningId>),
    /// It is granted, and the process is contained.
    Contained,
    /// The object would have more rights under its new name.
    RightsGrow,
    /// It was not refused for want of a right.
    Unjudged {
        /// For this.
        reason: String,
    },
    /// The kernel could not name the object.
    Nameless,
    /// No rule that is added grants it.
    Useless {
        /// What is wrong with the profile then, if that is it.
        error: Option<String>,
    },
}

impl Choice {
    /// All, the least first.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Folder, Self::Pattern];

    /// The name, as the command line spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Folder => "folder",
            Self::Pattern => "pattern",
        }
    }
}

/// Text that names no choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what can be allowed is `exact`, `folder` or `pattern`")]
pub struct NoChoice;

impl FromStr for Choice {
    type Err = NoChoice;

    fn from_str(text: &str) -> Result<Self, NoChoice> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.name() == text).ok_or(NoChoice)
    }
}

/// What the program of an item was seen to do under its profile, which tells what its accesses
/// have in common. What is settled, or known to be an attack, does not. `find` says what there
/// is at a path.
pub fn seen(
    item: &Item,
    all: &[Detection],
    find: &dyn Fn(&[u8]) -> Option<Found>,
) -> Vec<Observation> {
    let is_like = |one: &&Detection| {
        let program = one.who.exe.as_deref();
        program.is_some_and(|program| item.origin() == Some((base_name(&one.profile), program)))
            && one.state == State::Open
    };
    let others = all.iter().filter(is_like);
    let seen = item.detections().chain(others);
    seen.filter_map(|one| observation(one, None, find))
        .collect()
}

/// Says what can be decided of an item, besides that it stays refused. `evidence` is of what
/// was [`seen`] of its program.
pub fn standing(
    item: &Item,
    draft: &Draft,
    evidence: &Evidence,
    existing: &dyn Existing,
) -> Standing {
    let detection = item.first();
    let blocked = Standing::Blocked;
    if detection.reason == Reason::Contained.name() {
        return blocked(Obstacle::Contained);
    }
    if detection.reason == Reason::RightsGrow.name() {
        return blocked(Obstacle::RightsGrow);
    }
    if !leaves_profile(&detection.reason) {
        return blocked(Obstacle::Unjudged {
            reason: detection.reason.clone(),
        });
    }
    if detection.privilege.is_none() && detection.path.is_empty() {
        return blocked(Obstacle::Nameless);
    }
    if draft.policy().grants(detection) {
        return Standing::Granted;
    }
    if detection.privilege.is_none() {
        let explanation = draft.policy().explained(detection);
        if !explanation.denying.is_empty() {
            let places = explanation.denying.into_iter().map(place);
            return blocked(Obstacle::Denied(places.collect()));
        }
        let tightened = draft.tightened(detection);
        if !tightened.is_empty() {
            return blocked(Obstacle::Tightened(tightened));
        }
    }
    let mut offers = Vec::new();
    let mut error = None;
    for (mut offer, pattern) in candidates(detection, evidence) {
        match draft.with(&offer.addition, "") {
            Ok(policy) if policy.grants(detection) => {
                let pattern = pattern.filter(|_| offer.choice != Choice::Exact);
                offer.admitted = pattern.and_then(|it| admitted(&it, evidence.paths(), existing));
                offers.push(offer);
            }
            Ok(_) => {}
            Err(fault) => error = error.or(Some(fault.to_string())),
        }
    }
    if offers.is_empty() {
        return blocked(Obstacle::Useless { error });
    }
    Standing::Offers(offers)
}

/// What might be allowed of a detection, the least first, each with the pattern of its paths.
fn candidates(detection: &Detection, evidence: &Evidence) -> Vec<(Offer, Option<String>)> {
    let offer = |choice, addition, why| Offer {
        choice,
        addition,
        why,
        admitted: None,
    };
    let access = detection.missing;
    if let Some(name) = &detection.privilege {
        let known = Privilege::from_name(name).map(|_| Addition::privilege(name));
        let offers = known.map(|addition| (offer(Choice::Exact, addition, None), None));
        return offers.into_iter().collect();
    }
    let path = &detection.path;
    if !path.starts_with(b"/") {
        let text = str::from_utf8(path).ok();
        let object: Option<NetworkObject> = text.and_then(|text| text.parse().ok());
        let Some(object) = object else {
            return Vec::new();
        };
        let exact = Addition::on_network(object, access & Access::ON_NETWORKS);
        let wider = evidence.on_network(object).map(|it| {
            let addition = Addition::of_networks(&it.pattern);
            offer(Choice::Pattern, addition, Some(it.why.clone()))
        });
        let offers = std::iter::once(offer(Choice::Exact, exact, None)).chain(wider);
        return offers.map(|offer| (offer, None)).collect();
    }
    let on_paths = |choice, pattern: String, why| {
        let addition = Addition::on_paths(&pattern, access);
        (offer(choice, addition, why), Some(pattern))
    };
    let mut offers = vec![on_paths(Choice::Exact, literal(path), None)];
    let end = path.iter().rposition(|&byte| byte == b'/');
    let folder = literal(end.and_then(|end| path.get(..end)).unwrap_or_default());
    if may_be_offered(&folder) {
        offers.push(on_paths(Choice::Folder, format!("{folder}/*"), None));
    }
    offers.extend(
        evidence
            .on_path(path)
            .map(|it| on_paths(Choice::Pattern, it.pattern.clone(), Some(it.why.clone()))),
    );
    offers
}

/// Where a rule stands, with its author's reason.
fn place(rule: &Rule) -> String {
    let reason = rule.reason.as_ref().map_or_else(String::new, |reason| {
        format!(" ({})", Escaped(reason.as_bytes()))
    });
    format!("{}{reason}", rule.origin)
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(places) => write!(
                f,
                "a rule denies it, which no other rule lifts: {}",
                places.join(", ")
            ),
            Self::Tightened(ids) => {
                let ids: Vec<String> = ids.iter().map(TighteningId::to_string).collect();
                let first = ids.first().map_or("", String::as_str);
                write!(
                    f,
                    "the tightening {} took it away; `enforcer tighten revert {first}` gives it back",
                    ids.join(", ")
                )
            }
            Self::Contained => f.write_str(
                "the profile grants it, and the process is contained; `enforcer release` lets it go on",
            ),
            Self::RightsGrow => f.write_str(
                "what is moved would have more rights under its new name, and no rule lets that be; a copy is judged by itself",
            ),
            Self::Unjudged { reason } => write!(
                f,
                "it could not be judged by the profile ({reason}), so no rule can allow it"
            ),
            Self::Nameless => f.write_str("the kernel could not name the object, so no rule is about it"),
            Self::Useless { error: Some(error) } => {
                write!(f, "with a rule that allows it there is no such profile: {error}")
            }
            Self::Useless { error: None } => f.write_str("no rule that is added grants it"),
        }
    }
}
