use std::path::Path;

use enforcer_abi::Access;

use super::differences;
use crate::profile::Profile;

fn profile(rest: &str) -> Profile {
    let text = format!("name: p\nmode: enforce\n{rest}");
    Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap()
}

#[test]
fn differences_between_two_texts() {
    let read = "paths: [{ path: '/srv/**', allow: [read] }]\n";
    // Columns: what it shows, the old profile, the new one, the differences: an example, what
    // is gained, what is lost.
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, &[(&str, Access, Access)]); 11] = [
        ("the same", read, read, &[]),
        ("the same by other rules", read,
         "paths: [{ path: '/srv/[a-m]**', allow: [read] }, { path: '/srv/[!a-m]**', allow: [read] }]\n", &[]),
        ("a right more", read,
         "paths: [{ path: '/srv/**', allow: [read, write] }]\n",
         &[("/srv/a", Access::WRITE | Access::APPEND, Access::NONE)]),
        ("a narrower rule", read,
         "paths: [{ path: '/srv/*', allow: [read] }]\n",
         &[("/srv/a/a", Access::NONE, Access::READ)]),
        ("a deny", read,
         "paths: [{ path: '/srv/**', allow: [read] }, { path: '/srv/**/.git/**', deny: [all] }]\n",
         &[("/srv/.git/a", Access::NONE, Access::READ)]),
        ("a deny of what nobody allows", read,
         "paths: [{ path: '/srv/**', allow: [read] }, { path: '/root/**', deny: [all] }]\n", &[]),
        ("both ways", read,
         "paths: [{ path: '/opt/a', allow: [write] }]\n",
         &[("/opt/a", Access::WRITE | Access::APPEND, Access::NONE), ("/srv/a", Access::NONE, Access::READ)]),
        ("metadata", read,
         "metadata: true\npaths: [{ path: '/srv/**', allow: [read] }]\n",
         &[("/", Access::NONE, Access::METADATA)]),
        ("it ends", read,
         "paths: [{ path: '/srv/**', allow: [read], until: 2100-01-01 }]\n",
         &[("/srv/a", Access::NONE, Access::READ)]),
        ("and no more", "paths: [{ path: '/srv/**', allow: [read], for: 10s }]\n", read,
         &[("/srv/a", Access::READ, Access::NONE)]),
        ("what no path is like", read,
         "paths: [{ path: '/srv/**', allow: [read] }, { path: '/srv{,/}', allow: [create] }]\n",
         &[("/srv", Access::CREATE, Access::NONE)]),
    ];
    for (name, before, after, want) in cases {
        let [before, after] = [before, after].map(profile);
        let got = differences(&before, &after).unwrap();
        let got: Vec<_> = got
            .iter()
            .map(|found| {
                let example = String::from_utf8_lossy(&found.example).into_owned();
                (example, found.gained(), found.lost())
            })
            .collect();
        let mut got: Vec<_> = got
            .iter()
            .map(|(example, gained, lost)| (example.as_str(), *gained, *lost))
            .collect();
        got.sort_unstable_by_key(|(example, ..)| *example);
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn an_exec_that_leads_elsewhere() {
    let exec = |end: &str| profile(&format!("exec: [{{ path: /bin/x{end} }}]\n"));
    let (inherit, other) = (exec(""), exec(", profile: q"));
    let found = differences(&inherit, &other).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].leads_elsewhere());
    assert_eq!(found[0].example, b"/bin/x");
    assert!(found[0].gained().is_empty() && found[0].lost().is_empty());
    assert!(differences(&other, &other).unwrap().is_empty());
}

#[test]
fn ends_are_compared() {
    let rule = |end: &str| format!("{{ path: /srv/a, allow: [read]{end} }}");
    let all = |ends: &[&str]| {
        let rules: Vec<String> = ends.iter().copied().map(rule).collect();
        profile(&format!("paths: [{}]\n", rules.join(", ")))
    };
    let (soon, late) = (", until: 2090-01-01", ", until: 2100-01-01");
    let (short, long) = (", for: 1s", ", for: 1000d");
    let own = ", owner: true, until: 2090-01-01";
    // Columns: what it shows, the ends of the old rules, those of the new, whether they
    // last longer, or shorter.
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &[&str], bool, bool); 11] = [
        ("the same",                    &[soon],        &[soon],        false, false),
        ("the same beside a shorter",   &[late],        &[soon, late],  false, false),
        ("the same beside a lasting",   &[""],          &["", soon],    false, false),
        ("the same beside an owner's",  &[late],        &[late, own],   false, false),
        ("extended",                    &[soon],        &[late],        true,  false),
        ("shortened",                   &[late],        &[soon],        false, true),
        ("a longer span",               &[short],       &[long],        true,  false),
        ("a span gives way to a time",  &[long],        &[soon],        true,  true),
        ("a span beside a time",        &[soon],        &[soon, short], true,  false),
        ("for good",                    &[soon],        &[""],          true,  false),
        ("no more for good",            &[""],          &[short],       false, true),
    ];
    for (name, before, after, longer, shorter) in cases {
        let [before, after] = [before, after].map(all);
        let found = differences(&before, &after).unwrap();
        let gained = found.iter().any(|one| one.gained().contains(Access::READ));
        let lost = found.iter().any(|one| one.lost().contains(Access::READ));
        assert_eq!((gained, lost), (longer, shorter), "{name}: {found:?}");
        assert_eq!(found.len(), usize::from(longer || shorter), "{name}");
    }
}

#[test]
fn what_has_ended_grants_nothing() {
    let now = 2_000_000_000;
    let nothing = profile("");
    let until = |year: u32| {
        profile(&format!(
            "paths: [{{ path: /srv/a, allow: [read], until: {year}-01-01 }}]\n"
        ))
    };
    let (ended, lasting) = (until(2030), until(2090));
    // Columns: what it shows, the old profile, the new one, what is gained.
    #[rustfmt::skip]
    let cases = [
        ("only an ended rule", &nothing, &ended,   Access::NONE),
        ("revived",            &ended,   &lasting, Access::READ),
    ];
    for (name, before, after, want) in cases {
        let [before, after] = [before, after].map(|profile| profile.without_ended(now));
        let found = differences(&before, &after).unwrap();
        let gained = found
            .iter()
            .fold(Access::NONE, |all, one| all | one.gained());
        assert_eq!(gained, want, "{name}: {found:?}");
        assert_eq!(found.is_empty(), want.is_empty(), "{name}");
    }
}
