use std::path::Path;

use enforcer_abi::{Access, Slot};

use crate::profile::{Profile, compile_attachments, compile_cgroups};

fn profile(name: &str, rest: &str) -> Profile {
    let text = format!("name: {name}\nmode: enforce\n{rest}");
    let file = format!("{name}.yaml");
    Profile::parse(&text, Path::new(&file), Path::new("")).unwrap()
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
fn units() {
    let web = profile(
        "web",
        "applies_to: { units: [nginx.service, memory.service] }\n",
    );
    let db = profile("db", "applies_to: { units: [db@1.service] }\n");
    let none = profile("none", "applies_to: { executables: [/usr/bin/x] }\n");
    let all = [(&web, Slot(2)), (&none, Slot(3)), (&db, Slot(4))];
    let table = compile_cgroups(&all).unwrap();
    // Columns: what it shows, cgroup, slot.
    #[rustfmt::skip]
    let cases = [
        ("a unit of the system", "/system.slice/nginx.service",                        Slot(2)),
        ("at the root",          "/nginx.service",                                     Slot(2)),
        ("of a user",            "/user.slice/user@1.service/app.slice/nginx.service", Slot(2)),
        ("beneath a unit",       "/system.slice/nginx.service/worker/1",               Slot(2)),
        ("escaped by systemd",   "/system.slice/_memory.service",                      Slot(2)),
        ("a kernel's file",      "/system.slice/memory.service",                       Slot::NONE),
        ("an instance",          "/system.slice/system-db.slice/db@1.service",         Slot(4)),
        ("another instance",     "/system.slice/system-db.slice/db@2.service",         Slot::NONE),
        ("a longer name",        "/system.slice/my-nginx.service",                     Slot::NONE),
        ("the root",             "/",                                                  Slot::NONE),
        ("the outer decides",    "/system.slice/db@1.service/nginx.service/x",         Slot(4)),
        ("the other way round",  "/system.slice/nginx.service/x/db@1.service",         Slot(2)),
        ("whatever comes then",  "/nginx.service/db@1.service/nginx.service",          Slot(2)),
    ];
    for (name, path, slot) in cases {
        let judgement = table.judge(path.as_bytes());
        assert_eq!(judgement.outcome.target, slot, "{name}");
        assert_eq!(judgement.rules.target, slot, "{name}");
    }
    let nobody = compile_cgroups(&[(&none, Slot(3))]).unwrap();
    assert_eq!(nobody.judge(b"/nginx.service").outcome.target, Slot::NONE);
}

#[test]
fn cgroups() {
    let jobs = profile(
        "jobs",
        "applies_to: { cgroups: [/batch/job-*, /batch/job-1/x], units: [apps.slice, a.service] }\n",
    );
    let table = compile_cgroups(&[(&jobs, Slot(2))]).unwrap();
    #[rustfmt::skip]
    let cases = [
        ("a cgroup",       "/batch/job-1",         Slot(2)),
        ("beneath it",     "/batch/job-1/a/b",     Slot(2)),
        ("named twice",    "/batch/job-1/x",       Slot(2)),
        ("above it",       "/batch",               Slot::NONE),
        ("beside it",      "/batch/jobs",          Slot::NONE),
        ("a slice",        "/x.slice/apps.slice",  Slot(2)),
        ("in a slice",     "/apps.slice/a.service", Slot(2)),
    ];
    for (name, path, slot) in cases {
        assert_eq!(table.judge(path.as_bytes()).outcome.target, slot, "{name}");
    }

    let all = profile("all", "applies_to: { cgroups: [/] }\n");
    let table = compile_cgroups(&[(&all, Slot(2))]).unwrap();
    for path in ["/", "/a", "/a/b"] {
        assert_eq!(table.judge(path.as_bytes()).outcome.target, Slot(2));
    }
}

#[test]
fn refuse_cgroups_of_two() {
    // Columns: what it shows, of one profile, of the other, what is wrong.
    #[rustfmt::skip]
    let cases = [
        ("nothing",          "units: [a.service]",   "units: [b.service]",   None),
        ("one unit",         "units: [a.service]",   "units: [a.service]",   Some("/a.service")),
        ("a unit's slice",   "units: [a.slice]",     "units: [a.service]",   Some("/a.service/a.slice")),
        ("two slices",       "units: [a.slice]",     "units: [b.slice]",     Some("/a.slice/b.slice")),
        ("a unit's cgroup",  "cgroups: [/a]",        "units: [a.service]",   Some("/a/a.service")),
        ("cgroups",          "cgroups: [/a/*]",      "cgroups: [/a/b]",      Some("/a/b")),
        ("one beneath",      "cgroups: [/a]",        "cgroups: [/a/b]",      Some("/a/b")),
        ("disjoint cgroups", "cgroups: [/a/c]",      "cgroups: [/a/b]",      None),
    ];
    for (name, first, second, want) in cases {
        let [first, second] = [("p", first), ("q", second)]
            .map(|(name, list)| profile(name, &format!("applies_to: {{ {list} }}\n")));
        let got = compile_cgroups(&[(&first, Slot(2)), (&second, Slot(3))]).err();
        let want = want.map(|example| {
            format!("the profiles `p` and `q` both apply to the cgroup {example}; name cgroups by their paths, and make these disjoint")
        });
        assert_eq!(got.map(|error| error.fault.to_string()), want, "{name}");
    }
}

/// There are as many states as names have letters, and not one for each set of units.
#[test]
fn many_units() {
    let profiles: Vec<Profile> = (0..200)
        .map(|number| {
            let units = format!("[service-{number}.service, helper-{number}.service]");
            profile(
                &format!("p{number}"),
                &format!("applies_to: {{ units: {units} }}\n"),
            )
        })
        .collect();
    let slots = (2..).map(Slot);
    let all: Vec<_> = profiles.iter().zip(slots).collect();
    let table = compile_cgroups(&all).unwrap();
    assert!(table.states < 8_000, "{} states", table.states);
    let slot = |path: &str| table.judge(path.as_bytes()).outcome.target;
    assert_eq!(slot("/system.slice/helper-199.service/x"), Slot(201));
    assert_eq!(slot("/service-7.service/service-8.service"), Slot(9));
}
