use jiff::Timestamp;

use super::{Fake, Scene, plan};
use crate::{
    cli::review::{Outcome, desk::Desk, view},
    protocol::views::Plan,
};

#[test]
fn letters_of_a_detection() {
    use Outcome::{Done, InPart};
    let write = "open write /srv/d/00";
    let allowed = "# allowed after D1";
    let exact = "- { path: /srv/d/00, allow: [write] }";
    let folder = "- { path: /srv/d/*, allow: [write] }";
    // Columns: what it shows, the detection, what is typed, what the agent is asked for, lines
    // that the profile has more, what came of it.
    #[rustfmt::skip]
    let cases: &[(&str, &str, &str, &[&str], &[&str], Outcome)] = &[
        ("allow it",            write, "a\n\ny\n",          &["load folder", "resolved D1"], &[allowed, exact], Done),
        ("with a reason",       write, "a\nfor uploads\ny\n", &["load folder", "resolved D1"], &["# allowed after D1: for uploads", exact], Done),
        ("its folder",          write, "d\ny\n\ny\n",       &["load folder", "resolved D1"], &[allowed, folder], Done),
        ("its folder, after all not", write, "d\nn\nk\n",   &["resolved D1"], &[], Done),
        ("not confirmed",       write, "a\n\nn\n",          &[], &[], InPart),
        ("not confirmed by all means", write, "a\n\nyes\n", &[], &[], InPart),
        ("nobody confirms",     write, "a\n\n",             &[], &[], InPart),
        ("keep it denied",      write, "k\n",               &["resolved D1"], &[], Done),
        ("an attack",           write, "x\n",               &["acknowledged D1"], &[], Done),
        ("skip it",             write, "s\n",               &[], &[], Done),
        ("quit",                write, "q\n",               &[], &[], Done),
        ("nobody answers",      write, "",                  &[], &[], Done),
        ("help, and odd letters", write, "?\n\nz\nkk\nk\n", &["resolved D1"], &[], Done),
        ("no pattern is offered", write, "p\nk\n",          &["resolved D1"], &[], Done),
        ("a privilege",         "privilege kill", "a\n\ny\n", &["load folder", "resolved D1"], &["privileges:", allowed, "- kill"], Done),
        ("a deny",              "open read /srv/secret/x", "a\nd\nk\n", &["resolved D1"], &[], Done),
        ("granted by now",      "open read /srv/www/x", "\n", &["resolved D1"], &[], Done),
    ];
    for (name, words, typed, asked, added, outcome) in cases {
        let scene = Scene::new(&[(1, 1, words)]);
        let mut agent = Fake::default();
        let (said, got) = scene.typed(typed, &mut agent);
        assert_eq!(agent.asked, *asked, "{name}: {said}");
        assert_eq!(scene.added(), *added, "{name}: {said}");
        assert_eq!(got, *outcome, "{name}: {said}");
    }
}

#[test]
fn what_is_shown() {
    let scene = Scene::new(&[
        (1, 1, "open write /srv/d/00"),
        (2, 2, "open read /srv/secret/x"),
        (3, 3, "open write /srv/d/x\u{1b}[2J"),
        (4, 3, "open write /etc/x"),
    ]);
    let (said, _) = scene.typed("?\nd\nn\ns\ns\ns\ns\n", &mut Fake::default());
    for want in [
        "[1/4] D1\n",
        "who      /usr/sbin/nginx (pid 0, uid 0)\n",
        "what     open of /srv/d/00, which needs write\n",
        "when     once, 1970-01-01T00:00:01Z",
        "outcome  denied: not-granted\n",
        "nginx.yaml:4:14: allow read on /srv/www/**\n",
        "allow a  paths: { path: /srv/d/00, allow: [write] }\n",
        "allow d  paths: { path: /srv/d/*, allow: [write] }\n",
        "[a/d/k/x/s/q/?] a  allow exactly this\n",
        "It admits 11 objects that exist beyond what was seen:\n  /srv/d/01\n",
        "  /srv/d/10\n  and 1 more\nAllow it? [y/n] ",
        "it cannot be allowed: a rule denies it, which no other rule lifts: ",
        "nginx.yaml:5:14 (never)\n",
        "/srv/d/x\\u{1b}[2J",
        "attack?  it looks like an attack: the same processes were refused something else, too (D4)\n",
        "[a/d/k/x/s/q/?] (nothing: x) ",
    ] {
        assert!(said.contains(want), "{want}\nis not in\n{said}");
    }
    assert!(
        !said.contains("by a pattern"),
        "what is not offered is not explained"
    );
}

