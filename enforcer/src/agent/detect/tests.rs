use std::path::Path;

use enforcer_abi::{Event, ViolationCount, ViolationKey};

use super::{Clock, Detector, Registry};
use crate::{
    agent::processes::{Processes, procfs::Procfs},
    detection::finding::violation_key,
    kernel::{Record, events::sample},
    store::Store,
};

fn record(path: &str) -> Record {
    let event = Event {
        path_hash: enforcer_abi::table::hash(path.as_bytes()),
        ..sample()
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
    /// The paths that were told of and could not be stored.
    told: Vec<String>,
    _base: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        Self {
            detector: Detector::new(Processes::new(Procfs::at(Path::new("/nowhere")))),
            store: Store::open(base.path(), "boot").unwrap(),
            registry: Registry::default(),
            told: Vec::new(),
            _base: base,
        }
    }

    fn take(&mut self, records: &[Record]) {
        let findings = self.detector.take(records, &self.registry, Clock::now());
        self.record(&findings);
    }

    fn fold(&mut self, violations: &[(ViolationKey, ViolationCount)]) {
        let (updates, lost) = self.detector.fold(violations, &self.registry, Clock::now());
        if self.store.add_counts(&updates).is_ok() {
            self.detector.counted(violations);
        }
        self.record(&lost);
    }

    fn record(&mut self, findings: &super::Findings) {
        let batch: Vec<_> = findings
            .iter()
            .map(|(_, finding)| finding.clone())
            .collect();
        match self.store.record(&batch) {
            Ok(recorded) => self.detector.recorded(findings, &recorded),
            Err(_full) => {
                let unstored = self.detector.unrecorded(findings).into_iter();
                let paths = unstored.map(|one| String::from_utf8(one.path).unwrap());
                self.told.extend(paths);
            }
        }
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

#[test]
fn what_is_pruned_is_told_anew() {
    let mut world = World::new();
    let [a, b] = ["/a", "/b"].map(record);
    let keys = [&a, &b].map(|record| violation_key(&record.event));
    world.take(&[a, b]);
    let first = super::DetectionId(1);
    assert_eq!(world.detector.pruned(&[first]), keys[..1]);
    assert_eq!(world.detector.pruned(&[first]), [], "it is forgotten");
}

#[test]
fn what_cannot_be_stored_is_told_once_and_stored_later() {
    let mut world = World::new();
    let [a, b] = ["/a", "/b"].map(record);
    let [key_a, key_b] = [&a, &b].map(|record| violation_key(&record.event));
    world.take(std::slice::from_ref(&a));
    world.store.fill(true);
    world.take(&[b.clone(), b.clone()]);
    assert_eq!(world.told, ["/b"]);
    let violations = [(key_a, count(3)), (key_b, count(4))];
    for _ in 0..3 {
        world.fold(&violations);
    }
    world.take(std::slice::from_ref(&b));
    assert_eq!(world.told, ["/b"], "no more than once");
    assert_eq!(world.counts(), [("/a".to_owned(), 1)]);

    world.store.fill(false);
    world.fold(&violations);
    let counted = ("/a".to_owned(), 3);
    assert_eq!(
        world.counts(),
        std::slice::from_ref(&counted),
        "no count is lost"
    );
    assert_eq!(world.detector.unstored(), [key_b]);
    world.take(&[b]);
    assert_eq!(world.counts(), [counted, ("/b".to_owned(), 1)]);
    assert_eq!(world.detector.unstored(), []);
}

#[test]
fn a_lost_event_that_cannot_be_stored_is_told_once() {
    let mut world = World::new();
    let a = record("/a");
    let violations = [(violation_key(&a.event), count(3))];
    world.store.fill(true);
    for _ in 0..5 {
        world.fold(&violations);
    }
    assert_eq!(world.told, [""]);
    world.take(&[a.clone(), a]);
    assert_eq!(world.told, ["", "/a"], "its path is news");
}
