//! What is attached for which profiles, and when.

use super::{
    super::change::ChangeError,
    world::{World, parse, profile},
};
use crate::{kernel::hooks::Need, profile::Profile};

/// A profile with something besides its name, mode and rules.
fn with(name: &str, more: &str) -> Profile {
    parse(
        name,
        &format!("name: {name}\nmode: audit\n{more}\npaths:\n  - {{ path: /x, allow: [read] }}\n"),
    )
}

/// One for each kind of need.
fn plain() -> Profile {
    profile("plain", &["/x"])
}

fn user() -> Profile {
    with("user", "applies_to: { users: [www] }")
}

fn metadata() -> Profile {
    with("metadata", "metadata: true")
}

#[test]
fn what_profiles_need() {
    const ANY: [Need; 2] = [Need::Profile, Need::Memory];
    let cgroup = with("cgroup", "applies_to: { cgroups: [/a] }");
    #[rustfmt::skip]
    let cases = [
        ("none",              vec![],                                 vec![]),
        ("of a program",      vec![plain()],                          ANY.to_vec()),
        ("of nobody",         vec![with("nobody", "")],               ANY.to_vec()),
        ("of a cgroup",       vec![cgroup],                           ANY.to_vec()),
        ("of a user",         vec![user()],                           [&ANY[..], &[Need::Users]].concat()),
        ("of metadata",       vec![metadata()],                       [&ANY[..], &[Need::Metadata]].concat()),
        ("of all that",       vec![plain(), user(), metadata()],      [&ANY[..], &[Need::Users, Need::Metadata]].concat()),
    ];
    for (name, profiles, want) in cases {
        let mut world = World::new();
        world.load(&profiles).unwrap();
        assert_eq!(world.kernel.attached, want, "{name}");
    }
}

/// The kernel of the tests checks besides that it comes before what it is for.
#[test]
fn it_is_attached_when_first_needed() {
    let mut world = World::new();
    #[rustfmt::skip]
    let steps: [(&[Profile], &[Need]); 6] = [
        (&[],                              &[]),
        (&[plain()],                       &[Need::Profile, Need::Memory]),
        (&[plain(), metadata()],           &[Need::Profile, Need::Memory, Need::Metadata]),
        (&[],                              &[Need::Profile, Need::Memory, Need::Metadata]),
        (&[user()],                        &[Need::Profile, Need::Memory, Need::Metadata, Need::Users]),
        (&[plain()],                       &[Need::Profile, Need::Memory, Need::Metadata, Need::Users]),
    ];
    for (number, (profiles, want)) in steps.into_iter().enumerate() {
        world.load(profiles).unwrap();
        assert_eq!(world.kernel.attached, want, "step {number}");
    }
}

/// The text of a profile stays, and who it is for changes.
#[test]
fn a_user_who_is_named_later_needs_it_too() {
    let mut world = World::new();
    world.load(&[with("user", "")]).unwrap();
    assert!(!world.kernel.attached.contains(&Need::Users));
    assert_eq!(world.load(&[user()]).unwrap(), [0_u32; 0], "no new table");
    assert!(world.kernel.attached.contains(&Need::Users));
}

/// Whatever cannot be attached, nobody is under the profile, and the next try has all.
#[test]
fn what_cannot_be_attached_confines_nobody() {
    let profiles = [user(), metadata()];
    for accepted in 0..4 {
        let mut world = World::new();
        world.load(&[]).unwrap();
        world.kernel.refuses_after = Some(accepted);
        let error = world.load(&profiles).unwrap_err();
        assert!(
            matches!(error, ChangeError::Kernel { restored: true, .. }),
            "{error}"
        );
        let kernel = &world.kernel;
        assert_eq!(kernel.attached.len(), accepted);
        assert_eq!(kernel.epoch, 0, "the programs do nothing");
        assert!(kernel.users.is_empty(), "{accepted}");
        let tables: Vec<_> = kernel.tables.keys().copied().collect();
        assert_eq!(tables, [0], "only the empty one of programs");
        assert!(world.registry.get("user").is_none());

        world.load(&profiles).unwrap();
        assert_eq!(world.kernel.attached.len(), 4);
        assert_eq!(world.kernel.epoch, 1);
    }
}

/// A profile that was loaded before stays in force.
#[test]
fn a_refused_hook_leaves_the_profiles_from_before() {
    let mut world = World::new();
    world.load(&[plain()]).unwrap();
    world.kernel.refuses_after = Some(0);
    let error = world.load(&[plain(), metadata()]).unwrap_err();
    assert!(
        matches!(error, ChangeError::Kernel { restored: true, .. }),
        "{error}"
    );
    assert!(world.registry.get("plain").is_some());
    assert!(world.registry.get("metadata").is_none());
    world.load(&[plain(), metadata()]).unwrap();
    assert!(world.kernel.attached.contains(&Need::Metadata));
}
