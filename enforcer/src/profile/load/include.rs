//! What a profile includes.

use serde_yaml::Spanned;

use super::{Loader, Part, is_name, read};
use crate::profile::{
    error::{Problem, ProfileError},
    raw::RawAbstraction,
    yaml::Source,
};

/// Longest chain of abstractions that include one another.
const DEPTH: usize = 16;

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
            if let Err(error) = self.include(source, name, includers) {
                self.errors.push(error);
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
        if includers.contains(&name) || includers.len() > DEPTH {
            let way = includers.clone();
            return Err(here(Problem::IncludeCycle { name, way }));
        }
        let file = self.abstractions.join(format!("{name}.yaml"));
        if self.parts.iter().any(|part| *part.source.file == *file) {
            return Ok(());
        }
        let included = read(&file).map_err(|error| match error.problem {
            Problem::Read { cause } if cause.kind() == std::io::ErrorKind::NotFound => {
                here(Problem::MissingInclude {
                    name: name.clone(),
                    file,
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
