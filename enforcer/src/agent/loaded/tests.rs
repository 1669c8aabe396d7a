//! Changes of the loaded profiles, on a kernel that refuses on demand.

mod attach;
mod subjects;
mod world;

use enforcer_abi::{
    Access, Mode, Slot,
    table::{Header, Words as _},
};

use self::world::{World, parse, profile};
use super::{Source, change::ChangeError};
use crate::{
    profile::{Profile, ProfileMode, Respond},
    tighten::OverlayState,
};

#[test]
fn tables_go_in_before_what_leads_to_them() {
    let mut world = World::new();
    let written = world
        .load(&[profile("a", &["/x"]), profile("b", &["/y"])])
        .unwrap();
    assert_eq!(written, [2, 3, 0]);
    assert_eq!(world.kernel.epoch, 1);
    let attachments = &world.kernel.tables[&0];
    assert_eq!(attachments.judge(b"/bin/b").target, world.slot("b"));
    assert_eq!(world.granted(world.slot("a"), "/x"), Access::READ);
    assert_eq!(world.kernel.mode(world.slot("a")), Mode::ENFORCE);

    let [a, b] = ["a", "b"].map(|name| world.registry.get(name).unwrap().current.clone());
    assert_ne!(a.generation, b.generation);
    assert_ne!(a.range.first, b.range.first);
    let words = &world.kernel.tables[&2];
    assert_eq!(words.word(Header::GENERATION), a.generation);
    assert_eq!(words.word(Header::HITS), a.range.first);
}

#[test]
fn no_profile_is_a_state_too() {
    let mut world = World::new();
    assert_eq!(world.load(&[]).unwrap(), [0]);
    assert_eq!(world.kernel.epoch, 0, "the programs do nothing");
    assert_eq!(world.load(&[]).unwrap(), [0_u32; 0]);
    world.load(&[profile("a", &["/x"])]).unwrap();
    assert_eq!(world.kernel.epoch, 1, "they look at every task");
}

#[test]
fn only_what_changed_is_loaded() {
    let mut world = World::new();
    let [a, b] = [profile("a", &["/x"]), profile("b", &["/y"])];
    world.load(&[a.clone(), b.clone()]).unwrap();
    world.kernel.access(Slot(2), "/x", Access::READ);

    assert_eq!(
        world.load(&[a.clone(), b.clone()]).unwrap(),
        [0_u32; 0],
        "nothing"
    );
    let moved = parse(
        "a",
        "# a comment\nname: a\nmode: enforce\napplies_to: { executables: [/bin/a] }\npaths:\n  - { path: /x, allow: [read] }\n",
    );
    assert_eq!(
        world.load(&[moved, b.clone()]).unwrap(),
        [0_u32; 0],
        "a line moved"
    );
    let line = world.registry.get("a").unwrap().current.effective.rules[0]
        .origin
        .line;
    assert_eq!(line, 6);
    let usage = world.registry.usage("a", &world.kernel).unwrap();
    assert_eq!(usage.of("/x"), Access::READ, "hits stay with their table");

    let changed = profile("a", &["/x", "/z"]);
    assert_eq!(
        world.load(&[changed.clone(), b.clone()]).unwrap(),
        [2],
        "one profile"
    );
    assert_eq!(world.kernel.epoch, 1);
    let usage = world.registry.usage("a", &world.kernel).unwrap();
    assert_eq!(usage.of("/x"), Access::NONE, "a new profile was never used");

    let mut contains = changed;
    contains.on_violation.respond = Respond::Contain;
    assert_eq!(world.load(&[contains, b]).unwrap(), [2], "another answer");
}

