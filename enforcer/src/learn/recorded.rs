//! From what the agent recorded of a profile that learns to observations.
//!
//! Such a profile grants nothing, so everything that is done under it is a detection, once
//! for each lineage, operation, object and rights.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr as _,
};

use enforcer_abi::{Access, Operation, Privilege, Reason};
use jiff::Timestamp;

use super::{Object, Observation};
use crate::{
    detection::{Detection, State},
    profile::NetworkObject,
};

/// What there is at a path now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whose it is.
    pub uid: u32,
}

/// What was recorded of a profile that learns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// What can be learned from.
    pub observations: Vec<Observation>,
    /// How many accesses the kernel counted.
    pub accesses: u64,
    /// How many of the detections were of a single access.
    pub once: u64,
    /// How many detections say of no object that a profile could name: their event was lost,
    /// or what they are about has no path.
    pub nameless: u64,
}

/// Returns all that is known of the lineages that did something under the profile `learning`
/// at `since` or later.
///
/// What a process inherits over the exec that puts it under the profile comes before it has a
/// lineage: it is given the one that its process has then.
pub fn of_run(detections: Vec<Detection>, learning: &str, since: Timestamp) -> Vec<Detection> {
    let mut detections = detections;
    let mut later: BTreeMap<u32, u64> = BTreeMap::new();
    for one in detections
        .iter_mut()
        .rev()
        .filter(|one| one.profile == learning)
    {
        if one.lineage != 0 {
            later.insert(one.who.pid, one.lineage);
        } else if let Some(&lineage) = later.get(&one.who.pid) {
            one.lineage = lineage;
        }
    }
    let is_now = |one: &&Detection| one.profile == learning && one.last_seen >= since;
    let lineages: BTreeSet<u64> = detections
        .iter()
        .filter(is_now)
        .map(|one| one.lineage)
        .collect();
    detections.retain(|one| lineages.contains(&one.lineage));
    detections
}

/// Returns what was recorded under the profile `learning`. `find` says what there is at a
/// path, not followed if it is a symbolic link.
pub fn recorded(
    detections: &[Detection],
    learning: &str,
    find: &dyn Fn(&[u8]) -> Option<Found>,
) -> Recorded {
    let learned = |one: &&Detection| one.profile == learning && one.is_learned();
    let learned: Vec<&Detection> = detections.iter().filter(learned).collect();
    // Where several users use an object, only the first is known: then nobody owns it.
    let users: BTreeSet<u32> = learned.iter().map(|one| one.who.uid).collect();
    let only = (users.len() == 1).then_some(users.first()).flatten();
    let mut all = Recorded::default();
    let olds = old_names(&learned);
    for one in &learned {
        all.accesses = all.accesses.saturating_add(one.count);
        all.once += u64::from(one.count == 1);
        let Some(observation) = observation(one, only.copied(), find) else {
            all.nameless += 1;
            continue;
        };
        all.observations.push(Observation {
            from: olds.get(&one.id.0).map(|path| path.to_vec()),
            ..observation
        });
    }
    all
}

/// Returns what a detection shows of a program; `None` where that is of no object which a
/// profile could name. `user` is the only one who did it, if that is known; `find` says what
/// there is at a path.
pub fn observation(
    detection: &Detection,
    user: Option<u32>,
    find: &dyn Fn(&[u8]) -> Option<Found>,
) -> Option<Observation> {
    let (object, operation) = object(detection)?;
    let found = match &object {
        Object::Path(path) => find(path),
        _ => None,
    };
    let is_new = detection.requested.contains(Access::CREATE);
    let is_own = user.map(|uid| is_new || found.is_some_and(|it| it.uid == uid));
    Some(Observation {
        object,
        operation,
        access: detection.requested,
        is_folder: found.map(|it| it.is_folder),
        is_own,
        from: None,
        program: detection.who.exe.clone().unwrap_or_default(),
        lineage: detection.lineage,
    })
}

/// Returns the lineages that something was refused to, or would have been, and nobody has
/// settled yet: what they did may be an attack.
pub fn suspects(detections: &[Detection]) -> BTreeSet<u64> {
    let open = detections
        .iter()
        .filter(|one| one.is_refused() && one.state != State::Resolved);
    open.map(|one| one.lineage).collect()
}

/// How likely it is that the next access is one that was seen before, of a hundred: as Good
/// and Turing have it, those that were seen once tell of those that were not seen. 0 where
/// nothing was.
pub fn coverage(recorded: &Recorded) -> u64 {
    let Recorded { accesses, once, .. } = recorded;
    let seen = accesses.saturating_sub(*once).saturating_mul(100);
    seen.checked_div(*accesses).unwrap_or(0)
}

