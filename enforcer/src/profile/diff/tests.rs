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
