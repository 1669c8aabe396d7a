//! What has to hold of any text that is read as a profile. The tests mutate profiles for
//! it, and so does libFuzzer (`enforcer/fuzz/targets/profile_text.rs`).

use std::path::Path;

use enforcer::profile::{Checked, Owner, Profile, check, explain};
use enforcer_abi::{Access, limits::TABLE_WORDS};

/// How far a text came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Came {
    /// It is no profile.
    Nowhere,
    /// It is one, and something is wrong with it.
    Profile,
    /// It makes a table.
    Table,
}

/// Reads `text` as a profile that may include the abstractions in a folder, checks it, and
/// looks at what is said.
///
/// # Panics
///
/// If a message would do something to a terminal, or what is said does not fit together.
pub(crate) fn exercise(text: &str, abstractions: &Path) -> Came {
    // A profile has to have the name of its file, so the file is called after it.
    let names = text.lines().filter_map(|line| line.strip_prefix("name: "));
    let name = names.map(str::trim).next().unwrap_or("p");
    let file = format!("{name}.yaml");
    let profile = match Profile::parse_all(text, Path::new(&file), abstractions) {
        Ok(profile) => profile,
        Err(errors) => {
            for error in errors {
                assert!(error.origin.line >= 1 && error.origin.column >= 1);
                assert!(!error.problem.code().is_empty());
                is_clean(&error.to_string());
            }
            return Came::Nowhere;
        }
    };
    let Checked { compiled, warnings } = match check(&profile) {
        Ok(checked) => checked,
        Err(error) => {
            is_clean(&error.to_string());
            return Came::Profile;
        }
    };
    assert!(compiled.words.len() <= TABLE_WORDS.into_iter().max().unwrap_or(0));
    for warning in warnings {
        is_clean(&warning.to_string());
    }
    for rule in profile.rules.iter().take(3) {
        let path = [rule.pattern.literal_prefix(), b"x"].concat();
        let reach = compiled.judge(&path).outcome.reach();
        for owner in [Owner::Task, Owner::Other] {
            let explanation = explain(&profile, &compiled, Access::ALL, &path, owner);
            let granted = reach.granted(owner == Owner::Task);
            assert_eq!(explanation.missing, Access::ALL.missing_from(granted));
        }
    }
    Came::Table
}

/// Nothing in a message does anything to a terminal.
fn is_clean(message: &str) {
    let odd = message.chars().find(|letter| letter.is_control());
    assert_eq!(odd, None, "{message:?}");
    assert!(!message.is_empty());
}
