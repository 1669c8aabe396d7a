//! Each reason to refuse is provoked, and counted under its name.
//!
//! - [`places`]: objects whose place says nothing, or too much
//! - [`programs`]: what a program would take with it
//! - [`failures`]: what a healthy kernel does not do by itself

mod failures;
mod places;
mod programs;

use enforcer_abi::Reason;

/// The test that provokes a reason. A new reason does not compile without one.
fn provoked_by(reason: Reason) -> &'static str {
    match reason {
        Reason::NotGranted => "open::*",
        Reason::PathTooLong => "limits::paths::paths_have_a_longest",
        Reason::PathTooDeep => "limits::paths::ways_have_a_longest",
        Reason::ForeignMount => "reasons::places::a_mount_of_another_namespace",
        Reason::DetachedMount => "reasons::places::a_mount_that_is_gone",
        Reason::InternalMount => "reasons::places::a_message_queue",
        Reason::Escaped => "reasons::places::a_folder_that_left_its_mount",
        Reason::Raced => "reasons::places::a_way_that_does_not_stand_still",
        Reason::Fault => "reasons::failures::a_read_that_fails",
        Reason::NoTable => "reasons::failures::a_table_that_is_missing",
        Reason::NoScratch => "reasons::failures::no_scratch",
        Reason::NoLabel => "reasons::failures::no_seat",
        Reason::Nameless => "reasons::programs::a_program_without_a_name",
        Reason::SecondProfile => "subject::a_confined_process_keeps_its_process_layer",
        Reason::RightsGrow => "reasons::places::a_name_with_more_rights",
        Reason::Traced => "reasons::programs::a_traced_switch",
        Reason::NoMount => "reasons::places::an_object_on_no_mount",
        Reason::TooManyMounts => "reasons::places::an_object_behind_too_many_mounts",
        Reason::TooManyDescriptors => "reasons::programs::too_many_descriptors",
        Reason::Watched => "rules::rules_say_what_is_told",
        Reason::OddAddress => "network::an_address_that_is_none",
        Reason::Contained => "contain::the_next_call_is_refused",
        Reason::OnTrial => "trial::a_use_ends_the_trial",
    }
}

/// The list above names tests that there are.
#[test]
fn every_reason_has_a_test() {
    let files = [
        ("contain", include_str!("contain.rs")),
        ("limits::paths", include_str!("limits/paths.rs")),
        ("network", include_str!("network.rs")),
        ("open", include_str!("open.rs")),
        ("reasons::failures", include_str!("reasons/failures.rs")),
        ("reasons::places", include_str!("reasons/places.rs")),
        ("reasons::programs", include_str!("reasons/programs.rs")),
        ("rules", include_str!("rules.rs")),
        ("subject", include_str!("subject.rs")),
        ("trial", include_str!("trial.rs")),
    ];
    for reason in Reason::ALL {
        let (module, name) = provoked_by(reason).rsplit_once("::").expect("a path");
        let (_, text) = files
            .iter()
            .find(|(file, _)| *file == module)
            .unwrap_or_else(|| panic!("no module {module}"));
        assert!(
            name == "*" || text.contains(&format!("\nfn {name}()")),
            "{}: no test {name} in {module}",
            reason.name()
        );
    }
}
