//! Findings beyond the room that there is for them.

use enforcer_abi::Access;

use crate::{
    detection::{DetectionId, Finding},
    store::{ROOM, Room, Store, detections::tests::finding},
};

/// What becomes of a batch: for each finding, whether it is new, and folded.
fn record(store: &mut Store, findings: &[Finding]) -> Vec<(bool, bool)> {
    let recorded = store.record(findings).unwrap();
    let told = recorded.iter().map(|one| (one.is_new, one.is_folded));
    told.collect()
}

fn learned(path: &str, lineage: u64) -> Finding {
    let mut learned = finding(path.as_bytes(), lineage, 1_000, 1);
    learned.key.verdict = "learned";
    learned
}

#[test]
fn what_is_beyond_a_lineages_room_is_folded() {
    const NEW: (bool, bool) = (true, false);
    const KNOWN: (bool, bool) = (false, false);
    const FOLDED: (bool, bool) = (false, true);
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    store.room = Room {
        refused: 2,
        learned: 3,
        ..ROOM
    };
    let of = |path: &str, lineage| finding(path.as_bytes(), lineage, 1_000, 1);
    let other_profile = {
        let mut other = of("/d", 1);
        other.key.profile = "redis".to_owned();
        other
    };
    let privilege = {
        let mut privilege = of("", 1);
        privilege.key.privilege = Some("bpf".to_owned());
        privilege
    };
    // Columns: what it shows, the batch, what becomes of it.
    #[rustfmt::skip]
    let steps = [
        ("one less",          vec![of("/a", 1)],                  vec![NEW]),
        ("the last, the next", vec![of("/b", 1), of("/c", 1)],    vec![NEW, (true, true)]),
        ("in another batch",  vec![of("/d", 1)],                  vec![FOLDED]),
        ("what there is",     vec![of("/b", 1), of("/a", 1)],     vec![KNOWN, KNOWN]),
        ("another lineage",   vec![of("/c", 2)],                  vec![NEW]),
        ("another profile",   vec![other_profile],                vec![NEW]),
        ("a privilege",       vec![privilege],                    vec![NEW]),
        ("what is learned",   vec![learned("/a", 1), learned("/b", 1), learned("/c", 1)], vec![NEW; 3]),
        ("and beyond",        vec![learned("/d", 1), learned("/e", 1)], vec![(true, true), FOLDED]),
    ];
    for (name, batch, want) in steps {
        assert_eq!(record(&mut store, &batch), want, "{name}");
    }
    let all = store.detections(DetectionId(0), None, 100).unwrap();
    let sums: Vec<_> = all.iter().filter(|one| one.is_sum()).collect();
    let told: Vec<_> = sums
        .iter()
        .map(|one| (one.verdict.as_str(), one.path.len(), one.count, one.missing))
        .collect();
    let want = [
        ("denied", 0, 2, Access::READ),
        ("learned", 0, 2, Access::READ),
    ];
    assert_eq!(told, want);
}

/// The room is that of the file, whoever opens it.
#[test]
fn room_is_taken_by_what_was_there_before() {
    let base = tempfile::tempdir().unwrap();
    for (path, want) in [(b"/a", (true, false)), (b"/b", (true, true))] {
        let mut store = Store::open(base.path(), "boot").unwrap();
        store.room = Room { refused: 1, ..ROOM };
        let batch = [finding(path, 1, 1_000, 1)];
        assert_eq!(record(&mut store, &batch), [want]);
    }
}

/// At the edge of the room that there really is.
#[test]
fn a_flood_ends_in_one_detection() {
    let base = tempfile::tempdir().unwrap();
    let mut store = Store::open(base.path(), "boot").unwrap();
    let flood: Vec<Finding> = (0..ROOM.refused + 2)
        .map(|number| finding(format!("/denied/{number}").as_bytes(), 1, 1_000, 1))
        .collect();
    let mut folded = 0;
    for batch in flood.chunks(1024) {
        let recorded = record(&mut store, batch);
        folded += recorded.iter().filter(|&&(_, folded)| folded).count();
    }
    assert_eq!(folded, 2);
    assert_eq!(store.totals().unwrap().total, ROOM.refused + 1);
}
