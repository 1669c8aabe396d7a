//! Decisions from the command line.

use std::{collections::BTreeMap, str::FromStr};

use serde::Serialize;

use super::{
    Outcome,
    agent::{Agent, Tighten},
    desk::Desk,
    text,
    write::{self, Undone},
};
use crate::{
    cli::output,
    detection::{DetectionId, IdError, State, TighteningId},
    protocol::TightenTarget,
    review::{Choice, Item, NoChoice, Offer, Standing},
};

/// What is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accept {
    /// To allow what a detection is about.
    Detection(DetectionId, Choice),
    /// To have a proposal take away.
    Tightening(TighteningId, Tighten),
}

/// Text that accepts nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAccept {
    /// It names nothing.
    #[error(transparent)]
    Id(#[from] IdError),
    /// It says no choice.
    #[error(transparent)]
    Choice(#[from] NoChoice),
    /// It says another thing of a tightening.
    #[error("what a tightening can have behind its name is `=trial`")]
    Trial,
}

impl FromStr for Accept {
    type Err = NoAccept;

    fn from_str(text: &str) -> Result<Self, NoAccept> {
        let (id, choice) = match text.split_once('=') {
            Some((id, choice)) => (id, Some(choice)),
            None => (text, None),
        };
        if let Ok(id) = id.parse() {
            return match choice {
                None => Ok(Self::Tightening(id, Tighten::Apply)),
                Some("trial") => Ok(Self::Tightening(id, Tighten::Try)),
                Some(_) => Err(NoAccept::Trial),
            };
        }
        let choice = choice.map_or(Ok(Choice::Exact), str::parse)?;
        Ok(Self::Detection(id.parse()?, choice))
    }
}

/// All that the command line decides.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    pub(super) accept: Vec<Accept>,
    pub(super) deny: Vec<TightenTarget>,
    pub(super) attack: Vec<DetectionId>,
    /// Why, for the comment at what is allowed.
    pub(super) reason: String,
    /// Whether it is only shown.
    pub(super) dry_run: bool,
}

/// What became of decisions.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// How profiles change, or would.
    pub(super) diff: String,
    /// What is done, or would be, by the names of what it is about.
    pub(super) done: BTreeMap<String, String>,
    /// What is not, and why.
    pub(super) failed: Vec<String>,
    /// What is to be known besides.
    pub(super) notes: Vec<String>,
}

impl Decisions {
    /// Whether nothing is decided.
    pub(super) fn is_empty(&self) -> bool {
        self.accept.is_empty() && self.deny.is_empty() && self.attack.is_empty()
    }

    /// Does what was decided, as far as that is possible.
    pub(super) fn carry_out(&self, desk: &mut Desk<'_>, agent: &mut dyn Agent) -> Report {
        let mut report = Report::default();
        let mut clerk = Clerk {
            desk,
            agent,
            report: &mut report,
            is_dry: self.dry_run,
        };
        for target in &self.deny {
            match *target {
                TightenTarget::Detection(id) => clerk.settle(id, State::Resolved, "kept denied"),
                TightenTarget::Tightening(id) => clerk.tighten(id, Tighten::Decline, "declined"),
            }
        }
        for &id in &self.attack {
            clerk.settle(id, State::Acknowledged, "an attack");
        }
        for accept in &self.accept {
            match *accept {
                Accept::Detection(id, choice) => clerk.allow(id, choice, &self.reason),
                Accept::Tightening(id, how) => {
                    let what = if how == Tighten::Try {
                        "on trial"
                    } else {
                        "applied"
                    };
                    clerk.tighten(id, how, what);
                }
            }
        }
        clerk.write();
        report
    }
}

/// Who carries decisions out.
struct Clerk<'a, 'b> {
    desk: &'a mut Desk<'b>,
    agent: &'a mut dyn Agent,
    report: &'a mut Report,
    is_dry: bool,
}

impl Clerk<'_, '_> {
    /// The item to which a detection belongs, if nothing was decided of it yet.
    fn item(&mut self, id: DetectionId) -> Option<Item> {
        let items = self.desk.items();
        let item = items.iter().find(|item| item.ids().any(|own| own == id));
        let failed = match (item, self.desk.detection(id)) {
            (Some(item), _) => match self.report.done.get(&item.first().id.to_string()) {
                None => return Some(item.clone()),
                Some(done) => format!("{id} is {done} by another decision"),
            },
            (None, Some(one)) => format!(
                "{id} is not open to be decided: its state is {}, its verdict {}, its profile {}",
                one.state.name(),
                one.verdict,
                one.profile
            ),
            (None, None) => format!("there is no detection {id}"),
        };
        self.report.failed.push(failed);
        None
    }

