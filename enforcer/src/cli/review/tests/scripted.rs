use std::fs;

use super::{Fake, PROFILE, Scene, detection, plan};
use crate::{
    cli::review::{
        Outcome,
        agent::Tighten,
        desk::Desk,
        scripted::{Accept, Decisions},
        view,
    },
    detection::{Detection, DetectionId, State, TighteningId},
    protocol::TightenTarget,
    review::Choice,
};

#[test]
fn a_script_that_the_agent_does_not_follow() {
    let scene = Scene::new(&[(1, 1, "open write /srv/d/00"), (2, 2, "open write /etc/x")]);
    let decisions = Decisions {
        accept: vec![Accept::Detection(DetectionId(1), Choice::Exact)],
        deny: vec![TightenTarget::Detection(DetectionId(2))],
        ..Decisions::default()
    };
    let mut agent = Fake {
        refuses: true,
        ..Fake::default()
    };
    let report = scene.decided(&decisions, &mut agent);
    assert!(report.failed[0].contains("it has an error"), "{report:?}");
    assert_eq!(agent.asked, ["resolved D2"]);
    let done: Vec<&String> = report.done.keys().collect();
    assert_eq!(done, ["D2"]);
    assert_eq!(scene.text(), PROFILE);
}

/// A profile from elsewhere is written there, and loaded by itself.
#[test]
fn a_profile_from_elsewhere() {
    let scene = Scene::new(&[(1, 1, "open write /srv/d/00")]);
    let elsewhere = scene.dir.path().join("nginx.yaml");
    fs::rename(scene.file(), &elsewhere).unwrap();
    let mut known = scene.known();
    known.files = [("nginx".to_owned(), elsewhere.clone())].into();
    let root = scene.root();
    let decisions = Decisions {
        accept: vec![Accept::Detection(DetectionId(1), Choice::Exact)],
        ..Decisions::default()
    };
    let mut agent = Fake::default();
    let report = decisions.carry_out(&mut Desk::new(known, None, &root), &mut agent);
    assert_eq!(report.failed, [""; 0]);
    assert_eq!(agent.asked, ["load nginx.yaml", "resolved D1"]);
    assert!(
        fs::read_to_string(&elsewhere)
            .unwrap()
            .contains("/srv/d/00")
    );

    // One whose file is gone is told.
    fs::remove_file(&elsewhere).unwrap();
    let mut known = scene.known();
    known.files = [("nginx".to_owned(), elsewhere)].into();
    let report = decisions.carry_out(&mut Desk::new(known, None, &root), &mut agent);
    assert!(
        report.failed[0].contains("cannot read the profile's file"),
        "{report:?}"
    );
}

#[test]
fn words_that_accept() {
    let detection = |choice| Some(Accept::Detection(DetectionId(17), choice));
    let tightening = |how| Some(Accept::Tightening(TighteningId(3), how));
    #[rustfmt::skip]
    let cases = [
        ("D17",         detection(Choice::Exact)),
        ("d17=exact",   detection(Choice::Exact)),
        ("D17=folder",  detection(Choice::Folder)),
        ("D17=pattern", detection(Choice::Pattern)),
        ("D17=all",     None),
        ("D17=",        None),
        ("17",          None),
        ("T3",          tightening(Tighten::Apply)),
        ("T3=trial",    tightening(Tighten::Try)),
        ("T3=folder",   None),
    ];
    for (text, want) in cases {
        assert_eq!(text.parse::<Accept>().ok(), want, "{text}");
    }
}

