//! Rules that others make superfluous: those of the abstractions, above all.

use std::path::{Path, PathBuf};

use enforcer_abi::Access;

use super::{
    DraftError, Request,
    libraries::Libraries,
    sketch::{Group, Scope, Sketch, pattern},
};
use crate::profile::{self, Profile, ProfileError, Rule, Warning, compile_alone};

/// Adds rules for libraries that the abstractions do not grant.
pub(super) fn libraries(
    request: &Request<'_>,
    libraries: &Libraries,
    base: bool,
    sketch: &mut Sketch,
) -> Result<(), DraftError> {
    let names: Vec<&str> = sketch.include.iter().map(|one| one.name.as_str()).collect();
    let text = format!("name: x\nmode: audit\ninclude: [{}]\n", names.join(", "));
    let profile = Profile::parse(&text, Path::new("x.yaml"), request.abstractions)?;
    let compiled = compile_alone(&profile).map_err(ProfileError::from)?;
    let wanted = Access::READ | Access::MAP;
    for library in &libraries.found {
        let path = library.path.as_os_str().as_encoded_bytes();
        if compiled.judge(path).outcome.allow.contains(wanted) {
            continue;
        }
        let source = format!("it is linked with {}", library.name);
        let (stem, ending) = stem(&library.path);
        let glob = pattern(&stem, Scope::Path) + ending;
        sketch.pattern(Group::Libraries, glob, wanted, source);
    }
    if !base && !libraries.found.is_empty() {
        let cache = (Path::new("/etc/ld.so.cache"), Scope::Path);
        sketch.rule(Group::Libraries, cache, Access::READ, "the loader");
    }
    sketch.rules.sort_by_key(|rule| rule.group);
    Ok(())
}

/// A library's path without its version, which changes with each update, and what stands
/// for that in a pattern.
fn stem(path: &Path) -> (PathBuf, &'static str) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.find(".so.") {
        Some(at) => {
            let stem = name.get(..at).unwrap_or_default();
            (path.with_file_name(format!("{stem}.so")), "{,.*}")
        }
        None => (path.to_owned(), ""),
    }
}

/// Takes away what the check of profiles calls superfluous, and returns what is left: the
/// profile `name`, formatted, and what else it is warned of.
pub(super) fn without_superfluous(
    request: &Request<'_>,
    name: &str,
    sketch: &mut Sketch,
    text: &dyn Fn(&Sketch) -> String,
) -> Result<(String, Vec<Warning>), DraftError> {
    let file = PathBuf::from(format!("{name}.yaml"));
    let remove = |sketch: &mut Sketch, rule: &Rule| {
        let place = sketch.position(rule.pattern.text());
        place.map(|place| sketch.remove(place)).is_some()
    };
    let files = [file.as_path(), request.abstractions];
    Ok(profile::without_superfluous(
        sketch,
        files,
        |sketch| Ok(text(sketch)),
        remove,
    )?)
}
