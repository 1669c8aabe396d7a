//! Users, cgroups, running processes, and what the kernel cannot do.

use enforcer_abi::{Adopted, Mode, Slot, Subjects as Kinds, limits::ADOPTED, table::Words as _};

use super::{
    super::{AdoptError, change::ChangeError},
    world::{World, parse, profile},
};
use crate::{kernel::hooks::Feature, profile::Profile};

/// The profile `name` for these subjects.
fn of(name: &str, applies_to: &str) -> Profile {
    parse(
        name,
        &format!(
            "name: {name}\nmode: enforce\napplies_to: {{ {applies_to} }}\npaths:\n  - {{ path: /x, allow: [read] }}\n"
        ),
    )
}

fn process(tgid: u32) -> Adopted {
    Adopted {
        start: 7,
        tgid,
        reserved: 0,
    }
}

#[test]
fn users_lead_to_their_profiles() {
    let mut world = World::new();
    world
        .load(&[of("a", "users: [www, 1000]"), of("b", "users: [root]")])
        .unwrap();
    let [a, b] = ["a", "b"].map(|name| world.slot(name));
    let users: Vec<_> = world.kernel.users.clone().into_iter().collect();
    assert_eq!(users, [(0, b), (33, a), (1000, a)]);
    assert_eq!(world.kernel.kinds, Kinds::USERS);

    world
        .load(&[of("a", "users: [www]"), of("b", "users: [1000]")])
        .unwrap();
    let users: Vec<_> = world.kernel.users.clone().into_iter().collect();
    assert_eq!(users, [(33, a), (1000, b)]);
    assert_eq!(world.kernel.epoch, 2);

    world.load(&[profile("a", &["/x"])]).unwrap();
    assert!(world.kernel.users.is_empty());
    assert_eq!(world.kernel.kinds, Kinds::EXECUTABLES);
}

#[test]
fn users_that_cannot_be() {
    let mut world = World::new();
    #[rustfmt::skip]
    let cases = [
        ("unknown",            vec![of("a", "users: [nobody]")],                      "/p/a.yaml:3:"),
        ("two profiles",       vec![of("a", "users: [www]"), of("b", "users: [33]")],     "/p/b.yaml:3:"),
    ];
    for (name, profiles, want) in cases {
        let error = world.load(&profiles).unwrap_err().to_string();
        assert!(error.contains(want), "{name}: {error}");
        assert!(world.kernel.tables.is_empty(), "{name}");
    }
    world
        .load(&[of("a", "users: [www, 33]")])
        .expect("one user by name and by id");
    world.forget_accounts();
    let error = world.load(&[of("a", "users: [www]")]).unwrap_err();
    assert!(matches!(error, ChangeError::Accounts { .. }), "{error}");
    world.load(&[of("a", "users: [33]")]).unwrap();
}

#[test]
fn cgroups_lead_to_their_profiles() {
    let mut world = World::new();
    world.load(&[profile("a", &["/x"])]).unwrap();
    assert!(!world.kernel.tables.contains_key(&Slot::CGROUPS.0));
    assert_eq!(world.kernel.kinds, Kinds::EXECUTABLES);

    let b = of("b", "cgroups: [/system.slice/b.service]");
    let written = world.load(&[profile("a", &["/x"]), b]).unwrap();
    let slot = world.slot("b");
    assert_eq!(
        written,
        [slot.0, Slot::CGROUPS.0],
        "the table that it leads to first"
    );
    assert_eq!(world.kernel.kinds, Kinds::EXECUTABLES | Kinds::CGROUPS);
    let table = &world.kernel.tables[&Slot::CGROUPS.0];
    for path in ["/system.slice/b.service", "/system.slice/b.service/worker"] {
        assert_eq!(table.judge(path.as_bytes()).target, slot, "{path}");
        assert_eq!(
            world.registry.of_cgroup(path.as_bytes()),
            Some("b"),
            "{path}"
        );
    }
    assert_eq!(world.registry.of_cgroup(b"/system.slice"), None);

    world.load(&[profile("a", &["/x"])]).unwrap();
    let kinds = world.kernel.kinds;
    assert_eq!(kinds, Kinds::EXECUTABLES, "the old table is not asked");
    assert_eq!(world.registry.of_cgroup(b"/system.slice/b.service"), None);
}

