//! The same access by the same program, which is one question.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use enforcer_abi::Access;
use jiff::Timestamp;

use crate::detection::{Detection, DetectionId, State, base_name};

/// Detections that are one question, the oldest first. There is one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    first: Detection,
    rest: Vec<Detection>,
}

/// What makes two detections one question. Processes, verdicts and layers do not.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    profile: &'a str,
    program: &'a [u8],
    operation: &'a str,
    privilege: Option<&'a str>,
    path: &'a [u8],
    requested: Access,
    missing: Access,
    reason: &'a str,
}

impl<'a> Key<'a> {
    fn of(detection: &'a Detection) -> Self {
        Self {
            profile: base_name(&detection.profile),
            program: program(detection),
            operation: &detection.operation,
            privilege: detection.privilege.as_deref(),
            path: &detection.path,
            requested: detection.requested,
            missing: detection.missing,
            reason: &detection.reason,
        }
    }
}

/// The program of a detection; the thread's name, where it is not known.
fn program(detection: &Detection) -> &[u8] {
    detection.who.exe.as_ref().unwrap_or(&detection.who.comm)
}

/// Returns what is open of `all`, the oldest first: what was refused, or would have been, what
/// was permitted for a time, and what a profile is to learn from.
pub fn items(all: &[Detection]) -> Vec<Item> {
    let is_asked = |one: &Detection| one.is_refused() || one.is_learned() || one.is_permitted();
    let is_open = |one: &&Detection| one.state == State::Open && is_asked(one);
    let mut open: Vec<&Detection> = all.iter().filter(is_open).collect();
    open.sort_by_key(|one| (one.first_seen, one.id));
    let mut items: Vec<Item> = Vec::new();
    let mut places: HashMap<Key<'_>, usize> = HashMap::new();
    for detection in open {
        match places.entry(Key::of(detection)) {
            Entry::Vacant(place) => {
                place.insert(items.len());
                items.push(Item {
                    first: detection.clone(),
                    rest: Vec::new(),
                });
            }
            Entry::Occupied(place) => {
                if let Some(item) = items.get_mut(*place.get()) {
                    item.rest.push(detection.clone());
                }
            }
        }
    }
    items
}

impl Item {
    /// The oldest of its detections.
    pub fn first(&self) -> &Detection {
        &self.first
    }

    /// Its detections.
    pub fn detections(&self) -> impl Iterator<Item = &Detection> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// Their names.
    pub fn ids(&self) -> impl Iterator<Item = DetectionId> {
        self.detections().map(|one| one.id)
    }

    /// The profile that did not grant, whichever mode it was in.
    pub fn profile(&self) -> &str {
        base_name(&self.first.profile)
    }

    /// The program; the thread's name, where it is not known.
    pub fn program(&self) -> &[u8] {
        program(&self.first)
    }

    /// What makes other detections evidence for what it has in common with them: the profile
    /// and the program. `None`: the program is not known.
    pub fn origin(&self) -> Option<(&str, &[u8])> {
        Some((self.profile(), self.first.who.exe.as_deref()?))
    }

    /// How often it happened.
    pub fn count(&self) -> u64 {
        let counts = self.detections().map(|one| one.count);
        counts.fold(0, u64::saturating_add)
    }

    /// When it last happened.
    pub fn last_seen(&self) -> Timestamp {
        let times = self.detections().map(|one| one.last_seen);
        times.max().unwrap_or(self.first.last_seen)
    }

    /// What became of it, each verdict once.
    pub fn verdicts(&self) -> BTreeSet<&str> {
        self.detections().map(|one| &*one.verdict).collect()
    }

    /// What was done about it besides, each response once.
    pub fn responses(&self) -> BTreeSet<&str> {
        self.detections().map(|one| &*one.response).collect()
    }
}

/// What was refused to whom, as far as nobody has settled it.
#[derive(Clone, Debug, Default)]
pub struct Lineages(BTreeMap<u64, Vec<DetectionId>>);

impl Lineages {
    /// Of all detections.
    pub fn of(all: &[Detection]) -> Self {
        let mut lineages = Self::default();
        let is_unsettled = |one: &&Detection| one.is_refused() && one.state != State::Resolved;
        for one in all.iter().filter(is_unsettled) {
            // Before it is confined, a process has none.
            if one.lineage != 0 {
                lineages.0.entry(one.lineage).or_default().push(one.id);
            }
        }
        lineages
    }

    /// Takes in that these are settled now.
    pub fn settle(&mut self, settled: impl IntoIterator<Item = DetectionId>) {
        let settled: BTreeSet<DetectionId> = settled.into_iter().collect();
        for ids in self.0.values_mut() {
            ids.retain(|id| !settled.contains(id));
        }
    }

    /// What else was refused to the processes of an item: then it may be an attack.
    pub fn others(&self, item: &Item) -> BTreeSet<DetectionId> {
        let lineages = item.detections().filter_map(|one| self.0.get(&one.lineage));
        let mut others: BTreeSet<DetectionId> = lineages.flatten().copied().collect();
        for own in item.ids() {
            others.remove(&own);
        }
        others
    }
}
