//! What a profile includes.

use std::path::Path;

use serde_yaml::Spanned;

use super::{Loader, Part, is_name, read};
use crate::profile::{
    error::{Problem, ProfileError},
    limits::INCLUDES,
    raw::RawAbstraction,
    suggest,
    yaml::Source,
    yaml_files,
};

impl Loader<'_> {
    /// Reads what the file `source` includes, each abstraction once. `includers`
    /// are the abstractions that led here.
    pub(super) fn include_all(
        &mut self,
        source: &Source,
        names: &[Spanned<String>],
        includers: &mut Vec<String>,
    ) {
        for name in names {
            if self.is_hopeless() {
                return;
            }
            if let Err(ProfileError { origin, problem }) = self.include(source, name, includers) {
                self.error(origin, problem);
            }
        }
    }

    fn include(
        &mut self,
        source: &Source,
        name: &Spanned<String>,
        includers: &mut Vec<String>,
    ) -> Result<(), ProfileError> {
        let here = |problem| ProfileError {
            origin: source.origin(name.referenced),
            problem,
        };
        let name = name.value.clone();
        if !is_name(&name) {
            let name = crate::profile::Escaped(name.as_bytes()).to_string();
            return Err(here(Problem::InvalidName { name }));
        }
        if includers.contains(&name) {
            let way = includers.clone();
            return Err(here(Problem::IncludeCycle { name, way }));
        }
        if includers.len() >= INCLUDES {
            return Err(here(Problem::IncludesTooDeep { name }));
        }
        let file = self.abstractions.join(format!("{name}.yaml"));
        if self.parts.iter().any(|part| *part.source.file == *file) {
            return Ok(());
        }
        let included = read(&file).map_err(|error| match error.problem {
            Problem::Read { cause } if cause.kind() == std::io::ErrorKind::NotFound => {
                here(Problem::MissingInclude {
                    suggestion: like(&name, self.abstractions),
                    name: name.clone(),
                    file: file.into(),
                })
            }
            _ => error,
        })?;
        let raw: RawAbstraction = included.parse()?;

        // In its place before what it includes: its variables win over theirs.
        let place = self.parts.len();
        includers.push(name);
        self.include_all(&included, &raw.include, includers);
        includers.pop();
        let mut part = Part::new(included, raw);
        part.includers.clone_from(includers);
        self.parts.insert(place, part);
        Ok(())
    }
}

/// The abstraction in the folder `abstractions` whose name is like `name`.
fn like(name: &str, abstractions: &Path) -> Option<Box<str>> {
    // Without the folder there is none.
    let files = yaml_files(abstractions).unwrap_or_default();
    let stems: Vec<&str> = files
        .iter()
        .filter_map(|file| file.file_stem()?.to_str())
        .collect();
    suggest::nearest(name, stems).map(Into::into)
}
