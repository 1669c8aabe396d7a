//! From the kernel's records and counts to detections.
//!
//! The kernel sends an event for the first violation of its kind and counts every
//! one exactly. So an event makes a detection, and from then on its count follows
//! the kernel's. A count without an event is one whose event the ring buffer had
//! no room for: it makes a detection without a path, once it is sure that the
//! event is not merely on its way.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    mem,
};

use enforcer_abi::{
    Event, EventKind, Reason, Response, Verdict, ViolationCount, ViolationKey, limits::VIOLATIONS,
};

use super::{
    aside::Aside,
    builds::Builds,
    clock::Clock,
    loaded::Registry,
    processes::{self, Processes},
};
use crate::{
    detection::{
        Detection, DetectionId, Finding, Who,
        finding::{FindingKey, PERMITTED, violation_key},
    },
    history::Use,
    kernel::Record,
    profile::object_text,
    store::{CountUpdate, Recorded},
};

/// How long a violation has to have been quiet before the kernel's count of it is
/// given up, in nanoseconds.
const QUIET_NS: u64 = 60_000_000_000;
/// Detections for which processes were contained that are known at once. Whom older ones
/// contained can no longer be released.
const CONTAINING: usize = 1 << 16;

/// Makes detections.
#[derive(Debug)]
pub struct Detector {
    processes: Processes,
    known: HashMap<ViolationKey, Known>,
    builds: Aside<Builds>,
    /// What was used, since it was last asked for.
    uses: Vec<Use>,
    /// The violations for which processes were contained, by what they count as: see
    /// [`ViolationKey::number`].
    contained: BTreeMap<DetectionId, BTreeSet<u64>>,
    /// Counts that had no event at the last [`Detector::fold`].
    unexplained: HashSet<ViolationKey>,
}

/// A violation that a detection stands for.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// `None`: it could not be stored. It was told nevertheless.
    id: Option<DetectionId>,
    /// How much of its count the store has.
    stored: u64,
    /// Whether the kernel counts it. It has room for [`VIOLATIONS`], and sends an
    /// event for each violation beyond.
    counted: bool,
    /// Whether its event was lost, so that the detection has no path. The kernel
    /// sends another event at the next violation.
    lost: bool,
}

/// What a process runs.
#[derive(Clone, Debug)]
struct Ran {
    program: Vec<u8>,
    build: Option<String>,
}

/// Findings with the keys under which the kernel counts them.
pub type Findings = Vec<(ViolationKey, Finding)>;

impl Detector {
    /// Nothing is known yet.
    pub fn new(processes: Processes) -> Self {
        Self {
            processes,
            known: HashMap::new(),
            builds: Aside::new(Builds::new()),
            uses: Vec::new(),
            contained: BTreeMap::new(),
            unexplained: HashSet::new(),
        }
    }

    /// Takes in records, and returns what they found. Tell
    /// [`Detector::recorded`] what became of it.
    pub fn take(&mut self, records: &[Record], registry: &Registry, clock: Clock) -> Findings {
        let mut findings = Findings::new();
        // One process often violates many times in a row. Looking it up costs far
        // more than the rest.
        let mut seen: HashMap<(u32, u64), Who> = HashMap::new();
        let mut programs: HashMap<(u32, u64), Ran> = HashMap::new();
        for Record { event, path } in records {
            match event.kind {
                EventKind::Executed | EventKind::Running => {
                    self.processes.executed(event, path);
                    seen.retain(|&(pid, _), _| pid != event.tgid);
                    programs.retain(|&(pid, _), _| pid != event.tgid);
                }
                EventKind::Used => self.use_of(event, path, &mut programs, registry, clock),
                EventKind::Violation => {
                    if event.verdict == Verdict::Learn && event.reason == Reason::NotGranted {
                        self.use_of(event, path, &mut programs, registry, clock);
                    }
                    let key = violation_key(event);
                    if self
                        .known
                        .get(&key)
                        .is_some_and(|known| known.counted && !known.lost)
                    {
                        // A second CPU was first, too. The count has it.
                        continue;
                    }
                    let known = seen
                        .entry((event.tgid, event.lineage))
                        .or_insert_with(|| self.processes.who(event));
                    let who = processes::of_thread(known, event);
                    findings.push((key, finding(event, path, who, registry, clock)));
                }
            }
        }
        findings
    }