/// What a detection is about, if a profile can say something of it.
fn object(detection: &Detection) -> Option<(Object, Operation)> {
    let mut operations = Operation::ALL.iter();
    let operation = *operations.find(|one| one.name() == detection.operation)?;
    let object = match &detection.privilege {
        Some(name) => Object::Privilege(Privilege::from_name(name)?),
        None if detection.reason != Reason::NotGranted.name() => return None,
        None if detection.path.starts_with(b"/") => Object::Path(detection.path.clone()),
        None => {
            let text = str::from_utf8(&detection.path).ok()?;
            Object::Network(NetworkObject::from_str(text).ok()?)
        }
    };
    Some((object, operation))
}

/// The old names of what was renamed, by the detections at the new ones: a thread asks for
/// both one after the other. At a new name that was told before, another old one is not
/// known; it most often has the form of the first.
fn old_names<'a>(learned: &[&'a Detection]) -> BTreeMap<i64, &'a [u8]> {
    let mut by_time: Vec<&Detection> = learned
        .iter()
        .filter(|one| one.operation == Operation::Rename.name())
        .copied()
        .collect();
    by_time.sort_by_key(|one| (one.first_seen, one.id.0));
    let mut leaving: BTreeMap<u32, &[u8]> = BTreeMap::new();
    let mut olds = BTreeMap::new();
    for one in by_time {
        let thread = one.who.tid;
        if one.requested.contains(Access::CREATE) {
            if let Some(old) = leaving.remove(&thread) {
                olds.insert(one.id.0, old);
            }
        } else {
            leaving.insert(thread, &one.path);
        }
    }
    olds
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use enforcer_abi::{Access, Operation, Privilege};
    use jiff::Timestamp;

    use super::{Found, Recorded, coverage, of_run, recorded, suspects};
    use crate::{
        detection::{Detection, DetectionId, State, Who, sample},
        learn::Object,
    };

    /// A detection of the profile that learns.
    fn seen(id: i64, operation: &str, access: Access, path: &str) -> Detection {
        Detection {
            id: DetectionId(id),
            profile: "learning".to_owned(),
            verdict: "learned".to_owned(),
            operation: operation.to_owned(),
            requested: access,
            missing: access,
            path: path.as_bytes().to_vec(),
            first_seen: Timestamp::from_second(id).unwrap(),
            who: Who {
                tid: 8,
                uid: 33,
                exe: Some(b"/usr/sbin/x".to_vec()),
                ..Who::default()
            },
            ..sample::detection()
        }
    }

    fn found(path: &[u8]) -> Option<Found> {
        let found = |is_folder, uid| Some(Found { is_folder, uid });
        match path {
            b"/own" => found(false, 33),
            b"/folder" => found(true, 0),
            _ => None,
        }
    }

    #[test]
    fn what_detections_become() {
        let privileged = Detection {
            privilege: Some("ptrace".to_owned()),
            ..seen(6, "privilege", Access::NONE, "")
        };
        let lost = seen(7, "open", Access::READ, "");
        let foreign = Detection {
            reason: "foreign-mount".to_owned(),
            ..seen(8, "open", Access::READ, "/a")
        };
        let other = Detection {
            profile: "other".to_owned(),
            ..seen(9, "open", Access::READ, "/b")
        };
        let refused = Detection {
            verdict: "denied".to_owned(),
            ..seen(10, "open", Access::READ, "/c")
        };
        let all = [
            seen(1, "open", Access::READ, "/own"),
            seen(2, "open", Access::READ, "/folder"),
            seen(3, "create", Access::CREATE, "/gone"),
            seen(4, "connect", Access::CONNECT, "tcp:127.0.0.1:80"),
            seen(5, "open", Access::READ, "/missing"),
            privileged,
            lost,
            foreign,
            other,
            refused,
        ];
        let Recorded {
            observations,
            accesses,
            once,
            nameless,
        } = recorded(&all, "learning", &found);
        assert_eq!((accesses, once, nameless), (8, 8, 2));
        let got: Vec<_> = observations
            .iter()
            .map(|one| {
                let object = match &one.object {
                    Object::Path(path) => String::from_utf8_lossy(path).into_owned(),
                    Object::Network(object) => object.to_string(),
                    Object::Privilege(Privilege::PTRACE) => "ptrace".to_owned(),
                    Object::Privilege(other) => panic!("{other:?}"),
                };
                (object, one.is_folder, one.is_own)
            })
            .collect();
        #[rustfmt::skip]
        let want = [
            ("/own",             Some(false), Some(true)),
            ("/folder",          Some(true),  Some(false)),
            ("/gone",            None,        Some(true)),
            ("tcp:127.0.0.1:80", None,        Some(false)),
            ("/missing",         None,        Some(false)),
            ("ptrace",           None,        Some(false)),
        ];
        let want = want.map(|(object, is_folder, is_own)| (object.to_owned(), is_folder, is_own));
        assert_eq!(got, want);
    }

    #[test]
    fn nobody_owns_what_two_users_use() {
        let mut other = seen(2, "open", Access::READ, "/folder");
        other.who.uid = 0;
        let all = [seen(1, "open", Access::READ, "/own"), other];
        let all = recorded(&all, "learning", &found).observations;
        let owns: Vec<_> = all.iter().map(|one| one.is_own).collect();
        assert_eq!(owns, [None, None]);
    }

    /// Names that two threads ask for at once are not taken for one another's.
    #[test]
    fn renames_have_their_old_names() {
        let rename = Operation::Rename.name();
        let of = |tid, mut one: Detection| {
            one.who.tid = tid;
            one
        };
        let over = Access::CREATE | Access::REMOVE;
        let all = [
            of(1, seen(1, rename, Access::REMOVE, "/old-1")),
            of(2, seen(2, rename, Access::REMOVE, "/old-2")),
            of(2, seen(3, rename, Access::CREATE, "/new-2")),
            of(1, seen(4, rename, over, "/new-1")),
            of(1, seen(5, rename, Access::CREATE, "/new-3")),
            of(1, seen(6, "open", Access::CREATE, "/new-4")),
        ];
        let all = recorded(&all, "learning", &found).observations;
        let from = all.iter().map(|one| one.from.as_deref());
        let want: [Option<&[u8]>; 6] = [None, None, Some(b"/old-2"), Some(b"/old-1"), None, None];
        assert_eq!(from.collect::<Vec<_>>(), want);
    }

    #[test]
    fn what_belongs_to_a_run() {
        let at = Timestamp::from_second;
        let one = |id, lineage, profile: &str, second| Detection {
            lineage,
            profile: profile.to_owned(),
            last_seen: at(second).unwrap(),
            ..seen(id, "open", Access::READ, "/a")
        };
        let all = vec![
            one(1, 7, "learning", 5),
            one(2, 8, "learning", 5),
            one(3, 8, "learning", 10),
            one(4, 8, "other", 1),
            one(5, 9, "other", 10),
        ];
        let run = of_run(all, "learning", at(10).unwrap());
        let ids: Vec<i64> = run.iter().map(|one| one.id.0).collect();
        assert_eq!(ids, [2, 3, 4]);
    }

    /// The exec under which a process becomes confined is no other lineage's.
    #[test]
    fn what_is_inherited_is_of_the_process() {
        let of = |id, lineage, pid| {
            let mut one = seen(id, "inherit", Access::READ, "/dev/null");
            (one.lineage, one.who.pid, one.last_seen) = (lineage, pid, Timestamp::MAX);
            one
        };
        let all = vec![
            of(1, 0, 5),
            of(2, 7, 5),
            of(3, 0, 6),
            of(4, 8, 5),
            of(5, 0, 5),
        ];
        let run = of_run(all, "learning", Timestamp::UNIX_EPOCH);
        let lineages: Vec<u64> = run.iter().map(|one| one.lineage).collect();
        assert_eq!(lineages, [7, 7, 0, 8, 0]);
    }

    #[test]
    fn who_is_suspected() {
        let one = |lineage, verdict: &str, state| Detection {
            lineage,
            verdict: verdict.to_owned(),
            state,
            ..sample::detection()
        };
        let all = [
            one(1, "learned", State::Open),
            one(2, "denied", State::Open),
            one(3, "audited", State::Acknowledged),
            one(4, "denied", State::Resolved),
            one(5, "allowed", State::Open),
        ];
        assert_eq!(suspects(&all), BTreeSet::from([2, 3]));
    }

    #[test]
    fn what_was_seen_once_tells_of_what_was_not() {
        // Columns: accesses, those of one access, of a hundred.
        for (accesses, once, want) in [(0, 0, 0), (10, 10, 0), (10, 5, 50), (1000, 1, 99)] {
            let recorded = Recorded {
                accesses,
                once,
                ..Recorded::default()
            };
            assert_eq!(coverage(&recorded), want, "{accesses} {once}");
        }
    }
}