/// Each item is judged with what was allowed before it, and makes nobody suspect once it is
/// settled.
#[test]
fn one_after_another() {
    let scene = Scene::new(&[
        (1, 1, "open write /srv/d/00"),
        (2, 1, "open write /srv/d/01"),
        (3, 1, "open write /etc/x"),
        (4, 1, "privilege kill"),
    ]);
    let mut agent = Fake::default();
    // The first is suspected for the others. The second is granted by the folder of the first;
    // it would be an attack for the sake of the others.
    let (said, _) = scene.typed("d\ny\nboth\nk\nk\n\na\n\ny\n", &mut agent);
    assert_eq!(said.matches("(nothing: x)").count(), 3, "{said}");
    assert!(said.contains("or will with what was allowed"), "{said}");
    // Of the last nothing is suspected any more: a line without a letter says nothing.
    assert!(said.contains("One of these letters"), "{said}");
    assert_eq!(
        agent.asked,
        ["resolved D3", "load folder", "resolved D1 D2 D4"]
    );
    assert_eq!(
        scene.added(),
        [
            "# allowed after D1: both",
            "- { path: /srv/d/*, allow: [write] }",
            "privileges:",
            "# allowed after D4",
            "- kill"
        ]
    );
}

#[test]
fn letters_of_a_proposal() {
    let used = Plan {
        in_use: plan(1).removals,
        ..plan(1)
    };
    let on_trial = Plan {
        trial: Some(Timestamp::UNIX_EPOCH),
        ..plan(1)
    };
    // Columns: what it shows, the proposal, what is typed, what the agent is asked for.
    #[rustfmt::skip]
    let cases: &[(&str, Plan, &str, &[&str])] = &[
        ("apply it",         plan(1),  "a\n",    &["Apply T1"]),
        ("try it",           plan(1),  "t\n",    &["Try T1"]),
        ("keep the rights",  plan(1),  "k\n",    &["Decline T1"]),
        ("skip it",          plan(1),  "s\n",    &[]),
        ("quit",             plan(1),  "q\n",    &[]),
        ("nobody answers",   plan(1),  "",       &[]),
        ("what is used",     used,     "a\nt\nk\n", &["Decline T1"]),
        ("what is on trial", on_trial, "t\na\n", &["Apply T1"]),
    ];
    for (name, plan, typed, asked) in cases {
        let mut scene = Scene::new(&[]);
        scene.proposals = vec![plan.clone()];
        let mut agent = Fake::default();
        let (said, outcome) = scene.typed(typed, &mut agent);
        assert_eq!(agent.asked, *asked, "{name}: {said}");
        assert_eq!(outcome, Outcome::Done, "{name}");
        assert!(
            said.contains("why: not used for 30 days\n"),
            "{name}: {said}"
        );
    }
}

#[test]
fn there_is_nothing() {
    let scene = Scene::new(&[]);
    let (said, outcome) = scene.typed("", &mut Fake::default());
    assert_eq!(
        (said.as_str(), outcome),
        ("There is nothing to decide.\n", Outcome::Nothing)
    );
    let root = scene.root();
    assert!(view::of(&mut Desk::new(scene.known(), None, &root)).is_empty());
}

/// What is only learned under profiles that are gone is left out, and what was refused under
/// them can be settled.
#[test]
fn profiles_that_are_gone() {
    let mut scene = Scene::new(&[(1, 1, "open read /a"), (2, 2, "open read /b")]);
    "learn-x".clone_into(&mut scene.detections[0].profile);
    "learned".clone_into(&mut scene.detections[0].verdict);
    "old".clone_into(&mut scene.detections[1].profile);
    let mut agent = Fake::default();
    let (said, _) = scene.typed("a\nk\n", &mut agent);
    assert!(said.contains("profiles that are gone: 1."), "{said}");
    assert!(said.contains("the profile old is not loaded"), "{said}");
    assert_eq!(agent.asked, ["resolved D2"]);
}

/// Only what is about a profile is asked, in whatever mode that was.
#[test]
fn one_profile() {
    let mut scene = Scene::new(&[(1, 1, "open read /a"), (2, 2, "open read /b")]);
    "nginx+audit".clone_into(&mut scene.detections[0].profile);
    "other".clone_into(&mut scene.detections[1].profile);
    scene.proposals = vec![plan(1)];
    let root = scene.root();
    for (profile, want) in [("nginx", 2), ("other", 1), ("none", 0)] {
        let desk = Desk::new(scene.known(), Some(profile), &root);
        let all = desk.items().len() + desk.proposals().len();
        assert_eq!(all, want, "{profile}");
    }
}

/// What is not loaded is not written.
#[test]
fn files_are_as_they_were() {
    // Columns: what it shows, whether the agent refuses, whether the file changes meanwhile,
    // what is said.
    #[rustfmt::skip]
    let cases = [
        ("an agent that loads nothing",   true,  false, "other.yaml:1:1: it has an error"),
        ("a file that changed meanwhile", false, true,  "was changed meanwhile"),
    ];
    for (name, refuses, changes, want) in cases {
        let scene = Scene::new(&[(1, 1, "open write /srv/d/00"), (2, 2, "open write /etc/x")]);
        let before = scene.text();
        let mut agent = Fake {
            refuses,
            rival: changes.then(|| scene.file()),
            ..Fake::default()
        };
        // The second answer has the rival act.
        let (said, outcome) = scene.typed("a\n\nk\ny\n", &mut agent);
        assert!(said.contains(want), "{name}: {said}");
        assert_eq!(outcome, Outcome::InPart, "{name}");
        assert_eq!(agent.asked, ["resolved D2"], "{name}");
        assert_eq!(scene.text() == before, !changes, "{name}");
        assert!(!scene.text().contains("/srv/d/00"), "{name}");
    }
}
