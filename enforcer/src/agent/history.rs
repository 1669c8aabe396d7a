//! The history in the running agent: kept, pruned, and asked for anew.

use std::time::{Duration, Instant};

use super::{Agent, answers::fitting, log};
use crate::{
    protocol::{Failure, views::HistoryPage},
    store::KEPT,
};

/// How often the kernel tells of everything anew at most, so that it can be seen what is
/// still in use.
const ANEW: Duration = Duration::from_hours(24);
/// And how often at least, in the time after which what is not used may go.
const WITHIN_UNUSED: u32 = 4;
/// Objects of a page at most; the length of a line may allow fewer.
const PAGE: u32 = 2000;

impl Agent {
    /// Keeps what was used.
    pub(super) fn keep_uses(&mut self) {
        let uses = self.detector.uses();
        if !uses.is_empty()
            && let Err(error) = self.store.add_uses(&uses)
        {
            log::problem("what was used is not kept", &error);
        }
    }

    /// Forgets what is too much.
    pub(super) fn prune_history(&mut self) {
        for (name, _) in self.registry.iter() {
            if let Err(error) = self.store.forget_old_uses(name, KEPT) {
                log::problem("what was used long ago is kept", &error);
            }
        }
    }

    /// Has the kernel tell anew of what is used, if that is due.
    pub(super) fn renew_history(&mut self) {
        let unused = self.options.unused_after;
        let every = if unused.is_zero() {
            ANEW
        } else {
            (unused / WITHIN_UNUSED).min(ANEW)
        };
        if self.forgot.elapsed() >= every {
            self.forgot = Instant::now();
            if let Err(error) = self.kernel.forget_uses() {
                log::problem("what is used still is not told anew", &error);
            }
        }
    }

    /// Returns a page of the history.
    pub(super) fn history(
        &self,
        after: i64,
        profile: Option<&str>,
    ) -> Result<HistoryPage, Failure> {
        let found = self.store.uses(after, profile, PAGE)?;
        let (found, more) = fitting(found, PAGE)?;
        let last = found.last().map_or(after, |&(at, _)| at);
        let uses = found.into_iter().map(|(_, one)| one).collect();
        Ok(HistoryPage { uses, last, more })
    }
}
