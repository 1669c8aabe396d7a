//! `enforcer import`: profiles of what another tool has.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::{ERROR, NO, output, snippet};
use crate::{
    apparmor::{self, BASE, ImportError, Imported, ImportedFile, Report, Sharing},
    profile::ABSTRACTIONS,
};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Each profile, child and hat becomes a profile of its own. With -o, what they include of
AppArmor's abstractions becomes abstractions in DIR/abstractions; without, it stands in each.
What is not as in AppArmor stands at the top of each, and in short on stderr. Also, who may
execute a file may map it; and a file and a folder of one name have the same rights.

Exits with 1 if a file is no profile of AppArmor's or a profile comes out too large; with
--strict also if something differs.

Examples:
  enforcer import apparmor /etc/apparmor.d/usr.bin.tcpdump
  enforcer import apparmor /etc/apparmor.d/usr.bin.* -o profiles; enforcer check profiles";

/// The arguments of `enforcer import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Debug, clap::Subcommand)]
enum Tool {
    /// Make profiles of AppArmor's
    #[command(name = "apparmor")]
    AppArmor(AppArmorArgs),
}

/// The arguments of `enforcer import apparmor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct AppArmorArgs {
    /// Files of AppArmor's with profiles
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folder of what they include, and of the profiles that they lead to
    #[arg(long, value_name = "DIR", default_value = BASE)]
    base: PathBuf,
    /// Write each profile to a file in this folder, and abstractions beside
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, requires = "output")]
    force: bool,
    /// Exit with 1 if something is not as in AppArmor
    #[arg(long)]
    strict: bool,
    /// Print JSON: what became of each profile
    #[arg(long)]
    json: bool,
}

/// What became of a profile, as `--json` shows it.
#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    apparmor_name: &'a str,
    source: String,
    /// Its file, if it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Its text, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    yaml: Option<&'a str>,
    /// Whether there is none, since AppArmor lets its programs do everything.
    unconfined: bool,
    files: apparmor::Count,
    others: apparmor::Count,
    findings: &'a [apparmor::Finding],
    needs: &'a [apparmor::Need],
}

/// Makes profiles of what another tool has.
///
/// # Errors
///
/// If the result cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Tool::AppArmor(args) = &args.tool;
    let files = match apparmor::import(&args.files, &args.base) {
        Ok(files) => files,
        Err(errors) => {
            errors.iter().for_each(complain);
            let is_unreadable = errors.iter().any(ImportError::is_unreadable);
            return Ok(ExitCode::from(if is_unreadable { ERROR } else { NO }));
        }
    };
    let mut all: Vec<&Imported> = files
        .iter()
        .flat_map(|ImportedFile { profiles, .. }| profiles)
        .collect();
    // What there can be no table of would only stop those beside it.
    let mut is_whole = true;
    all.retain(|imported| match imported.check() {
        Ok(()) => true,
        Err(error) => {
            complain(&error);
            is_whole = false;
            false
        }
    });
    let written: Vec<&Imported> = all.iter().filter(|one| !one.unconfined).copied().collect();
    let sharing = match args.output {
        Some(_) => Sharing::of(&written),
        None => Sharing::default(),
    };
    let texts = all.iter().map(|one| Ok((*one, one.yaml(&sharing)?)));
    let all: Vec<(&Imported, String)> = texts.collect::<Result<_, ImportError>>()?;
    if let Some(folder) = &args.output {
        write(folder, args.force, &all, &sharing)?;
    }
    if args.json {
        let views = all
            .iter()
            .map(|(imported, yaml)| view(args, imported, yaml));
        output::json(&views.collect::<Vec<_>>())?;
    } else if args.output.is_none() {
        let mut written = all.iter().filter(|(imported, _)| !imported.unconfined);
        let first = written.next().map(|(_, yaml)| yaml.clone());
        let others = written.map(|(_, yaml)| format!("---\n{yaml}"));
        output::print(&first.into_iter().chain(others).collect::<String>())?;
    }
    let mut differs = false;
    for (imported, _) in &all {
        output::complain(&summary(imported));
        differs |= imported.unconfined || !imported.report.findings.is_empty();
    }
    Ok(if !is_whole || args.strict && differs {
        ExitCode::from(NO)
    } else {
        ExitCode::SUCCESS
    })
}

fn complain(error: &ImportError) {
    output::complain(&snippet::shown(&error.to_string(), &error.origin));
}

/// Writes profiles and abstractions to files in `folder`, all or, if one is there already
/// that says something else, none.
fn write(
    folder: &Path,
    force: bool,
    all: &[(&Imported, String)],
    sharing: &Sharing,
) -> anyhow::Result<()> {
    let mut files: Vec<(PathBuf, &str)> = Vec::new();
    for (imported, yaml) in all.iter().filter(|(imported, _)| !imported.unconfined) {
        let file = folder.join(imported.file_name());
        if !force && file.exists() {
            let file = file.display();
            bail!("{file} is there already; remove it, or replace it with --force");
        }
        files.push((file, yaml));
    }
    let beside = folder.join(ABSTRACTIONS);
    let abstractions = sharing.abstractions.iter();
    let abstractions: Vec<(PathBuf, String)> = abstractions
        .map(|one| Ok((beside.join(one.file_name()), one.yaml()?)))
        .collect::<Result<_, ImportError>>()?;
    for (file, yaml) in &abstractions {
        // Other profiles have it from before.
        let there = fs::read_to_string(file);
        if !force && file.exists() && there.ok().as_ref() != Some(yaml) {
            let file = file.display();
            bail!(
                "{file} is there already and says something else; import all that include it \
                 together, or replace it with --force"
            );
        }
        files.push((file.clone(), yaml));
    }
    let folders = [folder, &beside];
    let needed = if abstractions.is_empty() { 1 } else { 2 };
    for folder in folders.into_iter().take(needed) {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    for (file, yaml) in &files {
        File::create(file)
            .and_then(|mut open| open.write_all(yaml.as_bytes()))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// What became of a profile, on one line.
fn summary(imported: &Imported) -> String {
    let Report { files, others, .. } = &imported.report;
    let name = &imported.name;
    if imported.unconfined {
        return format!("{name}: not written, since AppArmor lets it do everything");
    }
    let counts = format!(
        "{name}: as in AppArmor {} of {} rules about files, {} of {} others",
        files.equal, files.rules, others.equal, others.rules
    );
    let differing = imported.report.summary();
    let needs: BTreeSet<&str> = imported
        .report
        .needs
        .iter()
        .map(|need| need.file.as_str())
        .collect();
    let needs = needs.into_iter().collect::<Vec<_>>().join(", ");
    let needs = (!needs.is_empty()).then(|| format!("import, too: {needs}"));
    let parts = [Some(counts), differing, needs];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn view<'a>(args: &AppArmorArgs, imported: &'a Imported, yaml: &'a str) -> View<'a> {
    let Report {
        files,
        others,
        findings,
        needs,
    } = &imported.report;
    let folder = args.output.as_ref().filter(|_| !imported.unconfined);
    View {
        name: &imported.name,
        apparmor_name: &imported.section.name,
        source: imported.source().to_string_lossy().into_owned(),
        file: folder.map(|folder| {
            let file = folder.join(imported.file_name());
            file.to_string_lossy().into_owned()
        }),
        yaml: (args.output.is_none() && !imported.unconfined).then_some(yaml),
        unconfined: imported.unconfined,
        files: *files,
        others: *others,
        findings,
        needs,
    }
}
