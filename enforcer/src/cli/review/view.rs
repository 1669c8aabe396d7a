//! What there is to decide, for programs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    desk::{Desk, Position},
    text,
};
use crate::{
    detection::{Detection, DetectionId},
    learn::Admitted,
    protocol::views::{Plan, RuleView},
    review::{Item, Offer, Standing},
    text::lossy,
};

/// All that is open.
#[derive(Debug, Serialize)]
pub(super) struct View {
    items: Vec<ItemView>,
    proposals: Vec<Plan>,
    /// How many items are left out: what was only learned under profiles that are gone.
    left_out: usize,
}

/// The same access by the same program.
#[derive(Debug, Serialize)]
struct ItemView {
    /// The oldest detection, which names the item.
    id: DetectionId,
    detections: Vec<DetectionId>,
    profile: String,
    /// The profile's file, if it is loaded.
    file: Option<String>,
    sentence: String,
    count: u64,
    last_seen: String,
    verdicts: Vec<String>,
    responses: Vec<String>,
    /// The oldest detection in full.
    detection: Detection,
    /// What else was refused to the same processes.
    others: Vec<DetectionId>,
    /// `attack`, or nothing.
    suggestion: Option<&'static str>,
    /// Whether the profile grants it by now.
    granted: bool,
    /// Why it cannot be allowed, if it cannot.
    obstacle: Option<String>,
    nearest: Vec<RuleView>,
    choices: Vec<ChoiceView>,
}

/// Something that can be allowed.
#[derive(Debug, Serialize)]
struct ChoiceView {
    choice: &'static str,
    /// The key of the list that the rule is added to.
    key: &'static str,
    rule: String,
    why: Option<String>,
    admits: Option<AdmitsView>,
}

/// What exists that a rule admits beyond what was seen.
#[derive(Debug, Serialize)]
struct AdmitsView {
    count: usize,
    /// Whether all that is there was looked at.
    is_all: bool,
    examples: Vec<String>,
}

impl View {
    /// Whether there is nothing to decide.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.proposals.is_empty()
    }
}

/// Returns what is open.
pub(super) fn of(desk: &mut Desk<'_>) -> View {
    let items = desk.items().to_vec();
    let items = items.iter().map(|item| {
        let position = desk.position(item);
        let file = desk.file(item.profile());
        let file = file.map(|file| file.display().to_string());
        item_view(item, position, file)
    });
    View {
        items: items.collect(),
        proposals: desk.proposals().to_vec(),
        left_out: desk.left_out(),
    }
}

fn item_view(item: &Item, position: Position, file: Option<String>) -> ItemView {
    let Position {
        standing,
        others,
        nearest,
    } = position;
    let (granted, obstacle, offers) = match standing {
        Ok(Standing::Granted) => (true, None, Vec::new()),
        Ok(Standing::Offers(offers)) => (false, None, offers),
        Ok(Standing::Blocked(obstacle)) => (false, Some(obstacle.to_string()), Vec::new()),
        Err(error) => (false, Some(error), Vec::new()),
    };
    let owned =
        |names: BTreeSet<&str>| -> Vec<String> { names.into_iter().map(str::to_owned).collect() };
    ItemView {
        id: item.first().id,
        detections: item.ids().collect(),
        profile: item.profile().to_owned(),
        file,
        sentence: item.first().sentence(),
        count: item.count(),
        last_seen: item.last_seen().to_string(),
        verdicts: owned(item.verdicts()),
        responses: owned(item.responses()),
        detection: item.first().clone(),
        suggestion: text::suspicion(&others).map(|_| "attack"),
        others: others.into_iter().collect(),
        granted,
        obstacle,
        nearest,
        choices: offers.iter().map(choice_view).collect(),
    }
}

fn choice_view(offer: &Offer) -> ChoiceView {
    ChoiceView {
        choice: offer.choice.name(),
        key: offer.addition.key(),
        rule: offer.addition.rule(),
        why: offer.why.clone(),
        admits: offer.admitted.as_ref().map(
            |Admitted {
                 count,
                 is_all,
                 examples,
             }| AdmitsView {
                count: *count,
                is_all: *is_all,
                examples: examples.iter().map(|path| lossy(path)).collect(),
            },
        ),
    }
}
