//! Detections and their file.

use std::collections::BTreeMap;

use enforcer_abi::{Access, Response};

use super::{CountUpdate, Totals, timestamp};
use crate::{
    detection::{
        Ancestor, Detection, DetectionId, Finding, State, Who,
        finding::{FindingKey, PERMITTED},
    },
    store::{Recorded, Store},
};

pub(in crate::store) fn finding(path: &[u8], lineage: u64, at: i64, count: u64) -> Finding {
    Finding {
        key: FindingKey {
            lineage,
            profile: "nginx".to_owned(),
            layer: "application",
            operation: "open",
            privilege: None,
            path: path.to_owned(),
            missing: Access::READ,
            reason: "not-granted",
            verdict: "denied",
        },
        requested: Access::READ,
        response: Response::None,
        rule: Some("nginx.yaml:3:5".to_owned()),
        who: Who {
            pid: 8,
            tid: 8,
            parent: 1,
            uid: u32::MAX,
            gid: 33,
            comm: b"nginx\xff".to_vec(),
            exe: Some(b"/usr/sbin/nginx".to_vec()),
            cmdline: Some(vec![b"nginx".to_vec(), Vec::new()]),
            ancestry: vec![
                Ancestor {
                    pid: 5,
                    exe: Some(b"/bin/sh".to_vec()),
                },
                Ancestor { pid: 1, exe: None },
            ],
            cgroup: u64::MAX,
            cgroup_path: Some(b"/x".to_vec()),
        },
        first: timestamp(at),
        last: timestamp(at),
        count,
    }
}

#[test]
fn findings_come_back_as_detections() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let wanted = finding(b"/etc/\xffshadow", u64::MAX, 1_000, 2);
    let recorded = store.record(std::slice::from_ref(&wanted)).unwrap();
    assert_eq!(
        recorded,
        [Recorded {
            id: DetectionId(1),
            is_new: true,
            is_folded: false
        }]
    );

    // From the file, not from anything that the first connection remembers.
    drop(store);
    let store = Store::open(base.path(), "boot").unwrap();
    let got = store.detection(DetectionId(1)).unwrap().unwrap();
    assert_eq!(got.who, wanted.who);
    assert_eq!(got.path, wanted.key.path);
    assert_eq!(got.rule, wanted.rule);
    assert_eq!((got.requested, got.missing), (Access::READ, Access::READ));
    assert_eq!(
        (got.first_seen, got.count, got.state),
        (wanted.first, 2, State::Open)
    );
    assert_eq!(got, Detection::new(DetectionId(1), &wanted));
    assert_eq!(store.detection(DetectionId(2)).unwrap(), None);
}

#[test]
fn the_same_again_is_counted() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let batch = [
        finding(b"/a", 1, 1_000, 1),
        finding(b"/a", 1, 3_000, 1),
        finding(b"/b", 1, 2_000, 1),
        finding(b"/a", 2, 2_000, 1),
    ];
    let recorded = store.record(&batch).unwrap();
    assert_eq!(
        recorded
            .iter()
            .map(|recorded| recorded.is_new)
            .collect::<Vec<_>>(),
        [true, false, true, true]
    );
    let a = recorded[0].id;
    assert_eq!(recorded[1].id, a);
    store
        .add_counts(&[CountUpdate {
            id: a,
            more: 5,
            last: timestamp(2_000),
            response: Response::None,
        }])
        .unwrap();
    let got = store.detection(a).unwrap().unwrap();
    assert_eq!(got.count, 7);
    assert_eq!(
        (got.first_seen, got.last_seen),
        (timestamp(1_000), timestamp(3_000))
    );
    assert_eq!(got.who.ancestry.len(), 2);
    assert_eq!(
        store.totals().unwrap(),
        Totals {
            total: 3,
            open: 3,
            learned: 0
        }
    );
}

/// Who was contained is so until the last that is told of it says otherwise.
#[test]
fn responses_follow_one_another() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let with = |response| Finding {
        response,
        ..finding(b"/a", 1, 1_000, 1)
    };
    let id = store.record(&[with(Response::None)]).unwrap()[0].id;
    let response = |store: &Store| store.detection(id).unwrap().unwrap().response;
    assert_eq!(response(&store), "none");
    store.record(&[with(Response::Contained)]).unwrap();
    store.record(&[with(Response::None)]).unwrap();
    assert_eq!(response(&store), "contained");
    store.release(id).unwrap();
    assert_eq!(response(&store), "released");
    let again = CountUpdate {
        id,
        more: 1,
        last: timestamp(2_000),
        response: Response::Contained,
    };
    store.add_counts(&[again]).unwrap();
    assert_eq!(response(&store), "contained");
    store.end_containments().unwrap();
    assert_eq!(response(&store), "ended");
}

