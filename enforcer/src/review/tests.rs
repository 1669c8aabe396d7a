use std::path::{Path, PathBuf};

use enforcer_abi::Access;
use jiff::Timestamp;

use super::{
    Addition, Choice, Draft, Item, Lineages, Obstacle, Standing, comment, items, seen, standing,
};
use crate::{
    detection::{Detection, DetectionId, State, TighteningId, Who, sample},
    draft::Root,
    learn::Evidence,
    profile::Removal,
    tighten::{Overlay, OverlayState},
};

const PROFILE: &str = "\
name: nginx
mode:   enforce    # as it was written
paths:
    - {path: /srv/www/**, allow: [ read ]}
    - {path: /srv/secret/**, deny: [all], reason: never}
    # last

exec:
  - { path: /usr/bin/other, profile: other }
";

/// A detection from words such as `open write /etc/x`; what is not a path is of a network, and
/// `privilege NAME` takes one.
fn detection(id: i64, words: &str) -> Detection {
    let mut words = words.split(' ');
    let mut next = || words.next().unwrap_or_default();
    let (operation, object) = (next(), next());
    let mut one = Detection {
        id: DetectionId(id),
        operation: operation.to_owned(),
        first_seen: Timestamp::from_second(id).unwrap(),
        who: Who {
            exe: Some(b"/usr/sbin/nginx".to_vec()),
            ..Who::default()
        },
        ..sample::detection()
    };
    if operation == "privilege" {
        one.privilege = Some(object.to_owned());
        (one.requested, one.missing) = (Access::NONE, Access::NONE);
        one.path = Vec::new();
        return one;
    }
    let access = object.split(',').filter_map(Access::from_name);
    one.missing = access.fold(Access::NONE, |all, right| all | right);
    one.requested = one.missing;
    one.path = next().as_bytes().to_vec();
    one
}

/// A profile that is reviewed.
fn draft(text: &str, tightenings: &[Overlay]) -> Draft {
    let file = "nginx.yaml".into();
    Draft::new(text.to_owned(), file, PathBuf::new(), tightenings).unwrap()
}

fn item(all: &[Detection]) -> Item {
    let mut items = items(all);
    assert!(!items.is_empty());
    items.remove(0)
}

/// How things stand with the first of these detections, in an empty root.
fn stands(all: &[Detection], draft: &Draft) -> Standing {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::at(dir.path()).unwrap();
    let item = item(all);
    let evidence = Evidence::of(&seen(&item, all, &|_| None), &root);
    standing(&item, draft, &evidence, &root)
}

#[test]
fn rules_of_choices() {
    use Choice::{Exact, Folder, Pattern};
    // Columns: what it shows, what was refused, the choices with the rules.
    #[rustfmt::skip]
    let cases: &[(&str, &[&str], &[(Choice, &str, &str)])] = &[
        ("a file",              &["open write /srv/www/a"],
            &[(Exact, "paths", "{ path: /srv/www/a, allow: [write] }"), (Folder, "paths", "{ path: /srv/www/*, allow: [write] }")]),
        ("a folder of others",  &["open read /etc/x"],            &[(Exact, "paths", "{ path: /etc/x, allow: [read] }")]),
        ("a folder of secrets", &["open read /etc/ssl/private/x"], &[(Exact, "paths", "{ path: /etc/ssl/private/x, allow: [read] }")]),
        ("several rights",      &["create write,create /srv/x"],  &[(Exact, "paths", "{ path: /srv/x, allow: [write, create] }")]),
        ("letters with a meaning", &["open read /etc/a*"],        &[(Exact, "paths", "{ path: /etc/a\\*, allow: [read] }")]),
        ("a program",           &["execute execute /usr/bin/x"],  &[(Exact, "exec", "{ path: /usr/bin/x, inherit: true }")]),
        ("one of a folder",     &["execute execute /opt/x/bin/y"],
            &[(Exact, "exec", "{ path: /opt/x/bin/y, inherit: true }"), (Folder, "exec", "{ path: /opt/x/bin/*, inherit: true }")]),
        ("code",                &["map map /srv/x/lib.so"],
            &[(Exact, "paths", "{ path: /srv/x/lib.so, allow: [map] }"), (Folder, "paths", "{ path: /srv/x/*, allow: [map] }")]),
        ("a process",           &["open read /proc/123/stat"],
            &[(Exact, "paths", "{ path: /proc/123/stat, allow: [read] }"), (Pattern, "paths", "{ path: \"/proc/[0-9]*/stat\", allow: [read] }")]),
        ("many of a folder",    &["open read /srv/d/a", "open read /srv/d/b", "open read /srv/d/c"],
            &[(Exact, "paths", "{ path: /srv/d/a, allow: [read] }"), (Folder, "paths", "{ path: /srv/d/*, allow: [read] }"), (Pattern, "paths", "{ path: /srv/d/*, allow: [read] }")]),
        ("a privilege",         &["privilege kill"],              &[(Exact, "privileges", "kill")]),
        ("an address",          &["connect connect tcp:10.0.0.1:443"],
            &[(Exact, "network", "{ protocol: tcp, address: 10.0.0.1, port: 443, allow: [connect] }")]),
        ("one of IPv6",         &["connect connect udp:[::1]:53"],
            &[(Exact, "network", "{ protocol: udp, address: \"::1\", port: 53, allow: [connect] }")]),
        ("all addresses",       &["bind bind tcp:0.0.0.0:80"],
            &[(Exact, "network", "{ protocol: tcp, address: 0.0.0.0, port: 80, allow: [bind] }")]),
        ("no ports",            &["connect connect icmp:10.0.0.1:0"],
            &[(Exact, "network", "{ protocol: icmp, address: 10.0.0.1, allow: [connect] }")]),
        ("a port of many",      &["bind bind udp:0.0.0.0:45678"],
            &[(Exact, "network", "{ protocol: udp, address: 0.0.0.0, port: 45678, allow: [bind] }"), (Pattern, "network", "{ family: ipv4, protocol: udp, port: 32768-60999, allow: [bind] }")]),
        ("a socket",            &["socket create netlink/route"], &[(Exact, "network", "{ family: netlink, protocol: route, allow: [create] }")]),
        ("one without protocols", &["socket create packet"],      &[(Exact, "network", "{ family: packet, allow: [create] }")]),
    ];
    let draft = draft(PROFILE, &[]);
    for (name, words, want) in cases {
        let all: Vec<Detection> = (1..)
            .zip(*words)
            .map(|(id, words)| detection(id, words))
            .collect();
        let Standing::Offers(offers) = stands(&all, &draft) else {
            panic!("{name}: nothing is offered");
        };
        let got: Vec<_> = offers
            .iter()
            .map(|offer| (offer.choice, offer.addition.key(), offer.addition.rule()))
            .collect();
        let want: Vec<_> = want
            .iter()
            .map(|&(choice, key, rule)| (choice, key, rule.to_owned()))
            .collect();
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn why_nothing_is_offered() {
    let of_reason = |reason: &str| Detection {
        reason: reason.to_owned(),
        ..detection(1, "open write /srv/www/a")
    };
    let blocked = Standing::Blocked;
    let unjudged = |reason: &str| Obstacle::Unjudged {
        reason: reason.to_owned(),
    };
    let denied = "nginx.yaml:5:14 (never)".to_owned();
    // Columns: what it shows, what was refused, how it stands.
    #[rustfmt::skip]
    let cases = [
        ("granted by now",  detection(1, "open read /srv/www/a"),           Standing::Granted),
        ("denied",          detection(1, "open read /srv/secret/a"),        blocked(Obstacle::Denied(vec![denied]))),
        ("contained",       of_reason("contained"),                         blocked(Obstacle::Contained)),
        ("a move",          of_reason("rights-grow"),                       blocked(Obstacle::RightsGrow)),
        ("another mount",   of_reason("foreign-mount"),                     blocked(unjudged("foreign-mount"))),
        ("no name",         detection(1, "open read "),                     blocked(Obstacle::Nameless)),
        ("no such right",   detection(1, "privilege capability-63"),        blocked(Obstacle::Useless { error: None })),
        ("no such object",  detection(1, "connect connect odd"),            blocked(Obstacle::Useless { error: None })),
    ];
    let draft = draft(PROFILE, &[]);
    for (name, detection, want) in cases {
        assert_eq!(stands(&[detection], &draft), want, "{name}");
    }
}

/// What a tightening took away no rule gives back: the tightening is taken back.
#[test]
fn what_was_tightened() {
    let overlay = |id, pattern: &str, state| Overlay {
        id: TighteningId(id),
        profile: "nginx".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        state,
        trial: None,
        since: None,
        detections: Vec::new(),
        removals: vec![Removal {
            pattern: pattern.to_owned(),
            access: Access::READ,
            except: Vec::new(),
        }],
        reason: String::new(),
    };
    let tightenings = [
        overlay(1, "/srv/www/**", OverlayState::Reverted),
        overlay(2, "/srv/www/**", OverlayState::Applied),
        overlay(3, "/srv/other/**", OverlayState::Applied),
    ];
    let draft = draft(PROFILE, &tightenings);
    let read = detection(1, "open read /srv/www/a");
    let tightened = Standing::Blocked(Obstacle::Tightened(vec![TighteningId(2)]));
    assert_eq!(stands(&[read], &draft), tightened);
    let write = detection(1, "open write /srv/www/a");
    assert!(matches!(stands(&[write], &draft), Standing::Offers(_)));
}

#[test]
fn what_is_accepted_is_written_and_granted() {
    let mut draft = draft(PROFILE, &[]);
    let at = Timestamp::from_second(1_796_000_000).unwrap();
    let write = detection(17, "open write /srv/www/a");
    let kill = detection(18, "privilege kill");
    assert!(!draft.policy().grants(&write));
    let path = Addition::on_paths("/srv/www/a", Access::WRITE);
    draft
        .accept(path, comment(at, write.id, " for uploads\n"))
        .unwrap();
    draft
        .accept(Addition::privilege("kill"), comment(at, kill.id, ""))
        .unwrap();
    assert!(draft.policy().grants(&write) && draft.policy().grants(&kill));
    assert!(draft.is_changed());
    let want = PROFILE.replace(
        "    # last\n",
        "    # last\n\n    # allowed on 2026-11-30 after D17: for uploads\n    - { path: /srv/www/a, allow: [write] }\n",
    ) + "\nprivileges:\n  # allowed on 2026-11-30 after D18\n  - kill\n";
    assert_eq!(draft.policy().text, want);
    assert_eq!(draft.before(), PROFILE);

    let wrong = Addition::on_paths("/srv/[", Access::WRITE);
    assert!(draft.accept(wrong, String::new()).is_err());
    assert_eq!(draft.policy().text, want, "it is as before");
}

/// Only what a rule brings with it is warned of.
#[test]
fn new_warnings() {
    let text = PROFILE.replace("    # last\n", "    - {path: '/**', allow: [read]}\n");
    let mut draft = draft(&text, &[]);
    let before = draft.warnings().unwrap();
    assert_eq!(before, []);
    let rule = Addition::on_paths("/srv/www/a", Access::READ);
    draft.accept(rule, String::new()).unwrap();
    let warnings: Vec<_> = draft.warnings().unwrap();
    let codes: Vec<_> = warnings.iter().map(|one| one.lint.code()).collect();
    assert_eq!(codes, ["shadowed"]);
}

#[test]
fn the_same_is_asked_once() {
    let change = |id, change: &dyn Fn(&mut Detection)| {
        let mut one = detection(id, "open write /a");
        change(&mut one);
        one
    };
    // Columns: what it shows, another detection, whether it is the same question.
    #[rustfmt::skip]
    let cases: &[(&str, &dyn Fn(&mut Detection), Option<bool>)] = &[
        ("another process",    &|one| (one.lineage, one.who.pid) = (9, 99),     Some(true)),
        ("on trial",           &|one| "audited".clone_into(&mut one.verdict),   Some(true)),
        ("another mode",       &|one| "nginx+audit".clone_into(&mut one.profile), Some(true)),
        ("to be learned",      &|one| "learned".clone_into(&mut one.verdict),   Some(true)),
        ("another profile",    &|one| "other".clone_into(&mut one.profile),     Some(false)),
        ("another program",    &|one| one.who.exe = Some(b"/b".to_vec()),       Some(false)),
        ("another path",       &|one| one.path = b"/b".to_vec(),                Some(false)),
        ("another right",      &|one| one.missing = Access::READ,               Some(false)),
        ("another operation",  &|one| "truncate".clone_into(&mut one.operation), Some(false)),
        ("another reason",     &|one| "contained".clone_into(&mut one.reason),  Some(false)),
        ("what was granted",   &|one| "allowed".clone_into(&mut one.verdict),   None),
        ("what is settled",    &|one| one.state = State::Resolved,              None),
        ("an attack",          &|one| one.state = State::Acknowledged,          None),
    ];
    for (name, other, want) in cases {
        let all = [change(1, other), change(2, &|_| {})];
        let items = items(&all);
        let ids: Vec<Vec<i64>> = items
            .iter()
            .map(|item| item.ids().map(|id| id.0).collect())
            .collect();
        let wanted = match want {
            Some(true) => vec![vec![1, 2]],
            Some(false) => vec![vec![1], vec![2]],
            None => vec![vec![2]],
        };
        assert_eq!(ids, wanted, "{name}");
    }
}

#[test]
fn what_items_tell() {
    let of = |id: i64, count, verdict: &str| Detection {
        count,
        verdict: verdict.to_owned(),
        last_seen: Timestamp::from_second(100 - id).unwrap(),
        ..detection(id, "open write /a")
    };
    // The oldest is first, whatever its name.
    let mut all = [of(1, 2, "denied"), of(2, u64::MAX, "audited")];
    all[0].first_seen = Timestamp::from_second(50).unwrap();
    let item = item(&all);
    assert_eq!(item.first().id, DetectionId(2));
    assert_eq!(item.count(), u64::MAX);
    assert_eq!(item.last_seen(), Timestamp::from_second(99).unwrap());
    let verdicts: Vec<&str> = item.verdicts().into_iter().collect();
    assert_eq!(verdicts, ["audited", "denied"]);
    assert_eq!(
        (item.profile(), item.program()),
        ("nginx", &b"/usr/sbin/nginx"[..])
    );
}

#[test]
fn who_was_refused_something_else() {
    let of = |id, lineage, path: &str| Detection {
        lineage,
        ..detection(id, &format!("open write {path}"))
    };
    let settled = Detection {
        state: State::Resolved,
        ..of(3, 1, "/c")
    };
    let learned = Detection {
        verdict: "learned".to_owned(),
        ..of(4, 1, "/d")
    };
    let known = Detection {
        state: State::Acknowledged,
        ..of(5, 1, "/e")
    };
    let all = [
        of(1, 1, "/a"),
        of(2, 1, "/b"),
        settled,
        learned,
        known,
        of(6, 2, "/a"),
        of(7, 2, "/f"),
        of(8, 3, "/g"),
        of(9, 0, "/h"),
        of(10, 0, "/i"),
    ];
    let others = |lineages: &Lineages, item: &Item| -> Vec<i64> {
        lineages.others(item).into_iter().map(|id| id.0).collect()
    };
    let mut lineages = Lineages::of(&all);
    let items = items(&all);
    assert_eq!(others(&lineages, &items[0]), [2, 5, 7]);
    let alone = items.iter().find(|item| item.first().id.0 == 8).unwrap();
    assert_eq!(others(&lineages, alone), [0_i64; 0]);
    let nobody = items.iter().find(|item| item.first().id.0 == 9).unwrap();
    assert_eq!(others(&lineages, nobody), [0_i64; 0]);
    lineages.settle([DetectionId(2), DetectionId(7)]);
    assert_eq!(others(&lineages, &items[0]), [5]);
}

/// What is an attack gives no evidence for patterns.
#[test]
fn attacks_are_no_evidence() {
    let mut all: Vec<Detection> = (1..)
        .zip([
            "open read /srv/d/a",
            "open read /srv/d/b",
            "open read /srv/d/c",
        ])
        .map(|(id, words)| detection(id, words))
        .collect();
    let has_pattern = |all: &[Detection]| {
        let draft = draft(PROFILE, &[]);
        let Standing::Offers(offers) = stands(all, &draft) else {
            panic!("nothing is offered");
        };
        offers.iter().any(|offer| offer.choice == Choice::Pattern)
    };
    assert!(has_pattern(&all));
    all[2].state = State::Acknowledged;
    assert!(!has_pattern(&all));
}

/// What a pattern admits is told.
#[test]
fn previews() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("srv/d")).unwrap();
    for name in ["a", "b", "c"] {
        std::fs::write(dir.path().join("srv/d").join(name), "").unwrap();
    }
    let root = Root::at(dir.path()).unwrap();
    let all = [detection(1, "open read /srv/d/a")];
    let item = item(&all);
    let evidence = Evidence::of(&seen(&item, &all, &|_| None), &root);
    let Standing::Offers(offers) = standing(&item, &draft(PROFILE, &[]), &evidence, &root) else {
        panic!("nothing is offered");
    };
    assert!(offers[0].admitted.is_none(), "it admits itself alone");
    let admitted = offers[1].admitted.clone().unwrap();
    assert_eq!(admitted.count, 2);
    assert_eq!(
        admitted.examples,
        [b"/srv/d/b".to_vec(), b"/srv/d/c".to_vec()]
    );
    assert_eq!(Path::new("nginx.yaml"), draft(PROFILE, &[]).file());
}
