//! Profiles that programs make, without the rules that others make superfluous.

use std::path::Path;

use super::{FileKind, FormatError, Lint, Profile, ProfileError, Rule, Warning, format, lint};

/// Takes away what the check of profiles calls superfluous, and returns what is left: the
/// profile in the one style, and what else it is warned of.
///
/// `text` writes the profile `made` for `file`, and `remove` takes such a rule out of it, or
/// says that it is none of its own.
///
/// # Errors
///
/// If an abstraction has errors, or what was made is no profile.
pub(crate) fn without_superfluous<T: ?Sized>(
    made: &mut T,
    [file, abstractions]: [&Path; 2],
    text: impl Fn(&T) -> Result<String, FormatError>,
    remove: impl Fn(&mut T, &Rule) -> bool,
) -> Result<(String, Vec<Warning>), FormatError> {
    loop {
        let formatted = format(&text(made)?, file, FileKind::Profile, abstractions)?;
        let profile = Profile::parse(&formatted, file, abstractions)?;
        let warnings = lint(&profile).map_err(ProfileError::from)?;
        let mut superfluous = warnings.iter().filter_map(|warning| {
            let Lint::Shadowed { .. } = warning.lint else {
                return None;
            };
            let mut rules = profile.rules.iter();
            rules.find(|rule| rule.origin == warning.origin)
        });
        // One at a time: each of two may make the other superfluous.
        if !superfluous.any(|rule| remove(made, rule)) {
            return Ok((formatted, warnings));
        }
    }
}
