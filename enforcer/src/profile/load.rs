//! From files to a [`Profile`].

use std::{io, path::Path, sync::Arc};

use serde_yaml::Spanned;

use self::{
    rule::{Metadata, Within},
    subjects::Subjects,
};
use super::{
    Origin, Profile, Rule,
    error::{Problem, ProfileError, ProfileErrors},
    file,
    limits::{ERRORS, FILE_LEN, NAME_LEN, PATTERNS_LEN, RULES, SIGN_LEN},
    pattern::Pattern,
    raw::{RawAbstraction, RawExec, RawNetwork, RawPath, RawProfile, RawVariables},
    variables::{Expanded, Variables},
    yaml::Source,
};

mod include;
mod network;
mod rule;
mod subjects;
mod values;

/// Reads the profile in `file`.
pub(super) fn profile_file(file: &Path, abstractions: &Path) -> Result<Profile, ProfileErrors> {
    let source = read(file)?;
    profile(source, abstractions)
}

/// Reads the profile `text` as if it stood in `file`.
pub(super) fn profile_text(
    text: &str,
    file: &Path,
    abstractions: &Path,
) -> Result<Profile, ProfileErrors> {
    if text.len() > FILE_LEN {
        return Err(whole(file, Problem::FileTooLong).into());
    }
    let source = Source {
        file: file.into(),
        text: text.to_owned(),
    };
    profile(source, abstractions)
}

/// Reads the abstraction in `file` and what it includes, for what is wrong with
/// them.
///
/// # Errors
///
/// All that is wrong.
pub fn load_abstraction(file: &Path, abstractions: &Path) -> Result<(), ProfileErrors> {
    let source = read(file)?;
    let raw: RawAbstraction = source.parse()?;
    let mut loader = Loader::new(abstractions);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    loader.include_all(&source, &raw.include, &mut vec![name.into_owned()]);
    loader.parts.insert(0, Part::new(source, raw));
    loader.rules();
    ProfileErrors::collect(loader.errors)
}

/// Reads `file` whole, if it is text of no more than [`FILE_LEN`] bytes.
fn read(file: &Path) -> Result<Source, ProfileError> {
    let unreadable = |cause: io::Error| whole(file, Problem::Read { cause });
    let bytes = file::read(file).map_err(unreadable)?;
    if bytes.len() > FILE_LEN {
        return Err(whole(file, Problem::FileTooLong));
    }
    let file: Arc<Path> = file.into();
    String::from_utf8(bytes)
        .map(|text| Source {
            file: file.clone(),
            text,
        })
        .map_err(|error| ProfileError {
            origin: origin_of_end(file, error.as_bytes(), error.utf8_error().valid_up_to()),
            problem: Problem::NotText,
        })
}

/// An error of a file as a whole.
fn whole(file: &Path, problem: Problem) -> ProfileError {
    ProfileError {
        origin: Origin::start_of(file),
        problem,
    }
}

/// The place behind the first `len` of `bytes`, which are UTF-8.
fn origin_of_end(file: Arc<Path>, bytes: &[u8], len: usize) -> Origin {
    let text = String::from_utf8_lossy(bytes.get(..len).unwrap_or(bytes));
    let last = text.rsplit('\n').next().unwrap_or_default();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Origin {
        file,
        line: number(text.matches('\n').count() + 1),
        column: number(last.chars().count() + 1),
    }
}

fn profile(source: Source, abstractions: &Path) -> Result<Profile, ProfileErrors> {
    let source = Arc::new(source);
    let raw: RawProfile = source.parse()?;
    let RawProfile {
        name,
        description,
        applies_to,
        mode,
        include,
        variables,
        paths,
        exec,
        network,
        privileges,
        metadata,
        on_violation,
    } = raw;

    let mut loader = Loader::new(abstractions);
    loader.booleans(&source, [Some(&metadata)]);
    loader.metadata = if metadata.value {
        Metadata::ByRules
    } else {
        Metadata::Granted
    };
    loader.include_all(&source, &include, &mut Vec::new());
    let file = source.file.clone();
    let name_origin = source.origin(name.referenced);
    loader.parts.insert(
        0,
        Part {
            source: Arc::clone(&source),
            includers: Vec::new(),
            variables,
            paths,
            exec,
            network,
        },
    );
    let rules = loader.rules();
    let text_len = loader.parts.iter().map(|part| part.source.text.len()).sum();
    loader.check_name(name_origin, &name.value, &file);
    let Subjects {
        executables,
        users,
        cgroups,
    } = applies_to
        .map(|applies_to| loader.subjects(&source, &applies_to))
        .unwrap_or_default();
    let (privileges, privileges_origin) = loader.privileges(&source, privileges.as_ref());

    ProfileErrors::collect(loader.errors)?;
    Ok(Profile {
        name: name.value,
        description,
        source: file.to_path_buf(),
        executables,
        users,
        cgroups,
        privileges,
        privileges_origin,
        metadata: metadata.value,
        mode,
        rules,
        on_violation,
        permitted: 0,
        text_len,
    })
}

