//! `enforcer man`: manual pages, from the command line's own description.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{output, run::STATE};
use crate::{
    profile::{ABSTRACTIONS, DEFAULT_DIR},
    protocol::SOCKET,
};

/// The word before examples in what `--help` says beside the arguments.
const EXAMPLES: &str = "Examples:\n";

/// The arguments of `enforcer man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for a page of each command; without it, `enforcer(1)` is printed
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Writes manual pages.
///
/// # Errors
///
/// If they cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let pages = pages(super::command())?;
    if let Some(dir) = &args.output {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for Page { name, text } in &pages {
            let file = dir.join(name);
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
    } else if let Some(Page { text, .. }) = pages.first() {
        output::print(text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A manual page.
struct Page {
    /// Its file's name.
    name: String,
    text: String,
}

/// A page of `command`, and one of each command beneath it.
fn pages(command: Command) -> anyhow::Result<Vec<Page>> {
    let mut root = command.disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    let mut open = vec![(&root, None)];
    while let Some((command, parent)) = open.pop() {
        pages.push(page(command, parent)?);
        let below = command.get_subcommands().filter(|one| !one.is_hide_set());
        open.extend(below.map(|one| (one, Some(command))));
    }
    // The root is first, since its name is the beginning of all others.
    let stem = |page: &Page| page.name.trim_end_matches(".1").to_owned();
    pages.sort_by_key(stem);
    Ok(pages)
}

/// The page of `command`, which is one of `parent`.
fn page(command: &Command, parent: Option<&Command>) -> anyhow::Result<Page> {
    let man = Man::new(command.clone())
        .source(concat!("enforcer ", env!("CARGO_PKG_VERSION")))
        .manual("enforcer");
    let mut text = Vec::new();
    let render = |text: &mut Vec<u8>| {
        man.render_title(text)?;
        man.render_name_section(text)?;
        man.render_synopsis_section(text)?;
        man.render_description_section(text)?;
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let (words, examples) = help.split_once(EXAMPLES).unwrap_or((&help, ""));
        paragraph(words).to_writer(text)?;
        if command.get_arguments().any(|one| !one.is_hide_set()) {
            man.render_options_section(text)?;
        }
        if command.get_subcommands().any(|one| !one.is_hide_set()) {
            man.render_subcommands_section(text)?;
        }
        exit_status().to_writer(text)?;
        files(command).to_writer(text)?;
        verbatim("EXAMPLES", examples).to_writer(text)?;
        see_also(command, parent).to_writer(text)
    };
    render(&mut text).context("cannot write a manual page")?;
    Ok(Page {
        name: format!("{}.1", name(command)),
        text: String::from_utf8(text).context("a manual page is text")?,
    })
}

/// The name of a command with those above it: `enforcer-run`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn paragraph(text: &str) -> Roff {
    let mut roff = Roff::new();
    if !text.trim().is_empty() {
        roff.control("PP", []);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        roff.text([roman(lines.join(" "))]);
    }
    roff
}

fn exit_status() -> Roff {
    entries(
        "EXIT STATUS",
        &[
            ("0", "It is done."),
            (
                "1",
                "The answer is no: a profile is invalid, an access is not granted, nothing was found.",
            ),
            ("2", "The command line is wrong, or something else failed."),
            (
                "3",
                "This host cannot enforce; what to do about it is said.",
            ),
        ],
    )
}

/// The files that `command` reads or writes unless it is told otherwise: those among its
/// defaults, and all where it has commands of its own for them.
fn files(command: &Command) -> Roff {
    let abstractions = format!("{DEFAULT_DIR}/{ABSTRACTIONS}/");
    let profiles = format!("{DEFAULT_DIR}/");
    let state = format!("{STATE}/");
    let all = [
        (
            DEFAULT_DIR,
            profiles.as_str(),
            "The profiles, `NAME.yaml` each.",
        ),
        (DEFAULT_DIR, &abstractions, "What profiles include."),
        (STATE, &state, "Detections and tightenings."),
        (
            SOCKET,
            SOCKET,
            "Where the agent listens; root alone may ask it.",
        ),
    ];
    let named: Vec<(&str, &str)> = all
        .iter()
        .filter(|(default, _, _)| has_default(command, default))
        .map(|&(_, file, meaning)| (file, meaning))
        .collect();
    entries("FILES", &named)
}

/// Whether an argument of `command`, or of one beneath it, is `value` by default.
fn has_default(command: &Command, value: &str) -> bool {
    let mut arguments = command.get_arguments();
    arguments.any(|one| one.get_default_values().iter().any(|it| it == value))
        || command.get_subcommands().any(|one| has_default(one, value))
}

fn see_also(command: &Command, parent: Option<&Command>) -> Roff {
    let below = command.get_subcommands().filter(|one| !one.is_hide_set());
    let mut pages: Vec<String> = parent
        .into_iter()
        .chain(below)
        .map(|one| format!("{}(1)", name(one)))
        .collect();
    pages.push("capabilities(7)".to_owned());
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(pages.join(", "))]);
    roff
}

