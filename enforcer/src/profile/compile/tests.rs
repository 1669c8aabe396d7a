use std::path::Path;

use enforcer_abi::{Access, Mode, Slot, table::Words as _};

use crate::profile::{Compiled, Profile, Removal, compile};

fn profile(name: &str, rest: &str) -> Profile {
    let text = format!("name: {name}\nmode: enforce\n{rest}");
    let file = format!("{name}.yaml");
    Profile::parse(&text, Path::new(&file), Path::new("")).unwrap()
}

fn slots(name: &str) -> Option<Slot> {
    (name == "q").then_some(Slot(7))
}

fn compiled(profile: &Profile) -> Compiled {
    compile(profile, &slots).unwrap()
}

#[test]
fn execs_lead_to_slots() {
    let profile = profile(
        "p",
        "paths: [{ path: /bin/b, deny: [execute] }]\nexec: [{ path: /bin/a, profile: q }, { path: /bin/b, profile: q }, { path: /bin/c }, { path: /bin/e }, { path: /bin/e, deny: true }]\n",
    );
    let table = compiled(&profile);
    let run = Access::EXECUTE | Access::MAP;
    // Columns: path, rights, target, whether the environment is scrubbed.
    #[rustfmt::skip]
    let cases = [
        ("/bin/a", run,          Slot(7),    true),
        // Who may not be executed leads nowhere.
        ("/bin/b", Access::MAP,  Slot::NONE, false),
        ("/bin/c", run,          Slot::NONE, false),
        ("/bin/d", Access::NONE, Slot::NONE, false),
        ("/bin/e", Access::MAP,  Slot::NONE, false),
    ];
    for (path, allow, target, scrub) in cases {
        let outcome = table.judge(path.as_bytes()).outcome;
        let got = (
            outcome.allow.missing_from(Access::METADATA),
            outcome.target,
            outcome.scrub,
        );
        assert_eq!(got, (allow, target, scrub), "{path}");
    }
}

#[test]
fn privileges_are_in_the_header() {
    let text = "privileges: [chown, setuid, mount, terminal]\n";
    let table = compiled(&profile("p", text));
    let names: Vec<_> = table.words.as_slice().privileges().names().collect();
    assert_eq!(names, ["chown", "setuid", "sys_admin", "mount", "terminal"]);
    let none = compiled(&profile("p", ""));
    assert_eq!(none.words.as_slice().privileges().0, 0);
    assert_ne!(none.digest(), table.digest(), "privileges are rights");
}

#[test]
fn metadata_is_granted_unless_rules_decide() {
    let rules = "paths: [{ path: /a, allow: [read] }, { path: /b, deny: [all] }]\n";
    let unmediated = compiled(&profile("p", rules));
    let mediated = compiled(&profile("p", &format!("metadata: true\n{rules}")));
    for path in ["/a", "/b", "/c", "/a/b"] {
        let rights = |table: &Compiled| table.judge(path.as_bytes()).outcome.allow;
        assert!(rights(&unmediated).contains(Access::METADATA), "{path}");
        // Who may read may look.
        let looks = rights(&mediated).contains(Access::METADATA);
        assert_eq!(looks, path == "/a", "{path}");
    }
    let nothing = compiled(&profile("p", ""));
    assert_eq!(nothing.judge(b"/c").outcome.allow, Access::METADATA);
    assert_eq!(nothing.judge(b"/c").outcome.class, 0);
}

#[test]
fn a_target_without_a_slot() {
    let profile = profile("p", "exec: [{ path: /bin/a, profile: r }]\n");
    let error = compile(&profile, &slots).unwrap_err();
    assert_eq!(
        error.to_string(),
        "p.yaml:3:16: there is no profile `r` to start this program in; load it, too"
    );
}

#[test]
fn digest_is_of_the_rights() {
    let text = "paths: [{ path: /a, allow: [read, write] }, { path: /b, allow: [read] }]\n";
    let base = profile("p", text);
    let digest = compiled(&base).digest();
    assert_eq!(digest.len(), 64);

    let mut audits = base.clone();
    audits.mode = crate::profile::ProfileMode::Audit;
    let audits = compiled(&audits);
    assert_eq!(audits.words.as_slice().mode(), Mode::AUDIT);
    assert_eq!(audits.digest(), digest);
    // The text around the rights makes no difference.
    assert_eq!(
        compiled(&profile("q", &format!("# x\n{text}"))).digest(),
        digest
    );

    let removal = |pattern: &str, access| Removal {
        pattern: pattern.to_owned(),
        access,
        except: Vec::new(),
    };
    let less = base.without(&[removal("/a", Access::WRITE)]);
    assert_eq!(less.rules[0].allow, Access::READ | Access::APPEND);
    assert_ne!(compiled(&less).digest(), digest);
    assert_eq!(
        compiled(&base.without(&[removal("/*", Access::READ)])).digest(),
        digest
    );

    // A rule that is left without a right is still there.
    let least = base.without(&[removal("/b", Access::ALL)]);
    assert_eq!(least.rules.len(), 2);
    assert!(least.rules[1].allow.is_empty());
    assert_eq!(compiled(&least).judge(b"/b").outcome.index, 0);
}

#[test]
fn removals_are_written_with_names() {
    let removal = Removal {
        pattern: "/srv/**".to_owned(),
        access: Access::READ | Access::APPEND,
        except: Vec::new(),
    };
    let json = serde_json::to_string(&removal).unwrap();
    assert_eq!(json, r#"{"pattern":"/srv/**","access":["read","append"]}"#);
    assert_eq!(serde_json::from_str::<Removal>(&json).unwrap(), removal);
    let error = serde_json::from_str::<Removal>(&json.replace("read", "raed")).unwrap_err();
    assert!(
        error.to_string().contains("did you mean `read`?"),
        "{error}"
    );
}