#[test]
fn decisions_of_a_script() {
    let detections = [
        (1, 1, "open write /srv/d/00"),
        (2, 2, "open write /srv/d/00"),
        (3, 3, "open read /srv/secret/x"),
        (4, 4, "open write /etc/x"),
        (5, 5, "open read /srv/www/x"),
        (6, 5, "open write /etc/y"),
    ];
    let accept = |text: &str| Decisions {
        accept: text.split(' ').map(|one| one.parse().unwrap()).collect(),
        reason: "so".to_owned(),
        ..Decisions::default()
    };
    let deny = |text: &str| Decisions {
        deny: vec![
            text.parse()
                .map(TightenTarget::Detection)
                .or_else(|_| text.parse().map(TightenTarget::Tightening))
                .unwrap(),
        ],
        ..Decisions::default()
    };
    let attack = Decisions {
        attack: vec![DetectionId(4)],
        ..Decisions::default()
    };
    let dry = Decisions {
        dry_run: true,
        deny: vec![TightenTarget::Detection(DetectionId(4))],
        ..accept("D1 T1")
    };
    let both = Decisions {
        accept: vec![Accept::Detection(DetectionId(2), Choice::Exact)],
        ..deny("D1")
    };
    let loaded = "load folder";
    // Columns: what it shows, decisions, what the agent is asked for, what fails, a line of the
    // profile.
    #[rustfmt::skip]
    let cases: &[(&str, Decisions, &[&str], Option<&str>, Option<&str>)] = &[
        ("allow one of two",    accept("D2"),         &[loaded, "resolved D1 D2"], None, Some("- { path: /srv/d/00, allow: [write] }")),
        ("allow a folder",      accept("D1=folder"),  &[loaded, "resolved D1 D2"], None, Some("- { path: /srv/d/*, allow: [write] }")),
        ("allow two",           accept("D1 D4"),      &[loaded, "resolved D1 D2 D4"], None, Some("- { path: /etc/x, allow: [write] }")),
        ("no such choice",      accept("D1=pattern"), &[], Some("D1 cannot be allowed by pattern; there is exact, folder"), None),
        ("what is denied",      accept("D3"),         &[], Some("a rule denies it"), None),
        ("what is granted",     accept("D5"),         &["resolved D5"], None, None),
        ("no such detection",   accept("D99"),        &[], Some("there is no detection D99"), None),
        ("what is settled",     accept("D7"),         &[], Some("D7 is not open to be decided: its state is resolved"), None),
        ("some of it",          accept("D99 D4"),     &[loaded, "resolved D4"], Some("there is no detection D99"), Some("- { path: /etc/x, allow: [write] }")),
        ("keep it denied",      deny("D2"),           &["resolved D1 D2"], None, None),
        ("an attack",           attack,               &["acknowledged D4"], None, None),
        ("both at once",        both,                 &["resolved D1 D2"], Some("D2 is kept denied by another decision"), None),
        ("a proposal",          accept("T1"),         &["Apply T1"], None, None),
        ("one on trial",        accept("T1=trial"),   &["Try T1"], None, None),
        ("decline it",          deny("T1"),           &["Decline T1"], None, None),
        ("no such proposal",    deny("T9"),           &[], Some("there is no proposal T9"), None),
        ("show it only",        dry,                  &[], None, None),
    ];
    for (name, decisions, asked, failed, added) in cases {
        let mut scene = Scene::new(&detections);
        scene.proposals = vec![plan(1)];
        scene.detections.push(Detection {
            state: State::Resolved,
            ..detection(7, 7, "open write /etc/z")
        });
        let mut agent = Fake::default();
        let report = scene.decided(decisions, &mut agent);
        assert_eq!(agent.asked, *asked, "{name}: {report:?}");
        let is_whole = failed.is_none();
        assert_eq!(
            report.outcome() == Outcome::Done,
            is_whole,
            "{name}: {report:?}"
        );
        assert_eq!(
            report.failed.len(),
            usize::from(!is_whole),
            "{name}: {report:?}"
        );
        if let Some(failed) = failed {
            assert!(report.failed[0].contains(failed), "{name}: {report:?}");
        }
        match added {
            Some(line) => {
                let all = scene.added();
                assert!(all.iter().any(|one| one == line), "{name}: {all:?}");
                assert!(all[0].ends_with(": so"), "{name}: {all:?}");
                assert!(
                    report.diff.contains(&format!("+    {line}")),
                    "{name}: {report:?}"
                );
            }
            None => assert_eq!(scene.text(), PROFILE, "{name}"),
        }
        if decisions.dry_run {
            assert!(
                report.diff.contains("+    - { path: /srv/d/00"),
                "{report:?}"
            );
            assert_eq!(report.done.len(), 4, "{report:?}");
        }
    }
}

#[test]
fn form_of_what_is_open() {
    let mut scene = Scene::new(&[
        (1, 1, "open write /srv/d/00"),
        (2, 1, "open read /srv/secret/x"),
    ]);
    scene.proposals = vec![plan(1)];
    let root = scene.root();
    let view = view::of(&mut Desk::new(scene.known(), None, &root));
    let json = serde_json::to_value(&view).unwrap();
    let items = &json["items"];
    #[rustfmt::skip]
    let wants = [
        ("/0/id",                  "\"D1\""),
        ("/0/detections",          "[\"D1\"]"),
        ("/0/profile",             "\"nginx\""),
        ("/0/count",               "1"),
        ("/0/others",              "[\"D2\"]"),
        ("/0/suggestion",          "\"attack\""),
        ("/0/obstacle",            "null"),
        ("/0/granted",             "false"),
        ("/0/detection/path",      "\"/srv/d/00\""),
        ("/0/nearest/0/pattern",   "\"/srv/www/**\""),
        ("/0/choices/0/choice",    "\"exact\""),
        ("/0/choices/0/key",       "\"paths\""),
        ("/0/choices/0/rule",      "\"{ path: /srv/d/00, allow: [write] }\""),
        ("/0/choices/0/admits",    "null"),
        ("/0/choices/1/choice",    "\"folder\""),
        ("/0/choices/1/admits/count", "11"),
        ("/0/choices/1/admits/examples/0", "\"/srv/d/01\""),
        ("/1/choices",             "[]"),
    ];
    for (at, want) in wants {
        let got = items.pointer(at).unwrap_or_else(|| panic!("{at}: {json}"));
        assert_eq!(got.to_string(), want, "{at}");
    }
    let denied = items[1]["obstacle"].as_str().unwrap();
    assert!(denied.contains("a rule denies it"), "{denied}");
    assert_eq!(json["proposals"][0]["id"], "T1");
    assert_eq!(json["left_out"], 0);
    assert_eq!(items[0]["file"], scene.file().to_str().unwrap());
}
