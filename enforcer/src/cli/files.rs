//! Files of profiles: what they are called, what lies beside them, and writing one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::{Context as _, bail, ensure};

use crate::profile::{DEFAULT_DIR, Escaped, is_yaml, yaml_files};

/// The schema that lies beside profiles.
const SCHEMA: &str = "profile.schema.json";

/// The folder of profiles for a new one: the one that was named, or that of its file, or the
/// usual one.
pub(super) fn folder_of_profiles<'a>(named: Option<&'a Path>, file: Option<&'a Path>) -> &'a Path {
    named
        .or_else(|| file.map(folder_of))
        .unwrap_or(Path::new(DEFAULT_DIR))
}

/// Whether a schema for editors lies in a folder of profiles.
pub(super) fn has_schema(profiles: &Path) -> bool {
    profiles.join(SCHEMA).is_file()
}

/// The names of the abstractions in their folder; none, if there is no such folder.
///
/// # Errors
///
/// If it cannot be read.
pub(super) fn abstractions(folder: &Path) -> anyhow::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files = yaml_files(folder)?.into_iter();
    let stems = files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
    Ok(stems.collect())
}

/// The folder of a file.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name of the profile in a file, which is the file's own.
///
/// # Errors
///
/// If it is another than `name`, or the file is none for a profile.
pub(super) fn name_of(file: &Path, name: Option<&str>) -> anyhow::Result<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let Some(stem) = stem.filter(|_| is_yaml(file)) else {
        bail!(
            "the file of a profile is named NAME.yaml, and not {}",
            Escaped::path(file)
        );
    };
    if let Some(name) = name {
        ensure!(
            name == stem,
            "the profile {name} has to be in a file {name}.yaml, and not in {}",
            Escaped::path(file)
        );
    }
    Ok(stem.to_owned())
}

/// Writes a file that is not there yet.
///
/// # Errors
///
/// If it is there, or cannot be written.
pub(super) fn create(file: &Path, text: &str) -> io::Result<()> {
    let mut open = OpenOptions::new().write(true).create_new(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

/// Replaces what a file says, wholly or not at all. Its owner and mode stay; where it is a
/// symbolic link, the file that it leads to is replaced.
///
/// # Errors
///
/// If that cannot be done; the file is as it was then.
pub(super) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let file = fs::canonicalize(file)?;
    let before = fs::metadata(&file)?;
    ensure!(before.is_file(), "it is no file");
    let Some(folder) = file.parent() else {
        bail!("it is no file");
    };
    // A name that nobody takes for a profile's.
    let mut new = tempfile::Builder::new()
        .prefix(".fmt-")
        .tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    let after = new.as_file().metadata()?;
    if (before.uid(), before.gid()) != (after.uid(), after.gid()) {
        std::os::unix::fs::fchown(new.as_file(), Some(before.uid()), Some(before.gid()))
            .context("cannot keep its owner; format it as its owner or as root")?;
    }
    new.as_file().set_permissions(before.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}
