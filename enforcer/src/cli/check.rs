//! `enforcer check`: is there anything wrong with these profiles?

use std::{
    collections::HashSet,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use enforcer_abi::Slot;
use serde::Serialize;

use super::snippet;
use crate::profile::{
    ABSTRACTIONS, DEFAULT_DIR, Profile, ProfileError, ProfileSet, compile, load_abstraction,
    yaml_files,
};

/// Something is wrong with a profile.
const INVALID: u8 = 1;
/// A file or folder cannot be read, so nothing is known of it.
const UNREADABLE: u8 = 2;

/// Tell what is wrong with profiles, and nothing if nothing is.
///
/// A folder is checked as a whole: every profile, every abstraction, and what must
/// hold between them. A file is checked by itself, with the abstractions that lie in
/// the folder `abstractions` beside it.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Profiles, or folders of them.
    #[arg(value_name = "FILE|DIR", default_value = DEFAULT_DIR)]
    pub paths: Vec<PathBuf>,
    /// Print the errors as a JSON list on stdout.
    #[arg(long)]
    pub json: bool,
}

/// An error as `--json` shows it.
#[derive(Serialize)]
struct ErrorView {
    file: String,
    line: u32,
    column: u32,
    message: String,
}

/// Checks profiles. Exits with 1 if something is wrong with one, and with 2 if one
/// cannot be read.
///
/// # Errors
///
/// If the result cannot be written.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let CheckArgs { paths, json } = args;
    // One abstraction's error is that of each profile that includes it.
    let mut seen = HashSet::new();
    let errors: Vec<ProfileError> = paths
        .iter()
        .flat_map(|path| check(path))
        .filter(|error| seen.insert(error.to_string()))
        .collect();

    if *json {
        let lines: Vec<ErrorView> = errors.iter().map(ErrorView::from).collect();
        let text = serde_json::to_string(&lines).context("cannot write the errors as JSON")?;
        writeln!(io::stdout().lock(), "{text}").context("cannot write to stdout")?;
    } else {
        let mut stderr = io::stderr().lock();
        for error in &errors {
            writeln!(stderr, "{}", snippet::shown(error)).context("cannot write to stderr")?;
        }
    }
    Ok(if errors.iter().any(ProfileError::is_unreadable) {
        ExitCode::from(UNREADABLE)
    } else if errors.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INVALID)
    })
}

/// All that is wrong with the file or folder at `path`.
fn check(path: &Path) -> Vec<ProfileError> {
    if path.is_dir() {
        let set = ProfileSet::load_dir(path).err().unwrap_or_default();
        let mut errors: Vec<ProfileError> = set;
        errors.extend(abstractions(&path.join(ABSTRACTIONS)));
        return errors;
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    if beside.file_name().is_some_and(|name| name == ABSTRACTIONS) {
        return load_abstraction(path, beside)
            .err()
            .into_iter()
            .flatten()
            .collect();
    }
    match Profile::load_all(path, &beside.join(ABSTRACTIONS)) {
        Err(errors) => errors.into_iter().collect(),
        // The profiles to which it leads may lie elsewhere.
        Ok(profile) => compile(&profile, &|_| Some(Slot::FIRST))
            .err()
            .map(ProfileError::from)
            .into_iter()
            .collect(),
    }
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

impl From<&ProfileError> for ErrorView {
    fn from(error: &ProfileError) -> Self {
        Self {
            file: error.origin.file.to_string_lossy().into_owned(),
            line: error.origin.line,
            column: error.origin.column,
            message: error.problem.to_string(),
        }
    }
}
