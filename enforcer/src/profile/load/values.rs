//! The variables of a file and their values.

use super::{Loader, Part};
use crate::profile::{
    Escaped, Origin, glob,
    raw::{RawVariable, RawVariables},
    variables::{self, Definition, VariableFault},
};

impl Loader<'_> {
    /// Takes the variables of `part`. Its includers have been here before.
    pub(super) fn define(&mut self, part: &Part) {
        let RawVariables(variables) = &part.variables;
        for (name, value) in variables {
            let origin = part.source.origin(name.referenced);
            if !variables::is_name(&name.value) {
                let name = Escaped(name.value.as_bytes()).to_string();
                self.error(origin, VariableFault::InvalidName { name });
                continue;
            }
            let values = RawVariable::each(value);
            let places = values
                .iter()
                .map(|value| part.source.origin(value.referenced));
            let places = places.collect();
            let values: Vec<String> = values.iter().map(|value| value.value.clone()).collect();
            let place = part.source.origin(value.referenced);
            if let Some(known) = self.variables.definition(&name.value)
                && known.values != values
                && !self.wins(&known.origin, part)
            {
                let fault = VariableFault::Conflict {
                    name: name.value.clone(),
                    other: known.origin.clone(),
                };
                self.error(origin, fault);
                continue;
            }
            let definition = Definition {
                values,
                places,
                origin: place,
            };
            self.variables.define(&name.value, definition);
        }
    }

    /// Whether a variable that is defined at `origin` wins over one of `part`:
    /// the file is the profile's own, or includes `part`.
    fn wins(&self, origin: &Origin, part: &Part) -> bool {
        let stem = origin.file.file_stem().unwrap_or_default();
        origin.file.parent() != Some(self.abstractions)
            || part
                .includers
                .iter()
                .any(|includer| stem == includer.as_str())
    }

    /// Checks that the values of variables can be parts of patterns.
    pub(super) fn check_values(&mut self, part: &Part) {
        let RawVariables(variables) = &part.variables;
        for (_, value) in variables {
            let values = RawVariable::each(value);
            let parse = match &*values {
                [_] => glob::parse,
                _ => glob::parse_alternative,
            };
            if values.is_empty() {
                let origin = part.source.origin(value.referenced);
                self.error(origin, VariableFault::NoValue);
            }
            for value in &*values {
                if let Some(expanded) = self.expand(&part.source, value)
                    && let Err(error) = parse(&expanded.text)
                {
                    let offset = expanded.written_at(error.offset);
                    self.error(part.source.within(value, offset), error.fault);
                }
            }
        }
    }
}