/// A file that gives a profile rules.
struct Part {
    source: Arc<Source>,
    /// The abstractions by way of which it is included.
    includers: Vec<String>,
    variables: RawVariables,
    paths: Vec<Spanned<RawPath>>,
    exec: Vec<Spanned<RawExec>>,
    network: Vec<Spanned<RawNetwork>>,
}

impl Part {
    /// Where its rules stand.
    fn places(&self) -> impl Iterator<Item = Origin> {
        let paths = self.paths.iter().map(|rule| rule.referenced);
        let exec = self.exec.iter().map(|rule| rule.referenced);
        let network = self.network.iter().map(|rule| rule.referenced);
        let places = paths.chain(exec).chain(network);
        places.map(|place| self.source.origin(place))
    }

    fn new(source: Source, raw: RawAbstraction) -> Self {
        let RawAbstraction {
            _description: _,
            include: _,
            variables,
            paths,
            exec,
            network,
        } = raw;
        Self {
            source: Arc::new(source),
            includers: Vec::new(),
            variables,
            paths,
            exec,
            network,
        }
    }
}

/// A profile on its way.
struct Loader<'a> {
    abstractions: &'a Path,
    /// The profile's own file, then what it includes.
    parts: Vec<Part>,
    variables: Variables,
    metadata: Metadata,
    /// Bytes of all patterns so far.
    patterns_len: usize,
    errors: Vec<ProfileError>,
}

impl<'a> Loader<'a> {
    fn new(abstractions: &'a Path) -> Self {
        Self {
            abstractions,
            parts: Vec::new(),
            variables: Variables::default(),
            metadata: Metadata::ByRules,
            patterns_len: 0,
            errors: Vec::new(),
        }
    }

    /// Notes an error, if it is not one too many.
    fn error(&mut self, origin: Origin, problem: impl Into<Problem>) {
        let problem = match self.errors.len() {
            ..ERRORS => problem.into(),
            ERRORS => Problem::MoreErrors,
            _ => return,
        };
        self.errors.push(ProfileError { origin, problem });
    }

    /// Whether there are so many errors that more would not be told.
    fn is_hopeless(&self) -> bool {
        self.errors.len() > ERRORS
    }

    fn check_name(&mut self, origin: Origin, name: &str, file: &Path) {
        if !is_name(name) {
            let name = super::Escaped(name.as_bytes()).to_string();
            self.error(origin, Problem::InvalidName { name });
        } else if file.file_stem() != Some(name.as_ref()) {
            let name = name.to_owned();
            self.error(origin, Problem::NameNotOfFile { name });
        }
    }

    /// Defines the variables, then reads the rules.
    fn rules(&mut self) -> Vec<Rule> {
        let parts = std::mem::take(&mut self.parts);
        for part in &parts {
            self.define(part);
        }
        for part in &parts {
            self.check_values(part);
        }
        // What is missing would only be missed again by every rule that uses it.
        if !self.errors.is_empty() {
            return Vec::new();
        }
        if let Some(beyond) = parts.iter().flat_map(Part::places).nth(RULES) {
            self.error(beyond, Problem::TooManyRules);
            return Vec::new();
        }
        let mut rules = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let within = if at == 0 {
                Within::Profile
            } else {
                Within::Abstraction
            };
            for path in &part.paths {
                rules.extend(self.path_rule(&part.source, path, within));
            }
            for exec in &part.exec {
                rules.extend(self.exec_rule(&part.source, exec));
            }
            for network in &part.network {
                rules.extend(self.network_rule(&part.source, network));
            }
        }
        self.parts = parts;
        rules
    }

    /// Expands and reads a pattern.
    fn pattern(&mut self, source: &Source, written: &Spanned<String>) -> Option<Pattern> {
        let expanded = self.expand(source, written)?;
        self.count(weight(&expanded.text), || source.origin(written.referenced))?;
        match Pattern::parse(&expanded.text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let offset = expanded.written_at(error.offset);
                self.error(source.within(written, offset), error.fault);
                None
            }
        }
    }

    /// Counts a pattern of so many bytes among all. Nothing, if that is too much.
    fn count(&mut self, len: usize, origin: impl Fn() -> Origin) -> Option<()> {
        let before = self.patterns_len;
        self.patterns_len = before.saturating_add(len);
        if self.patterns_len <= PATTERNS_LEN {
            return Some(());
        }
        // Told once, of the first.
        if before <= PATTERNS_LEN {
            self.error(origin(), Problem::PatternsTooLong);
        }
        None
    }

    fn expand(&mut self, source: &Source, written: &Spanned<String>) -> Option<Expanded> {
        match self.variables.expand(&written.value) {
            Ok(expanded) => Some(expanded),
            Err((offset, fault)) => {
                self.error(source.within(written, offset), fault);
                None
            }
        }
    }
}

/// How many bytes a pattern counts for.
fn weight(text: &str) -> usize {
    let signs = text.bytes().filter(|byte| b"*?[{,".contains(byte)).count();
    text.len() + signs * (SIGN_LEN - 1)
}

/// Whether `name` can be the name of a profile or an abstraction. It is part of a
/// file's name, so it has no `/` and does not begin with a dot.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_LEN).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c))
}

#[cfg(test)]
mod tests;
