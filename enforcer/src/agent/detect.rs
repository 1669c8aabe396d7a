//! From the kernel's records and counts to detections.
//!
//! The kernel sends an event for the first violation of its kind and counts every
//! one exactly. So an event makes a detection, and from then on its count follows
//! the kernel's. A count without an event is one whose event the ring buffer had
//! no room for: it makes a detection without a path, once it is sure that the
//! event is not merely on its way.

use std::collections::{HashMap, HashSet};

use enforcer_abi::{Event, EventKind, ViolationCount, ViolationKey, limits::VIOLATIONS};

use super::{
    clock::Clock,
    loaded::Registry,
    processes::{self, Processes},
};
use crate::{
    detection::{
        DetectionId, Finding, Who,
        finding::{FindingKey, violation_key},
    },
    kernel::Record,
    store::{CountUpdate, Recorded},
};

/// How long a violation has to have been quiet before the kernel's count of it is
/// given up, in nanoseconds.
const QUIET_NS: u64 = 60_000_000_000;

/// Makes detections.
#[derive(Debug)]
pub struct Detector {
    processes: Processes,
    known: HashMap<ViolationKey, Known>,
    /// Counts that had no event at the last [`Detector::fold`].
    unexplained: HashSet<ViolationKey>,
}

/// A violation that a detection stands for.
#[derive(Clone, Copy, Debug)]
struct Known {
    id: DetectionId,
    /// How much of its count the store has.
    stored: u64,
    /// Whether the kernel counts it. It has room for [`VIOLATIONS`], and sends an
    /// event for each violation beyond.
    counted: bool,
    /// Whether its event was lost, so that the detection has no path. The kernel
    /// sends another event at the next violation.
    lost: bool,
}

/// Findings with the keys under which the kernel counts them.
pub type Findings = Vec<(ViolationKey, Finding)>;