    /// Takes in that an object was used.
    fn use_of(
        &mut self,
        event: &Event,
        path: &[u8],
        programs: &mut HashMap<(u32, u64), Ran>,
        registry: &Registry,
        clock: Clock,
    ) {
        if path.is_empty() {
            return;
        }
        let at = clock.time(event.time_ns);
        let ran = programs
            .entry((event.tgid, event.lineage))
            .or_insert_with(|| {
                let program = self.processes.program(event).unwrap_or_default();
                let build = self.builds.of(program.clone());
                Ran { program, build }
            })
            .clone();
        self.uses.push(Use {
            profile: profile_name(registry, event.slot),
            build: ran.build,
            program: ran.program,
            lineage: event.lineage,
            path: path.to_vec(),
            operations: [event.operation].into(),
            access: event.requested,
            is_granted: event.missing.is_empty(),
            first: at,
            last: at,
            told: 1,
        });
    }

    /// Returns what was used in the records since the last call.
    pub fn uses(&mut self) -> Vec<Use> {
        mem::take(&mut self.uses)
    }

    /// Takes in which detections the findings are.
    pub fn recorded(&mut self, findings: &Findings, recorded: &[Recorded]) {
        for ((key, finding), Recorded { id, .. }) in findings.iter().zip(recorded) {
            self.unexplained.remove(key);
            if key.response == Response::Contained {
                self.contained.entry(*id).or_default().insert(key.number());
            }
            let known = self.known.entry(*key).or_insert(Known {
                id: None,
                stored: 0,
                counted: false,
                lost: false,
            });
            known.id = Some(*id);
            known.stored = known.stored.saturating_add(finding.count);
            known.lost = finding.who.pid == 0;
        }
        while self.contained.len() > CONTAINING {
            self.contained.pop_first();
        }
        self.forget_uncounted();
    }

    /// Takes in that the findings could not be stored, and returns those to tell of: the
    /// others were told of already.
    pub fn unrecorded(&mut self, findings: &Findings) -> Vec<Detection> {
        let mut news = Vec::new();
        for (key, finding) in findings {
            self.unexplained.remove(key);
            let before = self.known.get(key);
            let lost = finding.who.pid == 0;
            if before.is_none_or(|known| known.id.is_some() || (known.lost && !lost)) {
                news.push(Detection::new(DetectionId::UNSTORED, finding));
            }
            let counted = before.is_some_and(|known| known.counted);
            let unstored = Known {
                id: None,
                stored: 0,
                counted,
                lost,
            };
            self.known.insert(*key, unstored);
        }
        self.forget_uncounted();
        news
    }

    /// Forgets what could not be stored, and returns the violations that the kernel is to tell
    /// of anew, should they come again.
    pub fn unstored(&mut self) -> Vec<ViolationKey> {
        self.known
            .extract_if(|_, known| known.id.is_none())
            .map(|(key, _)| key)
            .collect()
    }

    fn forget_uncounted(&mut self) {
        if self.known.len() > 2 * VIOLATIONS {
            // The kernel counts no more than that; the others need no memory.
            self.known.retain(|_, known| known.counted);
        }
    }

    /// Returns the violations of a detection for which processes were contained:
    /// [`ViolationKey::number`].
    pub fn containing(&self, id: DetectionId) -> impl Iterator<Item = u64> {
        self.contained.get(&id).into_iter().flatten().copied()
    }

    /// Returns the violations that the kernel need not count any longer, once its
    /// map is half full: those that the store has and that were quiet up to
    /// `now_ns`, nanoseconds of `CLOCK_BOOTTIME`. Should one come again, the
    /// kernel tells of it anew.
    pub fn quiet(
        &self,
        violations: &[(ViolationKey, ViolationCount)],
        now_ns: u64,
    ) -> Vec<ViolationKey> {
        if violations.len() <= VIOLATIONS / 2 {
            return Vec::new();
        }
        let quiet = violations.iter().filter(|(key, count)| {
            count.last_ns.saturating_add(QUIET_NS) < now_ns && self.known.contains_key(key)
        });
        quiet.map(|(key, _)| *key).collect()
    }

