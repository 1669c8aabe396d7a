//! From the kernel's records and counts to the store, the followers and the
//! answer that a profile asks for.

use std::sync::Arc;

use enforcer_abi::{Counter, Response};

use super::{
    Agent,
    clock::{self, Clock},
    detect::Findings,
    error::FoldError,
    log,
    tightening::Usages,
};
use crate::{
    detection::Detection,
    kernel::{ReadError, Record},
    store::Recorded,
};

/// Records that are taken in at one go, in one transaction.
const BATCH: usize = 1024;
/// Batches that are taken in before a request is answered: more than the ring
/// buffer holds.
const DRAIN: usize = 16;

impl Agent {
    /// Takes in a record, and those that have come meanwhile.
    pub(super) fn take(&mut self, first: Result<Record, ReadError>) {
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(record) = next {
            match record {
                Ok(record) => batch.push(record),
                Err(error) => log::problem("an event is lost", &error),
            }
            next = (batch.len() < BATCH)
                .then(|| self.events.try_next())
                .flatten();
        }
        self.end_enrolments(&batch);
        let findings = self.detector.take(&batch, &self.registry, Clock::now());
        self.record(&findings);
        self.keep_uses();
    }

    /// Takes in the records there are. Who makes them faster than they are read
    /// does not keep the agent from everything else.
    fn drain(&mut self) {
        for _ in 0..DRAIN {
            match self.events.try_next() {
                Some(record) => self.take(record),
                None => break,
            }
        }
    }

    /// Brings detections and their counts up to date.
    pub(super) fn catch_up(&mut self) {
        self.drain();
        if let Err(error) = self.fold() {
            log::problem("counts are not up to date", &error);
        }
    }

    /// Takes in the records there are, and brings counts up to date, if something was
    /// refused since the last time.
    pub(super) fn fold_if_new(&mut self) {
        let refusals = self.kernel.counters().map(|counters| {
            let count = |counter: Counter| counters.get(counter as usize).copied().unwrap_or(0);
            [Counter::Denied, Counter::Audited, Counter::Learned]
                .map(count)
                .into_iter()
                .fold(0, u64::wrapping_add)
        });
        match refusals {
            // Programs that were started do not wake the agent.
            Ok(refusals) if refusals == self.refusals && !self.unsettled => self.drain(),
            Ok(refusals) => {
                self.refusals = refusals;
                self.catch_up();
            }
            Err(error) => log::problem("counts are not up to date", &error),
        }
    }

    fn fold(&mut self) -> Result<(), FoldError> {
        let violations = self.kernel.violations()?;
        let (updates, lost) = self
            .detector
            .fold(&violations, &self.registry, Clock::now());
        self.unsettled = self.detector.is_unsettled();
        let stored = if updates.is_empty() {
            Ok(())
        } else {
            self.store.add_counts(&updates)
        };
        if stored.is_ok() {
            self.detector.counted(&violations);
        }
        self.record(&lost);
        stored?;
        for key in self.detector.quiet(&violations, clock::boot_time_ns()) {
            self.kernel.forget_violation(&key)?;
            self.detector.forget(&key);
        }
        Ok(())
    }

    /// Stores findings, tells of those that are new, and answers them. What cannot be stored
    /// is told nevertheless.
    fn record(&mut self, findings: &Findings) {
        if findings.is_empty() {
            return;
        }
        let batch: Vec<_> = findings
            .iter()
            .map(|(_, finding)| finding.clone())
            .collect();
        let recorded = match self.store.record(&batch) {
            Ok(recorded) => recorded,
            Err(error) => {
                log::problem("what was refused is told, and not stored", &error);
                return self.tell_unstored(findings);
            }
        };
        self.detector.recorded(findings, &recorded);
        let mut usages = Usages::new();
        for (finding, recorded) in batch.iter().zip(recorded) {
            let Recorded {
                id,
                is_new,
                is_folded,
            } = recorded;
            let detection = Detection::new(id, finding);
            if finding.response == Response::Contained {
                log::contained(&detection);
            }
            if is_new && is_folded {
                self.announce(Detection::new(id, &finding.folded()), &mut usages);
            } else if is_new {
                self.announce(detection, &mut usages);
            }
        }
        self.prune_detections();
    }

    /// Tells of findings that could not be stored. Nothing answers them: a tightening names the
    /// detection that it is for.
    fn tell_unstored(&mut self, findings: &Findings) {
        for detection in self.detector.unrecorded(findings) {
            if detection.response == Response::Contained.name() {
                log::contained(&detection);
            }
            log::detection(&detection);
            let _receivers = self.followers.send(Arc::new(detection));
        }
    }

    /// Has the kernel tell anew of what could not be stored, should it come again: there may
    /// be room by now.
    pub(super) fn retry_unstored(&mut self) {
        for key in self.detector.unstored() {
            if let Err(error) = self.kernel.forget_violation(&key) {
                log::problem("what was not stored is not told anew", &error);
            }
        }
    }

    /// Takes away the first of the detections that are too many.
    pub(super) fn prune_detections(&mut self) {
        let pruned = match self.store.prune_detections() {
            Ok(pruned) if pruned.is_empty() => return,
            Ok(pruned) => pruned,
            Err(error) => return log::problem("too many detections are kept", &error),
        };
        log::pruned(&pruned);
        for key in self.detector.pruned(&pruned) {
            if let Err(error) = self.kernel.forget_violation(&key) {
                log::problem("what was pruned is not told anew", &error);
            }
        }
    }

    fn announce(&mut self, mut detection: Detection, usages: &mut Usages) {
        log::detection(&detection);
        match self.answer(&detection, usages) {
            // Those who follow learn of the tightening, too.
            Ok(tightenings) => detection.tightenings = tightenings,
            Err(error) => log::problem(&format!("{} is not answered", detection.id), &error),
        }
        let _receivers = self.followers.send(Arc::new(detection));
    }
}