#[test]
fn each_privilege_is_a_detection_of_its_own() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let of = |privilege: &str| {
        let mut finding = finding(b"", 1, 1_000, 1);
        finding.key.operation = "privilege";
        finding.key.privilege = Some(privilege.to_owned());
        finding
    };
    let batch = [of("mount"), of("bpf"), of("mount")];
    let recorded = store.record(&batch).unwrap();
    assert_eq!(recorded[0].id, recorded[2].id);
    for (recorded, privilege) in recorded.iter().zip(["mount", "bpf"]) {
        let got = store.detection(recorded.id).unwrap().unwrap();
        assert_eq!(got.privilege.as_deref(), Some(privilege));
    }
}

#[test]
fn what_is_learnt_is_counted_apart() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let mut learnt = finding(b"/a", 1, 1_000, 1);
    learnt.key.verdict = "learned";
    store
        .record(&[learnt, finding(b"/a", 1, 1_000, 1)])
        .unwrap();
    let want = Totals {
        total: 1,
        open: 1,
        learned: 1,
    };
    assert_eq!(store.totals().unwrap(), want);
}

#[test]
fn another_boot_is_another_detection() {
    let base = tempfile::tempdir().unwrap();
    let same = [finding(b"/a", 1, 1_000, 1)];
    for boot in ["one", "two"] {
        let mut store = Store::open(base.path(), boot).unwrap();
        assert!(store.record(&same).unwrap()[0].is_new, "{boot}");
    }
}

#[test]
fn pages() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let batch: Vec<_> = (0..5)
        .map(|n| finding(&[b'/', b'a' + n], 1, 1, 1))
        .collect();
    let ids: Vec<_> = store
        .record(&batch)
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .collect();
    let page = |after, profile, limit| -> Vec<DetectionId> {
        let page = store.detections(after, profile, limit).unwrap();
        page.into_iter().map(|one| one.id).collect()
    };
    assert_eq!(page(DetectionId(0), None, 2), ids[..2]);
    assert_eq!(page(ids[1], Some("nginx"), 9), ids[2..]);
    assert_eq!(page(ids[4], None, 9), []);
    assert_eq!(page(DetectionId(0), Some("redis"), 9), []);
    for (since, profile, want) in [(1, "nginx", 5), (2, "nginx", 0), (1, "redis", 0)] {
        let recent = store
            .recent_detections(profile, timestamp(since), 9)
            .unwrap();
        assert_eq!(recent.len(), want, "{profile} since {since}");
    }
    assert_eq!(store.last_detection().unwrap(), ids[4]);
}

#[test]
fn detections_are_settled_all_or_none() {
    use State::{Acknowledged, Open, Resolved};
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let findings = [b"/a", b"/b", b"/c"].map(|path| finding(path, 1, 1_000, 1));
    let ids: Vec<DetectionId> = store
        .record(&findings)
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .collect();
    let states = |store: &Store| -> Vec<State> {
        let all = store.detections(DetectionId(0), None, 10).unwrap();
        all.into_iter().map(|one| one.state).collect()
    };
    let none = DetectionId(99);
    // Columns: what it shows, which, the state, which there is not, all states then.
    #[rustfmt::skip]
    let steps = [
        ("some",       vec![ids[0], ids[1]], Resolved,     None,       [Resolved, Resolved, Open]),
        ("one is not", vec![ids[2], none],   Resolved,     Some(none), [Resolved, Resolved, Open]),
        ("none",       vec![],               Resolved,     None,       [Resolved, Resolved, Open]),
        ("another",    vec![ids[2]],         Acknowledged, None,       [Resolved, Resolved, Acknowledged]),
        ("again",      vec![ids[0]],         Open,         None,       [Open, Resolved, Acknowledged]),
    ];
    for (name, ids, state, missing, want) in steps {
        assert_eq!(store.settle(&ids, state).unwrap(), missing, "{name}");
        assert_eq!(states(&store), want, "{name}");
    }
    // What happens again is counted, and stays settled.
    let _again = store.record(&findings).unwrap();
    assert_eq!(states(&store), [Open, Resolved, Acknowledged]);
    // What a permit let through makes nobody suspect.
    let mut permitted = finding(b"/d", 2, 1_000, 1);
    permitted.key.reason = PERMITTED;
    store
        .record(&[permitted, finding(b"/e", 1, 2_000, 1)])
        .unwrap();
    let want = BTreeMap::from([(1, timestamp(1_000))]);
    assert_eq!(store.suspects().unwrap(), want);
}
