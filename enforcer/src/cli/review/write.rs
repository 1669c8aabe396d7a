//! The profiles' files, once all is decided.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};

use super::{
    agent::Agent,
    desk::{Desk, Sheet},
};
use crate::{
    cli::{files, output},
    detection::{DetectionId, State},
    profile::Escaped,
    protocol::views::Reloaded,
};

/// How the files will change, one after the other.
pub(super) fn diff(desk: &Desk<'_>) -> String {
    let sheets = changed(desk);
    let diffs = sheets.iter().map(|sheet| {
        let draft = &sheet.draft;
        let name = Escaped::path(draft.file()).to_string();
        let names = [name.as_str(), &format!("{name}, reviewed")];
        output::diff(draft.before(), &draft.policy().text, names)
    });
    diffs.collect()
}

/// What `enforcer check` will warn of and did not before, one line each.
pub(super) fn warnings(desk: &Desk<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for sheet in changed(desk) {
        match sheet.draft.warnings() {
            Ok(warnings) => lines.extend(warnings.iter().map(ToString::to_string)),
            Err(error) => lines.push(error.to_string()),
        }
    }
    lines
}

/// The profiles that change.
fn changed<'a>(desk: &'a Desk<'_>) -> Vec<&'a Sheet> {
    let sheets = desk.sheets().map(|(_, sheet)| sheet);
    sheets.filter(|sheet| sheet.draft.is_changed()).collect()
}

/// Writes the profiles that change, has the agent load them, and settles what they grant now.
/// Those of the agent's folder are written all or none, since it loads them all or none.
///
/// Returns what could not be done; files that the agent did not load are as they were.
pub(super) fn carry_out(desk: &Desk<'_>, agent: &mut dyn Agent) -> Vec<Undone> {
    let (inside, outside): (Vec<_>, Vec<_>) = changed(desk)
        .into_iter()
        .partition(|sheet| sheet.is_in_folder);
    let mut batches: Vec<Vec<&Sheet>> = outside.into_iter().map(|sheet| vec![sheet]).collect();
    if !inside.is_empty() {
        batches.insert(0, inside);
    }
    let undone = batches.iter().filter_map(|batch| {
        let granted = batch.iter().flat_map(|sheet| sheet.granted.iter().copied());
        let open: Vec<DetectionId> = granted.collect();
        let error = write_and_load(batch, &open, agent).err()?;
        Some(Undone { open, error })
    });
    undone.collect()
}

/// What could not be done.
#[derive(Debug)]
pub(super) struct Undone {
    /// Detections that stay open.
    pub(super) open: Vec<DetectionId>,
    /// Why.
    pub(super) error: anyhow::Error,
}

/// Writes and loads profiles, and settles what is granted then.
fn write_and_load(
    batch: &[&Sheet],
    granted: &[DetectionId],
    agent: &mut dyn Agent,
) -> anyhow::Result<()> {
    for sheet in batch {
        let draft = &sheet.draft;
        unchanged(draft.file(), draft.before())?;
    }
    let mut written: Vec<&Sheet> = Vec::new();
    let mut write = || -> anyhow::Result<()> {
        for &sheet in batch {
            let draft = &sheet.draft;
            files::replace(draft.file(), &draft.policy().text)
                .with_context(|| format!("cannot write {}", Escaped::path(draft.file())))?;
            written.push(sheet);
        }
        load(batch, agent)
    };
    if let Err(error) = write() {
        return Err(put_back(&written, error));
    }
    agent
        .settle(granted, State::Resolved)
        .context("the profiles are loaded, and their detections still open")
}

/// Has the agent load profiles that were written: those of its folder, or one from elsewhere.
fn load(batch: &[&Sheet], agent: &mut dyn Agent) -> anyhow::Result<()> {
    let loaded = match batch {
        [sheet] if !sheet.is_in_folder => {
            agent.load(&sheet.draft.policy().text, sheet.draft.file())
        }
        _ => agent.reload(),
    };
    let Reloaded { stuck, .. } = loaded.context("the agent does not load the profiles")?;
    ensure!(
        stuck.is_empty(),
        "these profiles are gone, and still refuse: {}; restart the agent",
        stuck.join(", ")
    );
    Ok(())
}

/// Writes back what files said, after the agent did not take what they say now.
fn put_back(written: &[&Sheet], error: anyhow::Error) -> anyhow::Error {
    for sheet in written {
        let draft = &sheet.draft;
        let back = unchanged(draft.file(), &draft.policy().text)
            .and_then(|()| files::replace(draft.file(), draft.before()));
        if let Err(back) = back {
            let file = Escaped::path(draft.file());
            return error.context(format!("{file} cannot be written back ({back:#})"));
        }
    }
    error.context("the profiles' files are as they were")
}

/// Whether a file says what is thought that it does.
fn unchanged(file: &Path, text: &str) -> anyhow::Result<()> {
    let shown = Escaped::path(file);
    let now = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        now == text,
        "{shown} was changed meanwhile, and is left as it is; review anew what it does not grant"
    );
    Ok(())
}
