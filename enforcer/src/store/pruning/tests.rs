//! What gives place once there are too many.

use super::{PRUNED, ROOM, Room};
use crate::{
    detection::{DetectionId, State},
    store::{Store, detections::tests::finding},
};

/// A store with room for `all` detections, and those of `profiles`, in this order.
fn store(base: &std::path::Path, all: u64, profiles: &[&str]) -> Store {
    let mut store = Store::open(base, "boot").unwrap();
    store.room = Room { all, ..ROOM };
    let findings: Vec<_> = (0_u64..)
        .zip(profiles)
        .map(|(number, &profile)| {
            let mut one = finding(format!("/{number}").as_bytes(), 1, 1_000, 1);
            one.key.profile = profile.to_owned();
            one
        })
        .collect();
    store.record(&findings).unwrap();
    store
}

fn ids(ids: &[i64]) -> Vec<DetectionId> {
    ids.iter().copied().map(DetectionId).collect()
}

#[test]
fn settled_ones_go_first_and_then_the_oldest() {
    let base = tempfile::tempdir().unwrap();
    let mut store = store(base.path(), 9, &["p"; 9]);
    assert_eq!(store.prune_detections().unwrap(), [], "there is room");
    for (state, settled) in [
        (State::Acknowledged, &[2, 3][..]),
        (State::Resolved, &[7, 5]),
    ] {
        assert_eq!(store.settle(&ids(settled), state).unwrap(), None);
    }
    // Columns: the room, what goes.
    #[rustfmt::skip]
    let steps = [
        (8, &[5][..]),
        (6, &[7, 2]),
        (6, &[]),
        (4, &[3, 1]),
        (3, &[4]),
    ];
    for (all, want) in steps {
        store.room.all = all;
        assert_eq!(store.prune_detections().unwrap(), ids(want), "to {all}");
        let left = store.detections(DetectionId(0), None, 100).unwrap();
        assert_eq!(left.len() as u64, all);
    }
}

#[test]
fn a_flood_of_one_profile_takes_nothing_from_another() {
    let base = tempfile::tempdir().unwrap();
    let mut store = store(base.path(), 4, &["q", "p", "p", "p", "p", "q"]);
    assert_eq!(store.prune_detections().unwrap(), ids(&[2, 3]));
}

#[test]
fn no_more_than_a_step_goes_at_once() {
    let base = tempfile::tempdir().unwrap();
    let many = vec!["p"; PRUNED as usize + 1];
    let mut store = store(base.path(), 0, &many);
    assert_eq!(store.prune_detections().unwrap().len(), PRUNED as usize);
    assert_eq!(store.prune_detections().unwrap().len(), 1);
    assert_eq!(store.prune_detections().unwrap(), []);
}

/// What goes takes its ancestors with it, and its name does not come back.
#[test]
fn nothing_is_left_of_what_goes() {
    let base = tempfile::tempdir().unwrap();
    let mut store = store(base.path(), 0, &["p"]);
    assert_eq!(store.prune_detections().unwrap(), ids(&[1]));
    let left: i64 = store
        .connection
        .query_row("SELECT count(*) FROM ancestors", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
    let again = store.record(&[finding(b"/0", 1, 1_000, 1)]).unwrap();
    assert_eq!(again[0].id, DetectionId(2));
    assert!(again[0].is_new);
}

/// How many there are is known of a file that was there, too.
#[test]
fn what_was_there_before_counts() {
    let base = tempfile::tempdir().unwrap();
    drop(store(base.path(), 9, &["p", "p"]));
    let mut store = Store::open(base.path(), "boot").unwrap();
    store.room.all = 1;
    assert_eq!(store.prune_detections().unwrap(), ids(&[1]));
}