#[test]
fn who_watches_attaches_cgroups_until_the_end() {
    let mut world = World::new();
    let all = [profile("a", &["/x"]), of("b", "cgroups: [/b]")];
    world.load(&all).unwrap();
    let kinds = world.kernel.kinds;
    let end = |world: &mut World, name: &str| {
        let staged = world.registry.stage_unwatch(name, &world.overlays)?;
        world.registry.commit(staged, &mut world.kernel)
    };
    for round in 0..2 {
        let watch = of("watch", "cgroups: [/c]");
        let staged = world.registry.stage_watch(watch, &world.overlays).unwrap();
        world.registry.commit(staged, &mut world.kernel).unwrap();
        // The folder's profiles are read anew meanwhile.
        world.load(&all).unwrap();
        let slot = world.slot("watch");
        let table = &world.kernel.tables[&Slot::CGROUPS.0];
        assert_eq!(table.judge(b"/c/d").target, slot, "{round}");
        assert_eq!(table.judge(b"/b").target, world.slot("b"), "{round}");
        assert_eq!(world.kernel.mode(slot), Mode::ENFORCE, "{round}");

        end(&mut world, "watch").unwrap();
        let table = &world.kernel.tables[&Slot::CGROUPS.0];
        assert_eq!(table.judge(b"/c/d").target, Slot::NONE, "{round}");
        assert_eq!(table.judge(b"/b").target, world.slot("b"), "{round}");
        assert_eq!(world.kernel.mode(slot), Mode::OFF, "{round}");
        assert_eq!(world.kernel.kinds, kinds, "{round}");
    }
    for name in ["watch", "a", "nobody"] {
        let error = end(&mut world, name).unwrap_err();
        assert!(matches!(error, ChangeError::NotLoaded { .. }), "{error}");
    }
    let taken = parse("a", "name: a\nmode: learn\npaths: []\n");
    let taken = Profile {
        source: "/other/a.yaml".into(),
        ..taken
    };
    let error = world
        .registry
        .stage_watch(taken, &world.overlays)
        .unwrap_err();
    assert!(matches!(error, ChangeError::NameTaken { .. }), "{error}");
}

#[test]
fn processes_are_adopted_once() {
    let mut world = World::new();
    world
        .load(&[of("a", "users: [www]"), profile("b", &["/y"])])
        .unwrap();
    let (registry, kernel) = (&mut world.registry, &mut world.kernel);
    assert!(registry.adopt(process(5), "b", kernel).unwrap());
    assert_eq!(kernel.adopted[&process(5)], Slot(3));
    assert_eq!(
        (kernel.epoch, kernel.kinds),
        (2, Kinds::USERS | Kinds::EXECUTABLES | Kinds::ADOPTED)
    );

    assert!(!registry.adopt(process(5), "b", kernel).unwrap());
    assert_eq!(kernel.epoch, 2, "nothing changed");
    let error = registry.adopt(process(5), "a", kernel).unwrap_err();
    assert!(matches!(error, AdoptError::Taken { .. }), "{error}");
    let error = registry.adopt(process(6), "c", kernel).unwrap_err();
    assert!(matches!(error, AdoptError::NotLoaded { .. }), "{error}");

    for accepted in 0..2 {
        kernel.refuses_after = Some(accepted);
        let error = registry.adopt(process(6), "b", kernel).unwrap_err();
        assert!(matches!(error, AdoptError::Kernel { .. }), "{error}");
        assert_eq!(kernel.adopted.len(), 1, "after {accepted} writes");
    }
    registry.forget_dead(|_| false, kernel).unwrap();
    assert!(kernel.adopted.is_empty());
    registry.adopt(process(5), "a", kernel).unwrap();

    for tgid in 10..10 + u32::try_from(ADOPTED).unwrap() - 1 {
        registry.adopt(process(tgid), "a", kernel).unwrap();
    }
    let error = registry.adopt(process(6), "a", kernel).unwrap_err();
    assert!(matches!(error, AdoptError::NoRoom), "{error}");
}

#[test]
fn what_the_kernel_lacks_is_refused() {
    let mut world = World::new();
    world.kernel.lacks = vec![Feature::SecureExec];
    let leads = parse(
        "a",
        "name: a\nmode: enforce\nexec:\n  - { path: /bin/b, profile: b }\n",
    );
    let stays = parse("a", "name: a\nmode: enforce\nexec:\n  - { path: /bin/b }\n");
    let b = profile("b", &["/y"]);
    let error = world.load(&[leads.clone(), b.clone()]).unwrap_err();
    assert!(matches!(error, ChangeError::Lacks { .. }), "{error}");
    let error = error.to_string();
    assert!(error.starts_with("/p/a.yaml:4:"), "{error}");
    assert!(error.contains("Linux 5.12"), "{error}");
    assert!(world.kernel.tables.is_empty());
    world.load(&[stays, b.clone()]).unwrap();

    world.kernel.lacks.clear();
    world.load(&[leads, b]).unwrap();
}

/// Whichever write the kernel refuses, everybody is where they were.
#[test]
fn refused_subjects_are_put_back() {
    for accepted in 0..20 {
        let mut world = World::new();
        world
            .load(&[
                of("a", "users: [www, 1000], cgroups: [/a]"),
                of("b", "users: [root]"),
            ])
            .unwrap();
        let state = |world: &World| {
            let kernel = &world.kernel;
            (kernel.tables.clone(), kernel.users.clone(), kernel.kinds)
        };
        let before = state(&world);
        let after = [
            of("a", "users: [1001], cgroups: [/b]"),
            of("b", "users: [root, www]"),
        ];
        world.kernel.refuses_after = Some(accepted);
        match world.load(&after) {
            Ok(_) => {
                assert_eq!(accepted, 5, "all writes were accepted");
                return;
            }
            Err(ChangeError::Kernel { restored: true, .. }) => {
                assert_eq!(state(&world), before, "after {accepted} writes");
            }
            Err(error) => panic!("after {accepted} writes: {error}"),
        }
        world.kernel.refuses_after = None;
        world.load(&after).unwrap();
        let users: Vec<_> = world.kernel.users.keys().copied().collect();
        assert_eq!(users, [0, 33, 1001]);
    }
    panic!("twenty writes are not enough");
}
