//! `enforcer fmt`: profiles in the one style.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use super::{ERROR, NO, files, output, snippet};
use crate::profile::{
    ABSTRACTIONS, DEFAULT_DIR, Escaped, FILE_LEN, FileKind, FormatError, Origin, Problem,
    ProfileError, format, is_yaml, kind_of, open_file, yaml_files,
};

/// Stands for stdin and stdout.
const STDIN: &str = "-";

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Keys and rights come in one order, rules on one line where they fit in 100 columns, and quotes
where YAML needs them. Comments stay, and what a profile says does too. With --check it exits
with 1 if a file is not formatted, and with 2 if one cannot be.

Examples:
  enforcer fmt profiles
  enforcer fmt --check --diff profiles
  enforcer fmt - < nginx.yaml";

/// The arguments of `enforcer fmt`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Profiles, abstractions, or folders of them; `-` formats stdin to stdout
    #[arg(value_name = "FILE|DIR", default_value = DEFAULT_DIR)]
    paths: Vec<PathBuf>,
    /// Write nothing, and print the names of files that are not formatted
    #[arg(long)]
    check: bool,
    /// Show how they would change, too
    #[arg(long, requires = "check")]
    diff: bool,
}

/// What came of a file.
enum Outcome {
    /// It is as it should be.
    Formatted {
        /// What it says.
        text: String,
    },
    /// It is not, or was not.
    Differs {
        /// What it says.
        old: String,
        /// What it should say.
        new: String,
    },
}

/// Formats files.
///
/// # Errors
///
/// If stdout takes nothing. What is wrong with files is told one by one.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut failed = false;
    let mut differs = false;
    for path in &args.paths {
        if path.as_os_str() == STDIN {
            match stdin(args) {
                Ok(one) => differs |= one,
                Err(error) => failed |= complain(&error),
            }
            continue;
        }
        match files(path) {
            Err(error) => failed |= complain(&error),
            Ok(files) => {
                for file in files {
                    match one(&file, args) {
                        Ok(one) => differs |= one,
                        Err(error) => failed |= complain(&error),
                    }
                }
            }
        }
    }
    Ok(match (failed, differs && args.check) {
        (true, _) => ExitCode::from(ERROR),
        (false, true) => ExitCode::from(NO),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Tells an error. Returns that there is one.
fn complain(error: &anyhow::Error) -> bool {
    let invalid = error.downcast_ref().and_then(FormatError::origin);
    match invalid {
        Some(origin) => output::complain(&snippet::shown(&error.to_string(), origin)),
        None => output::complain(&format!("enforcer: {error:#}")),
    }
    true
}

/// The files that `path` stands for.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = yaml_files(path).map_err(FormatError::from)?;
    let abstractions = path.join(ABSTRACTIONS);
    if abstractions.is_dir() {
        files.extend(yaml_files(&abstractions).map_err(FormatError::from)?);
    }
    Ok(files)
}

/// Formats a file. Returns whether it was not as it should be.
fn one(file: &Path, args: &Args) -> anyhow::Result<bool> {
    let beside = file.parent().unwrap_or(Path::new(""));
    let kind = if beside.file_name().is_some_and(|name| name == ABSTRACTIONS) {
        FileKind::Abstraction
    } else {
        FileKind::Profile
    };
    if !is_yaml(file) {
        return Err(FormatError::from(ProfileError {
            origin: Origin::start_of(file),
            problem: Problem::FileNotYaml,
        })
        .into());
    }
    let open = open_file(file).with_context(|| format!("cannot read {}", Escaped::path(file)))?;
    let old = read(open, file)?;
    let outcome = compare(old, file, kind, &beside.join(ABSTRACTIONS))?;
    let Outcome::Differs { old, new } = outcome else {
        return Ok(false);
    };
    if args.check {
        show(&Escaped::path(file).to_string(), &old, &new, args)?;
    } else {
        files::replace(file, &new)
            .with_context(|| format!("cannot write {}", Escaped::path(file)))?;
    }
    Ok(true)
}

/// Formats stdin to stdout. Returns whether it was not as it should be.
fn stdin(args: &Args) -> anyhow::Result<bool> {
    let old = read(io::stdin().lock(), Path::new("stdin"))?;
    let kind = kind_of(&old);
    let outcome = compare(old, Path::new("stdin"), kind, Path::new(""))?;
    match (outcome, args.check) {
        (Outcome::Formatted { .. }, true) => Ok(false),
        (Outcome::Differs { old, new }, true) => {
            show("stdin", &old, &new, args)?;
            Ok(true)
        }
        (Outcome::Differs { new, .. } | Outcome::Formatted { text: new }, false) => {
            output::print(&new).map(|()| true)
        }
    }
}

/// Reads a text that is no longer than a profile may be.
fn read(from: impl io::Read, file: &Path) -> anyhow::Result<String> {
    // One byte more, so that it can be told that it is too much.
    let limit = u64::try_from(FILE_LEN)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut text = String::new();
    from.take(limit)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", Escaped::path(file)))?;
    Ok(text)
}

fn compare(
    old: String,
    file: &Path,
    kind: FileKind,
    abstractions: &Path,
) -> Result<Outcome, FormatError> {
    let new = format(&old, file, kind, abstractions)?;
    Ok(if old == new {
        Outcome::Formatted { text: new }
    } else {
        Outcome::Differs { old, new }
    })
}

/// Prints the name of a file that is not formatted, or how it would change.
fn show(name: &str, old: &str, new: &str, args: &Args) -> anyhow::Result<()> {
    output::print(&format!("{name}\n"))?;
    if args.diff {
        output::print(&output::diff(
            old,
            new,
            [name, &format!("{name}, formatted")],
        ))?;
    }
    Ok(())
}