impl Detector {
    /// Nothing is known yet.
    pub fn new(processes: Processes) -> Self {
        Self {
            processes,
            known: HashMap::new(),
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
        for Record { event, path } in records {
            match event.kind {
                EventKind::Executed => {
                    self.processes.executed(event, path);
                    seen.retain(|&(pid, _), _| pid != event.tgid);
                }
                EventKind::Violation => {
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

    /// Takes in which detections the findings are.
    pub fn recorded(&mut self, findings: &Findings, recorded: &[Recorded]) {
        for ((key, finding), Recorded { id, .. }) in findings.iter().zip(recorded) {
            self.unexplained.remove(key);
            let known = self.known.entry(*key).or_insert(Known {
                id: *id,
                stored: 0,
                counted: false,
                lost: false,
            });
            known.id = *id;
            known.stored = known.stored.saturating_add(finding.count);
            known.lost = finding.who.pid == 0;
        }
        if self.known.len() > 2 * VIOLATIONS {
            // The kernel counts no more than that; the others need no memory.
            self.known.retain(|_, known| known.counted);
        }
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

    /// Whether the next [`Detector::fold`] may tell more from the same counts.
    pub fn is_unsettled(&self) -> bool {
        !self.unexplained.is_empty()
    }

    /// Takes in the kernel's counts, after all records that were there before.
    /// Returns what the store has to add, and the violations whose events were
    /// lost.
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
                if more > 0 {
                    known.stored = count.count;
                    let latest = clock.time(count.last_ns);
                    updates.push(CountUpdate {
                        id: known.id,
                        more,
                        last: latest,
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
}

/// Returns what an event found.
fn finding(event: &Event, path: &[u8], who: Who, registry: &Registry, clock: Clock) -> Finding {
    let at = clock.time(event.time_ns);
    Finding {
        key: FindingKey::of_event(event, path, &profile_name(registry, event.slot)),
        requested: event.requested,
        rule: registry.denying_rule(event.slot, event.generation, path, event.missing),
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
mod tests {
    use std::path::Path;

    use enforcer_abi::{
        Access, Event, EventKind, Layer, Operation, Reason, Slot, Verdict, ViolationCount,
        ViolationKey,
    };

    use super::{Clock, Detector, Registry};
    use crate::{
        agent::processes::{Processes, procfs::Procfs},
        detection::finding::violation_key,
        kernel::Record,
        store::Store,
    };

    fn record(path: &str) -> Record {
        let event = Event {
            time_ns: 1_000,
            lineage: 1,
            cgroup: 9,
            path_hash: enforcer_abi::table::hash(path.as_bytes()),
            tgid: 5,
            tid: 5,
            parent: 1,
            uid: 0,
            gid: 0,
            slot: Slot(1),
            generation: 1,
            outcome: 0,
            requested: Access::READ,
            missing: Access::READ,
            path_len: 0,
            kind: EventKind::Violation,
            operation: Operation::Open,
            reason: Reason::NotGranted,
            layer: Layer::Application,
            verdict: Verdict::Deny,
            reserved: [0; 7],
            comm: [0; 16],
        };
        Record {
            event,
            path: path.as_bytes().to_vec(),
        }
    }

    fn count(count: u64) -> ViolationCount {
        ViolationCount {
            count,
            first_ns: 1_000,
            last_ns: 2_000,
            ..ViolationCount::default()
        }
    }

    /// An agent's part that makes detections, without a kernel.
    struct World {
        detector: Detector,
        store: Store,
        registry: Registry,
        _base: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let base = tempfile::tempdir().unwrap();
            Self {
                detector: Detector::new(Processes::new(Procfs::at(Path::new("/nowhere")))),
                store: Store::open(base.path(), "boot").unwrap(),
                registry: Registry::default(),
                _base: base,
            }
        }

        fn take(&mut self, records: &[Record]) {
            let findings = self.detector.take(records, &self.registry, Clock::now());
            self.record(&findings);
        }

        fn fold(&mut self, violations: &[(ViolationKey, ViolationCount)]) {
            let (updates, lost) = self.detector.fold(violations, &self.registry, Clock::now());
            self.store.add_counts(&updates).unwrap();
            self.record(&lost);
        }

        fn record(&mut self, findings: &super::Findings) {
            let batch: Vec<_> = findings
                .iter()
                .map(|(_, finding)| finding.clone())
                .collect();
            let recorded = self.store.record(&batch).unwrap();
            self.detector.recorded(findings, &recorded);
        }

        /// Paths and counts in the store.
        fn counts(&self) -> Vec<(String, u64)> {
            let page = self
                .store
                .detections(super::DetectionId(0), None, 100)
                .unwrap();
            page.into_iter()
                .map(|detection| (String::from_utf8(detection.path).unwrap(), detection.count))
                .collect()
        }
    }

    #[test]
    fn counts_follow_the_kernel() {
        let mut world = World::new();
        let a = record("/a");
        let key = violation_key(&a.event);
        world.take(std::slice::from_ref(&a));
        assert_eq!(
            world.counts(),
            [("/a".to_owned(), 1)],
            "from the event alone"
        );
        for (name, kernel, want) in [
            ("as the event", 1, 1),
            ("more", 1_000, 1_000),
            ("no more", 1_000, 1_000),
        ] {
            world.fold(&[(key, count(kernel))]);
            assert_eq!(world.counts(), [("/a".to_owned(), want)], "{name}");
        }
        world.take(&[a]);
        world.fold(&[(key, count(1_001))]);
        assert_eq!(
            world.counts(),
            [("/a".to_owned(), 1_001)],
            "the event comes twice"
        );
    }

    #[test]
    fn a_full_map_is_relieved_of_what_is_quiet() {
        let mut world = World::new();
        let a = record("/a");
        let key = violation_key(&a.event);
        world.take(std::slice::from_ref(&a));
        let many = |length: usize| vec![(key, count(1)); length];
        let half = super::VIOLATIONS / 2;
        let later = 2_000 + super::QUIET_NS;
        let detector = &world.detector;
        assert!(detector.quiet(&many(half), later + 1).is_empty(), "room");
        assert!(detector.quiet(&many(half + 1), later).is_empty(), "recent");
        assert_eq!(detector.quiet(&many(half + 1), later + 1).len(), half + 1);

        world.detector.forget(&key);
        world.take(&[a]);
        world.fold(&[(key, count(1))]);
        assert_eq!(world.counts(), [("/a".to_owned(), 2)], "it came again");
    }

    #[test]
    fn a_lost_event_is_a_detection_without_path() {
        let mut world = World::new();
        let [a, b] = ["/a", "/b"].map(|path| violation_key(&record(path).event));
        let violations = [(a, count(3)), (b, count(4))];
        world.fold(&violations);
        assert_eq!(world.counts(), [], "the events may be on their way");
        world.take(&[record("/b")]);
        world.fold(&violations);
        assert_eq!(world.counts(), [("/b".to_owned(), 4), (String::new(), 3)]);
        world.fold(&[(a, count(5)), (b, count(4))]);
        assert_eq!(world.counts(), [("/b".to_owned(), 4), (String::new(), 5)]);
        world.take(&[record("/a")]);
        world.fold(&[(a, count(7)), (b, count(4))]);
        let late = [
            ("/b".to_owned(), 4),
            (String::new(), 5),
            ("/a".to_owned(), 2),
        ];
        assert_eq!(world.counts(), late, "the next violation tells the path");
    }

    #[test]
    fn what_the_kernel_has_no_room_to_count_is_counted_by_events() {
        let mut world = World::new();
        world.take(&[record("/a"), record("/a")]);
        world.take(&[record("/a")]);
        world.fold(&[]);
        assert_eq!(world.counts(), [("/a".to_owned(), 3)]);
    }
}