    /// Forgets a violation that the kernel counts no longer.
    pub fn forget(&mut self, key: &ViolationKey) {
        self.known.remove(key);
    }

    /// Forgets detections that are gone, and returns the violations that the kernel is to tell
    /// of anew, should they come again.
    pub fn pruned(&mut self, gone: &[DetectionId]) -> Vec<ViolationKey> {
        let gone: HashSet<_> = gone.iter().copied().collect();
        self.contained.retain(|id, _| !gone.contains(id));
        self.known
            .extract_if(|_, known| known.id.is_some_and(|id| gone.contains(&id)))
            .map(|(key, _)| key)
            .collect()
    }

    /// Whether the next [`Detector::fold`] may tell more from the same counts.
    pub fn is_unsettled(&self) -> bool {
        !self.unexplained.is_empty()
    }

    /// Takes in the kernel's counts, after all records that were there before.
    /// Returns what the store has to add, and the violations whose events were
    /// lost. Tell [`Detector::counted`] once the store has it.
    pub fn fold(
        &mut self,
        violations: &[(ViolationKey, ViolationCount)],
        registry: &Registry,
        clock: Clock,
    ) -> (Vec<CountUpdate>, Findings) {
        let mut updates = Vec::new();
        let mut lost = Findings::new();
        let mut silent = HashSet::new();
        for (key, count) in violations {
            if let Some(known) = self.known.get_mut(key) {
                known.counted = true;
                let more = count.count.saturating_sub(known.stored);
                if let Some(id) = known.id
                    && more > 0
                {
                    let latest = clock.time(count.last_ns);
                    updates.push(CountUpdate {
                        id,
                        more,
                        last: latest,
                        response: key.response,
                    });
                }
            } else if self.unexplained.contains(key) {
                lost.push((*key, lost_finding(key, count, registry, clock)));
            } else {
                silent.insert(*key);
            }
        }
        self.unexplained = silent;
        (updates, lost)
    }

    /// Takes in that the store has the counts of the last [`Detector::fold`].
    pub fn counted(&mut self, violations: &[(ViolationKey, ViolationCount)]) {
        for (key, count) in violations {
            if let Some(known) = self.known.get_mut(key) {
                known.stored = known.stored.max(count.count);
            }
        }
    }
}

/// Returns what an event found.
fn finding(event: &Event, path: &[u8], who: Who, registry: &Registry, clock: Clock) -> Finding {
    let at = clock.time(event.time_ns);
    let text = object_text(path);
    let mut key = FindingKey::of_event(event, &text, &profile_name(registry, event.slot));
    let mut rule = registry.telling_rule(event, path);
    if let Some(permitted) = registry.permitted(event, path) {
        key.reason = PERMITTED;
        key.missing = permitted.missing;
        rule = permitted.rule;
    }
    Finding {
        key,
        requested: event.requested,
        response: event.response,
        rule,
        who,
        first: at,
        last: at,
        count: 1,
    }
}

/// Returns what is known of a violation whose event was lost.
fn lost_finding(
    key: &ViolationKey,
    count: &ViolationCount,
    registry: &Registry,
    clock: Clock,
) -> Finding {
    Finding {
        key: FindingKey::of_lost(key, &profile_name(registry, key.slot)),
        requested: key.requested,
        response: key.response,
        rule: None,
        who: Who::default(),
        first: clock.time(count.first_ns),
        last: clock.time(count.last_ns),
        count: count.count,
    }
}

/// Returns the name of the instance in a slot.
fn profile_name(registry: &Registry, slot: enforcer_abi::Slot) -> String {
    match registry.in_slot(slot) {
        Some((name, _)) => name.to_owned(),
        None => format!("slot {}", slot.0),
    }
}

#[cfg(test)]
mod tests;