    /// Notes what became of an item.
    fn done(&mut self, item: &Item, what: &str) {
        let ids = item.ids().map(|id| (id.to_string(), what.to_owned()));
        self.report.done.extend(ids);
    }

    fn settle(&mut self, id: DetectionId, state: State, what: &str) {
        let Some(item) = self.item(id) else { return };
        let ids: Vec<DetectionId> = item.ids().collect();
        if !self.is_dry
            && let Err(error) = self.agent.settle(&ids, state)
        {
            return self.report.failed.push(format!("{id}: {error:#}"));
        }
        if state == State::Resolved {
            self.desk.settled(&item);
        }
        self.done(&item, what);
    }

    fn tighten(&mut self, id: TighteningId, how: Tighten, what: &str) {
        let mut proposals = self.desk.proposals().iter();
        if !proposals.any(|plan| plan.id == Some(id)) {
            let failed = format!(
                "there is no proposal {id}; `enforcer tighten log` tells what became of it"
            );
            return self.report.failed.push(failed);
        }
        if !self.is_dry
            && let Err(error) = self.agent.tighten(id, how)
        {
            return self.report.failed.push(format!("{id}: {error:#}"));
        }
        self.report.done.insert(id.to_string(), what.to_owned());
    }

    fn allow(&mut self, id: DetectionId, choice: Choice, reason: &str) {
        let Some(item) = self.item(id) else { return };
        let position = self.desk.position(&item);
        if let Some(suspicion) = text::suspicion(&position.others) {
            self.report.notes.push(format!("{id}: {suspicion}"));
        }
        let offers = match position.standing {
            Ok(Standing::Offers(offers)) => offers,
            Ok(Standing::Granted) => return self.take_as_granted(&item),
            Ok(Standing::Blocked(obstacle)) => {
                let failed = format!("{id} cannot be allowed: {obstacle}");
                return self.report.failed.push(failed);
            }
            Err(error) => {
                let failed = format!("{id} cannot be allowed: {error}");
                return self.report.failed.push(failed);
            }
        };
        let Some(offer) = offers.iter().find(|offer| offer.choice == choice) else {
            let there: Vec<&str> = offers.iter().map(|offer| offer.choice.name()).collect();
            let failed = format!(
                "{id} cannot be allowed by {}; there is {}",
                choice.name(),
                there.join(", ")
            );
            return self.report.failed.push(failed);
        };
        self.accept(&item, offer, reason);
    }

    fn accept(&mut self, item: &Item, offer: &Offer, reason: &str) {
        match self.desk.allow(item, offer, reason) {
            Ok(()) => self.done(item, "allowed"),
            Err(error) => {
                let id = item.first().id;
                self.report.failed.push(format!("{id}: {error:#}"));
            }
        }
    }

    /// What the profile grants by now needs no rule.
    fn take_as_granted(&mut self, item: &Item) {
        if self.desk.take_as_granted(item) {
            return self.done(item, "allowed");
        }
        self.settle(item.first().id, State::Resolved, "granted by now");
    }

    /// Writes the profiles.
    fn write(&mut self) {
        self.report.diff = write::diff(self.desk);
        self.report.notes.extend(write::warnings(self.desk));
        if self.is_dry {
            let note = "nothing was done, since it is a dry run";
            return self.report.notes.push(note.to_owned());
        }
        if self.report.diff.is_empty() {
            return;
        }
        for Undone { open, error } in write::carry_out(self.desk, self.agent) {
            for id in open {
                self.report.done.remove(&id.to_string());
            }
            self.report.failed.push(format!("{error:#}"));
        }
    }
}

impl Report {
    /// What came of it.
    pub(super) fn outcome(&self) -> Outcome {
        if self.failed.is_empty() {
            Outcome::Done
        } else {
            Outcome::InPart
        }
    }

    /// Shows it: the difference on stdout, everything else on stderr; or all of it as JSON.
    ///
    /// # Errors
    ///
    /// If stdout takes nothing.
    pub(super) fn show(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(self);
        }
        output::print(&self.diff)?;
        for (id, what) in &self.done {
            output::complain(&format!("{id}: {what}"));
        }
        for note in &self.notes {
            output::complain(&format!("note: {note}"));
        }
        for failed in &self.failed {
            output::complain(&format!("enforcer: {failed}"));
        }
        Ok(())
    }
}