#[test]
fn a_removed_profile_refuses_nothing_and_keeps_its_slot() {
    let mut world = World::new();
    let [a, b] = [profile("a", &["/x"]), profile("b", &["/y"])];
    world.load(&[a.clone(), b.clone()]).unwrap();
    let audited = world.audit("a");
    assert_eq!(
        world.load(std::slice::from_ref(&b)).unwrap(),
        [0, 2, audited.0]
    );
    for slot in [Slot(2), audited] {
        assert_eq!(world.kernel.mode(slot), Mode::OFF);
        assert_eq!(world.granted(slot, "/x"), Access::NONE);
    }
    assert!(world.registry.get("a").is_none());
    assert_eq!(world.registry.in_slot(Slot(2)).unwrap().0, "a");

    assert_eq!(
        world.load(&[b.clone(), profile("c", &["/z"])]).unwrap(),
        [5, 0],
        "no slot is reused"
    );
    assert_eq!(
        world.load(&[a, b]).unwrap(),
        [2, 0, 5],
        "and it comes back to its own"
    );
    assert_eq!(world.kernel.mode(Slot(2)), Mode::ENFORCE);
    assert_eq!(world.kernel.mode(audited), Mode::OFF);
}

#[test]
fn tightening_takes_away_and_revert_gives_back() {
    let mut world = World::new();
    world
        .load(&[profile("a", &["/srv/www/**", "/srv/legacy/**"])])
        .unwrap();
    let slot = world.slot("a");
    world.kernel.access(slot, "/srv/www/index", Access::READ);
    let before = world.registry.get("a").unwrap().current.compiled.digest();

    world
        .tighten("/srv/legacy/**", OverlayState::Applied)
        .unwrap();
    assert_eq!(world.granted(slot, "/srv/legacy/x"), Access::NONE);
    assert_eq!(world.granted(slot, "/srv/www/x"), Access::READ);
    assert_ne!(
        world.registry.get("a").unwrap().current.compiled.digest(),
        before
    );
    let usage = world.registry.usage("a", &world.kernel).unwrap();
    assert_eq!(
        usage.of("/srv/www/**"),
        Access::READ,
        "what was used stays used"
    );
    assert_eq!(
        world
            .registry
            .get("a")
            .unwrap()
            .hits(&world.kernel)
            .unwrap(),
        1
    );

    world.kernel.access(slot, "/srv/www/index", Access::READ);
    world
        .tighten("/srv/legacy/**", OverlayState::Reverted)
        .unwrap();
    assert_eq!(world.granted(slot, "/srv/legacy/x"), Access::READ);
    assert_eq!(
        world.registry.get("a").unwrap().current.compiled.digest(),
        before
    );
    assert_eq!(
        world
            .registry
            .get("a")
            .unwrap()
            .hits(&world.kernel)
            .unwrap(),
        2
    );
}

#[test]
fn a_mode_is_an_instance_of_its_own() {
    let mut world = World::new();
    world.load(&[profile("a", &["/srv/legacy/**"])]).unwrap();
    let (own, audited) = (world.slot("a"), world.audit("a"));
    assert_ne!(own, audited);
    assert_eq!(world.audit("a"), audited, "asked for twice");
    assert_eq!(world.kernel.mode(own), Mode::ENFORCE);
    assert_eq!(world.kernel.mode(audited), Mode::AUDIT);

    // Whoever uses a right uses it, in whatever mode.
    world.kernel.access(audited, "/srv/legacy/x", Access::READ);
    let usage = world.registry.usage("a", &world.kernel).unwrap();
    assert_eq!(usage.of("/srv/legacy/**"), Access::READ);

    world
        .tighten("/srv/legacy/**", OverlayState::Applied)
        .unwrap();
    for slot in [own, audited] {
        assert_eq!(world.granted(slot, "/srv/legacy/x"), Access::NONE);
    }
    let same = world
        .registry
        .stage_mode("a", ProfileMode::Enforce, &world.overlays)
        .unwrap();
    assert_eq!(same.0, "a");
    world.registry.abandon(same.1);
}

