use std::path::Path;

use enforcer_abi::{Access, Mode, Slot, table::Words as _};

use crate::profile::{Compiled, Profile, Removal, compile, compile_attachments};

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
        "paths: [{ path: /bin/b, deny: [execute] }]\nexec: [{ path: /bin/a, profile: q }, { path: /bin/b, profile: q }, { path: /bin/c }]\n",
    );
    let table = compiled(&profile);
    let run = Access::EXECUTE | Access::MAP;
    #[rustfmt::skip]
    let cases = [
        ("/bin/a", run,          Slot(7)),
        // Who may not be executed leads nowhere.
        ("/bin/b", Access::MAP,  Slot::NONE),
        ("/bin/c", run,          Slot::NONE),
        ("/bin/d", Access::NONE, Slot::NONE),
    ];
    for (path, allow, target) in cases {
        let outcome = table.judge(path.as_bytes()).outcome;
        assert_eq!((outcome.allow, outcome.target), (allow, target), "{path}");
    }
}

#[test]
fn a_target_without_a_slot() {
    let profile = profile("p", "exec: [{ path: /bin/a, profile: r }]\n");
    let error = compile(&profile, &slots).unwrap_err();
    assert_eq!(
        error.to_string(),
        "p.yaml:3:16: there is no profile `r` to start this program in"
    );
}

#[test]
fn attachments() {
    let one = profile(
        "one",
        "applies_to: { executables: [/usr/bin/a, \"/opt/a/**\"] }\n",
    );
    let two = profile("two", "applies_to: { executables: [/usr/bin/b] }\n");
    let none = profile("none", "");
    let all = [(&one, Slot(1)), (&none, Slot(2)), (&two, Slot(3))];
    let table = compile_attachments(&all).unwrap();
    #[rustfmt::skip]
    let cases = [
        ("/usr/bin/a",   Slot(1),    vec![0]),
        ("/opt/a/bin/x", Slot(1),    vec![0]),
        ("/usr/bin/b",   Slot(3),    vec![2]),
        ("/usr/bin/c",   Slot::NONE, vec![]),
    ];
    for (path, slot, claim) in cases {
        let judgement = table.judge(path.as_bytes());
        assert_eq!(judgement.outcome.target, slot, "{path}");
        assert_eq!(judgement.outcome.allow, Access::NONE, "{path}");
        assert_eq!(judgement.rules.granting, claim, "{path}");
    }

    let nobody = compile_attachments(&[]).unwrap();
    assert_eq!(nobody.judge(b"/usr/bin/a").outcome.target, Slot::NONE);
}

#[test]
fn one_profile_may_name_a_program_twice() {
    let twice = profile(
        "p",
        "applies_to: { executables: [/usr/bin/a, \"/usr/bin/*\"] }\n",
    );
    let table = compile_attachments(&[(&twice, Slot(1))]).unwrap();
    assert_eq!(table.judge(b"/usr/bin/a").outcome.target, Slot(1));
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
