//! `enforcer check`: is there anything wrong with these profiles?
//!
//! - [`stats`]: what their tables take

mod stats;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::Serialize;

use super::{output, snippet};
use crate::profile::{
    self, ABSTRACTIONS, DEFAULT_DIR, Origin, Problem, Profile, ProfileError, ProfileErrors,
    ProfileSet, Warning, is_yaml, load_abstraction, misnamed_files, yaml_files,
};

/// Something is wrong with a profile.
const INVALID: u8 = 1;
/// A file or folder cannot be read, so nothing is known of it.
const UNREADABLE: u8 = 2;

/// Tell what is wrong with profiles, and nothing if nothing is.
///
/// A folder is checked as a whole: every profile, every abstraction, and what must
/// hold between them. A file is checked by itself, with the abstractions that lie in
/// the folder `abstractions` beside it. Warnings are about what is valid and may not
/// have been meant.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Profiles, or folders of them.
    #[arg(value_name = "FILE|DIR", default_value = DEFAULT_DIR)]
    pub paths: Vec<PathBuf>,
    /// Exit with 1 if there are warnings, too.
    #[arg(long)]
    pub strict: bool,
    /// Show the size of each profile's table, and how long it takes to make.
    #[arg(long)]
    pub stats: bool,
    /// Print errors and warnings as a JSON list on stdout.
    #[arg(long, conflicts_with = "stats")]
    pub json: bool,
}

/// An error or a warning as `--json` shows it.
#[derive(Serialize)]
struct View {
    level: &'static str,
    code: &'static str,
    file: String,
    line: u32,
    column: u32,
    message: String,
}

impl View {
    fn error(error: &ProfileError) -> Self {
        let ProfileError { origin, problem } = error;
        Self::new("error", problem.code(), origin, problem.to_string())
    }

    fn warning(warning: &Warning) -> Self {
        let Warning { origin, lint } = warning;
        Self::new("warning", lint.code(), origin, lint.to_string())
    }

    fn new(level: &'static str, code: &'static str, origin: &Origin, message: String) -> Self {
        Self {
            level,
            code,
            file: origin.file.to_string_lossy().into_owned(),
            line: origin.line,
            column: origin.column,
            message,
        }
    }
}

/// What was found.
#[derive(Default)]
struct Found {
    errors: Vec<ProfileError>,
    warnings: Vec<Warning>,
    /// The profiles, where nothing is wrong.
    profiles: Vec<Profile>,
}

/// Checks profiles. Exits with 1 if something is wrong with one, and with 2 if one
/// cannot be read.
///
/// # Errors
///
/// If the result cannot be written.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let mut found = Found::default();
    for path in &args.paths {
        let Found {
            errors,
            warnings,
            profiles,
        } = check(path);
        found.errors.extend(errors);
        found.warnings.extend(warnings);
        found.profiles.extend(profiles);
    }
    // One abstraction's error is that of each profile that includes it.
    let mut seen = HashSet::new();
    found.errors.retain(|error| seen.insert(error.to_string()));
    let mut warnings = std::mem::take(&mut found.warnings);
    warnings.retain(|warning| seen.insert(warning.to_string()));

    if args.json {
        let errors = found.errors.iter().map(View::error);
        let all = errors.chain(warnings.iter().map(View::warning));
        output::json(&all.collect::<Vec<_>>())?;
    } else {
        for error in &found.errors {
            output::complain(&snippet::shown(&error.to_string(), &error.origin));
        }
        for warning in &warnings {
            output::complain(&snippet::shown(&warning.to_string(), &warning.origin));
        }
        if args.stats {
            output::print(&stats::table(&found.profiles)?)?;
        }
    }
    Ok(if found.errors.iter().any(ProfileError::is_unreadable) {
        ExitCode::from(UNREADABLE)
    } else if !found.errors.is_empty() || args.strict && !warnings.is_empty() {
        ExitCode::from(INVALID)
    } else {
        ExitCode::SUCCESS
    })
}

/// Checks the file or folder at `path`.
fn check(path: &Path) -> Found {
    if path.is_dir() {
        let mut found = match ProfileSet::check_dir(path) {
            Ok((set, warnings)) => Found {
                errors: Vec::new(),
                warnings,
                profiles: set.into_profiles(),
            },
            Err(errors) => Found {
                errors,
                ..Found::default()
            },
        };
        let beneath = path.join(ABSTRACTIONS);
        found.errors.extend(abstractions(&beneath));
        // A folder that cannot be read is an error already.
        for dir in [path, &beneath] {
            found
                .warnings
                .extend(misnamed_files(dir).unwrap_or_default());
        }
        return found;
    }
    if !is_yaml(path) {
        let error = ProfileError {
            origin: Origin::start_of(path),
            problem: Problem::FileNotYaml,
        };
        return Found {
            errors: vec![error],
            ..Found::default()
        };
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    let checked = if beside.file_name().is_some_and(|name| name == ABSTRACTIONS) {
        load_abstraction(path, beside).map(|()| Found::default())
    } else {
        check_file(path, &beside.join(ABSTRACTIONS))
    };
    checked.unwrap_or_else(|errors| Found {
        errors: errors.into_iter().collect(),
        ..Found::default()
    })
}

/// The profile in `file`, if nothing is wrong with it. The profiles to which it leads may lie
/// elsewhere.
fn check_file(file: &Path, abstractions: &Path) -> Result<Found, ProfileErrors> {
    let profile = Profile::load_all(file, abstractions)?;
    let checked = profile::check(&profile).map_err(ProfileError::from)?;
    Ok(Found {
        errors: Vec::new(),
        warnings: checked.warnings,
        profiles: vec![profile],
    })
}

/// All that is wrong with the abstractions in `dir`, which need not be there.
fn abstractions(dir: &Path) -> Vec<ProfileError> {
    if !dir.is_dir() {
        return Vec::new();
    }
    match yaml_files(dir) {
        Err(error) => vec![error],
        Ok(files) => files
            .iter()
            .filter_map(|file| load_abstraction(file, dir).err())
            .flatten()
            .collect(),
    }
}