#[test]
fn a_file_confines_only_what_is_put_under_it() {
    let mut world = World::new();
    world.load(&[profile("b", &["/y"])]).unwrap();
    let load = |world: &mut World, profile: Profile| {
        let staged = world.registry.stage_file(profile, &world.overlays)?;
        world.registry.commit(staged, &mut world.kernel).map(drop)
    };
    load(&mut world, profile("a", &["/x"])).unwrap();
    assert_eq!(world.registry.get("a").unwrap().source, Source::File);
    let attachments = &world.kernel.tables[&0];
    assert_eq!(attachments.judge(b"/bin/a").target, Slot::NONE);

    let generation = world.registry.get("a").unwrap().current.generation;
    load(&mut world, profile("a", &["/x"])).unwrap();
    assert_eq!(
        world.registry.get("a").unwrap().current.generation,
        generation
    );

    let elsewhere = Profile {
        source: "/elsewhere/b.yaml".into(),
        ..profile("b", &["/"])
    };
    let error = load(&mut world, elsewhere).unwrap_err();
    assert!(matches!(error, ChangeError::NameTaken { .. }), "{error}");
    let error = world.load(&[profile("a", &["/x"])]).unwrap_err();
    assert!(matches!(error, ChangeError::NameTaken { .. }), "{error}");
    assert_eq!(world.load(&[]).unwrap(), [0, 2]);
    assert!(
        world.registry.get("a").is_some(),
        "the folder does not decide about it"
    );
}

#[test]
fn an_exec_does_not_lead_to_what_is_gone() {
    let mut world = World::new();
    let b = profile("b", &["/y"]);
    world.load(std::slice::from_ref(&b)).unwrap();
    world.load(&[]).unwrap();
    let a = parse(
        "a",
        "name: a\nmode: enforce\nexec:\n  - { path: /bin/b, profile: b }\n",
    );
    let staged = world.registry.stage_file(a.clone(), &world.overlays);
    assert!(matches!(staged, Err(ChangeError::Compile(_))), "{staged:?}");
    world.load(&[a, b]).unwrap();
    let target = world.kernel.tables[&world.slot("a").0]
        .judge(b"/bin/b")
        .target;
    assert_eq!(target, world.slot("b"));
}

/// Whichever write the kernel refuses, all is as before.
#[test]
fn a_refused_change_leaves_nothing_behind() {
    for accepted in 0..20 {
        let mut world = World::new();
        let before = [
            profile("a", &["/x"]),
            profile("b", &["/y"]),
            profile("c", &["/z"]),
        ];
        world.load(&before).unwrap();
        let tables = world.kernel.tables.clone();
        let taken = format!("{:?}", world.registry.ranges);

        world.kernel.refuses_after = Some(accepted);
        let after = [
            profile("a", &["/x", "/w"]),
            profile("b", &["/y", "/w"]),
            profile("d", &["/z"]),
        ];
        let result = world.load(&after);
        if world.kernel.refuses_after.take().is_some() {
            assert!(accepted > 8, "all writes were accepted");
            result.unwrap();
            return;
        }
        if let Err(error) = result {
            assert!(
                matches!(error, ChangeError::Kernel { restored: true, .. }),
                "{error}"
            );
            let mut left = world.kernel.tables.clone();
            // The new profile's table may stay: no task and no table leads to it.
            left.remove(&5);
            assert_eq!(left, tables, "after {accepted} writes");
            assert_eq!(format!("{:?}", world.registry.ranges), taken);
            assert!(world.registry.get("d").is_none());
        } else {
            // Only the last write, which takes the removed profile's refusals
            // away, can fail without failing the change.
            assert_eq!(world.kernel.mode(Slot(4)), Mode::ENFORCE);
            assert!(world.registry.get("c").is_some());
        }
        world.load(&after).unwrap();
        assert_eq!(world.kernel.mode(Slot(4)), Mode::OFF);
        assert_eq!(world.granted(Slot(2), "/w"), Access::READ);
    }
    panic!("twenty writes are not enough");
}
