//! Overlays and their files.

use std::fs;

use enforcer_abi::Access;
use jiff::Timestamp;

use super::{Overlay, OverlayState, Overlays, Unproposed};
use crate::{
    detection::{DetectionId, TighteningId},
    profile::Removal,
    tighten::tests::profile,
};

fn overlay(id: i64, state: OverlayState, pattern: &str) -> Overlay {
    Overlay {
        id: TighteningId(id),
        profile: "p".to_owned(),
        created: Timestamp::from_second(1_700_000_000).unwrap(),
        state,
        trial: None,
        since: None,
        detections: vec![DetectionId(3)],
        removals: vec![removal(pattern)],
        reason: "never used: \"it\" # is near".to_owned(),
    }
}

fn removal(pattern: &str) -> Removal {
    Removal {
        pattern: pattern.to_owned(),
        access: Access::CREATE,
        except: Vec::new(),
    }
}

#[test]
fn files_are_read_back() {
    let base = tempfile::tempdir().unwrap();
    let mut overlays = Overlays::load(base.path()).unwrap();
    // Patterns that YAML would read as something else if it were not quoted.
    for (id, pattern) in (1..).zip(["/srv/legacy/**", "/a: b", "/{a,b}", "/x #y", "/é\u{1}\n"]) {
        overlays
            .put(overlay(id, OverlayState::Proposed, pattern))
            .unwrap();
    }
    overlays
        .put(overlay(2, OverlayState::Applied, "/a: b"))
        .unwrap();
    let again = Overlays::load(base.path()).unwrap();
    assert_eq!(again.all, overlays.all);
    assert_eq!(
        again.get(TighteningId(2)).unwrap().state,
        OverlayState::Applied
    );
    assert_eq!(again.next_id(TighteningId(0)), TighteningId(6));
    assert_eq!(again.next_id(TighteningId(9)), TighteningId(10));
}

#[test]
fn a_crash_leaves_the_old_file() {
    let base = tempfile::tempdir().unwrap();
    let mut overlays = Overlays::load(base.path()).unwrap();
    overlays
        .put(overlay(1, OverlayState::Applied, "/a"))
        .unwrap();
    fs::write(base.path().join("overlays/T1.new"), "id: T1\nprof").unwrap();
    let again = Overlays::load(base.path()).unwrap();
    assert_eq!(again.all, overlays.all);
}

#[test]
fn what_cannot_be_read_is_told() {
    #[rustfmt::skip]
    let cases = [
        ("no yaml",       "T1.yaml", "id: [",                           "T1.yaml"),
        ("unknown field", "T1.yaml", "id: T1\nadds: []\n",              "move it away"),
        ("misnamed",      "T2.yaml", "id: T1\nprofile: p\ncreated: 2026-01-01T00:00:00Z\nstate: applied\ndetections: []\nremovals: []\nreason: r\n", "rename the file to T1.yaml"),
    ];
    for (name, file, text, want) in cases {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("overlays")).unwrap();
        fs::write(base.path().join("overlays").join(file), text).unwrap();
        let error = Overlays::load(base.path()).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
    }
}

#[test]
fn only_applied_overlays_hold() {
    let base = tempfile::tempdir().unwrap();
    let mut overlays = Overlays::load(base.path()).unwrap();
    let before = profile(&[("/a", Access::CREATE, "own")]);
    #[rustfmt::skip]
    let rounds = [
        ("proposed", OverlayState::Proposed, Access::CREATE),
        ("applied",  OverlayState::Applied,  Access::NONE),
        ("reverted", OverlayState::Reverted, Access::CREATE),
    ];
    for (name, state, want) in rounds {
        overlays.put(overlay(1, state, "/a")).unwrap();
        assert_eq!(overlays.applied_to(&before).rules[0].allow, want, "{name}");
    }
}

#[test]
fn nothing_is_proposed_twice() {
    let base = tempfile::tempdir().unwrap();
    let mut overlays = Overlays::load(base.path()).unwrap();
    overlays
        .put(overlay(1, OverlayState::Proposed, "/proposed"))
        .unwrap();
    overlays
        .put(overlay(2, OverlayState::Reverted, "/reverted"))
        .unwrap();
    #[rustfmt::skip]
    let cases = [
        ("new",                vec!["/new"],              vec!["/new"], vec![]),
        ("proposed before",    vec!["/proposed"],         vec![],       vec![TighteningId(1)]),
        ("some of it",         vec!["/new", "/proposed"], vec!["/new"], vec![TighteningId(1)]),
        ("taken back by hand", vec!["/reverted"],         vec![],       vec![]),
    ];
    for (name, planned, fresh, joined) in cases {
        let planned: Vec<_> = planned.into_iter().map(removal).collect();
        let fresh = fresh.into_iter().map(removal).collect();
        assert_eq!(
            overlays.unproposed("p", &planned),
            Unproposed { fresh, joined },
            "{name}"
        );
    }
    let other = overlays.unproposed("q", &[removal("/reverted")]);
    assert_eq!(other.fresh.len(), 1, "another profile");
}