/// A section of words with their meanings; nothing without any.
fn entries(heading: &str, entries: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    if !entries.is_empty() {
        roff.control("SH", [heading]);
    }
    for &(word, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(word)]);
        roff.text([roman(meaning)]);
    }
    roff
}

/// A section of lines as they are; nothing without any.
fn verbatim(heading: &str, text: &str) -> Roff {
    let mut roff = Roff::new();
    if text.trim().is_empty() {
        return roff;
    }
    roff.control("SH", [heading]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("fi", []);
    roff
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::{name, pages};
    use crate::cli::command;

    /// All commands, those beneath others too.
    fn all(command: &Command) -> Vec<&Command> {
        let below = command.get_subcommands().flat_map(all);
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn every_command_and_option_is_explained() {
        let mut root = command().disable_help_subcommand(true);
        root.build();
        for command in all(&root) {
            let name = name(command);
            assert!(command.get_about().is_some(), "{name} is not explained");
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string);
                let help = help.unwrap_or_default();
                assert!(
                    help.len() > 4,
                    "{name}: {} is not explained",
                    argument.get_id()
                );
            }
        }
    }

    #[test]
    fn a_page_of_each_command() {
        let mut root = command().disable_help_subcommand(true);
        root.build();
        let pages = pages(command()).unwrap();
        assert_eq!(pages[0].name, "enforcer.1");
        for command in all(&root) {
            let name = format!("{}.1", name(command));
            let is_hidden = command.is_hide_set();
            let page = pages.iter().find(|page| page.name == name);
            assert_eq!(page.is_none(), is_hidden, "{name}");
            let Some(page) = page else { continue };
            for section in [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "EXIT STATUS",
                "SEE ALSO",
            ] {
                let heading = section.replace(' ', "\" \"");
                let has = [
                    format!(".SH {section}\n"),
                    format!(".SH \"{section}\"\n"),
                    format!(".SH \"{heading}\"\n"),
                ];
                assert!(
                    has.iter().any(|has| page.text.contains(has)),
                    "{name} has no {section}:\n{}",
                    page.text
                );
            }
            for argument in command.get_arguments().filter(|one| !one.is_hide_set()) {
                if let Some(long) = argument.get_long() {
                    let long = long.replace('-', "\\-");
                    assert!(page.text.contains(&long), "{name}: {long}");
                }
            }
        }
        assert!(pages.len() >= 18, "{}", pages.len());
    }

    #[test]
    fn what_a_page_says() {
        let pages = pages(command()).unwrap();
        // Columns: page, what it says, what it does not.
        #[rustfmt::skip]
        let cases = [
            ("enforcer.1",          &["/etc/enforcer/profiles/", "/run/enforcer/enforcer.sock", "/var/lib/enforcer/", "enforcer\\-run(1)"][..], &["EXAMPLES"][..]),
            ("enforcer-run.1",      &["/var/lib/enforcer/", "enforcer(1)"],       &["EXAMPLES"]),
            ("enforcer-who-can.1",  &["EXAMPLES", "enforcer who\\-can write /etc/passwd", "/etc/enforcer/profiles/"], &["Examples:", "enforcer.sock"]),
            ("enforcer-schema.1",   &["EXAMPLES"],                                &["FILES", "markdown"]),
            ("enforcer-detections-show.1", &["enforcer\\-detections(1)", "enforcer.sock"], &["/etc/enforcer"]),
        ];
        for (name, says, does_not) in cases {
            let page = pages.iter().find(|page| page.name == name).unwrap();
            for words in says {
                assert!(page.text.contains(words), "{name}: {words}\n{}", page.text);
            }
            for words in does_not {
                assert!(!page.text.contains(words), "{name}: {words}\n{}", page.text);
            }
        }
    }
}
