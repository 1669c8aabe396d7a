//! Looks for texts and records that break the agent, by libFuzzer.
//!
//! What was found before (`corpus`) and what broke something (`artifacts`) is beneath the
//! target folder. The kernel takes no part in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::toolchain::{self, Toolchain};
use crate::{setup, util};

/// Exit status for "something broke".
const EXIT_BROKEN: u8 = 1;

/// The targets, and the folders with inputs to begin from.
const TARGETS: [(&str, &[&str]); 3] = [
    ("profile_text", &["profiles", "enforcer/tests/errors"]),
    ("glob", &[]),
    ("event_bytes", &[]),
];

/// Longest input, in bytes.
const INPUT_LEN: usize = 64 << 10;
/// Longest time for an input, in seconds of the clock: what takes longer hangs. What is
/// instrumented takes a multiple of what it takes as it is shipped, and others use the
/// machine, so this is no second.
const INPUT_SECONDS: u32 = 10;
/// Time from which on an input is noted as slow, in seconds of the clock. These are tried again
/// as it is shipped, and may take a second of the processor's time there.
const SLOW_SECONDS: u32 = 1;
/// How the names of slow inputs begin.
const SLOW: &str = "slow-unit-";
/// Most memory of the process, in MiB.
const MEMORY_MIB: u32 = 256;

/// Look for inputs that break the loader, the compiler or the reader of records.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this target
    #[arg(value_name = "TARGET", value_parser = TARGETS.map(|(name, _)| name))]
    target: Option<String>,
    /// How long, for each target
    #[arg(long, value_name = "N", default_value_t = 1)]
    minutes: u32,
}

/// Runs each target for a while, and tells whether all of them went well.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(setup::FUZZING)?;
    let chosen = |name: &str| args.target.as_ref().is_none_or(|target| target == name);
    let mut code = ExitCode::SUCCESS;
    for (name, seeds) in TARGETS.into_iter().filter(|(name, _)| chosen(name)) {
        if let Err(err) = fuzz(name, seeds, args.minutes) {
            util::say(format_args!("{name}: {err:#}"));
            code = ExitCode::from(EXIT_BROKEN);
        }
    }
    Ok(code)
}

fn fuzz(target: &str, seeds: &[&str], minutes: u32) -> Result<()> {
    let folder = util::target_dir().join("fuzz");
    let corpus = folder.join("corpus").join(target);
    let artifacts = folder.join("artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let words = folder.join("profile.dict");
    fs::write(&words, dictionary()?).context("cannot write the dictionary")?;

    let mut cargo = cargo();
    // The agent's own code is free of `unsafe` but for a few lines, and a sanitizer would
    // take more time and memory than what it watches.
    cargo.args([
        "fuzz",
        "run",
        "--sanitizer",
        "none",
        // Half the time went there, and the dictionary has the words.
        "--no-trace-compares",
        "--fuzz-dir",
        "enforcer/fuzz",
    ]);
    cargo.arg("--target-dir").arg(folder.join("build"));
    cargo.arg(target).arg(corpus);
    cargo.args(seeds.iter().map(|seed| util::workspace_root().join(seed)));
    cargo.arg("--");
    cargo.arg(format!("-artifact_prefix={}/", artifacts.display()));
    cargo.arg(format!("-dict={}", words.display()));
    cargo.arg(format!("-max_total_time={}", minutes.saturating_mul(60)));
    cargo.arg(format!("-max_len={INPUT_LEN}"));
    cargo.arg(format!("-timeout={INPUT_SECONDS}"));
    cargo.arg(format!("-report_slow_units={SLOW_SECONDS}"));
    cargo.arg(format!("-rss_limit_mb={MEMORY_MIB}"));
    let fuzzed = util::run(&mut cargo);
    fuzzed.and(try_slow_again(target, &artifacts))
}

/// Tries the slow inputs of `profile_text` among `artifacts` again, in an optimised build
/// without instruments, and forgets them if none is slow there. The other targets have no
/// limit of theirs.
fn try_slow_again(target: &str, artifacts: &Path) -> Result<()> {
    let slow = artifacts.join("slow");
    let unreadable = || format!("cannot list {}", artifacts.display());
    for entry in fs::read_dir(artifacts).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        if entry.file_name().to_string_lossy().starts_with(SLOW) {
            fs::create_dir_all(&slow)
                .and_then(|()| fs::rename(entry.path(), slow.join(entry.file_name())))
                .with_context(|| format!("cannot move to {}", slow.display()))?;
        }
    }
    if !slow.is_dir() {
        return Ok(());
    }
    if target == "profile_text" {
        let mut cargo = Toolchain::Ours.cargo();
        cargo.args(["test", "--release", "--package", "enforcer"]);
        cargo.arg("--target-dir").arg(util::target_dir());
        cargo.args(["--test", "fuzzed", "slow_texts", "--", "--nocapture"]);
        cargo.env("ENFORCER_SLOW_TEXTS", &slow);
        util::run(&mut cargo)?;
    }
    fs::remove_dir_all(&slow).with_context(|| format!("cannot remove {}", slow.display()))
}

/// A cargo command of the nightly toolchain that finds `cargo fuzz`.
fn cargo() -> Command {
    let mut cargo = Toolchain::Nightly.cargo();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(toolchain::tools().join("bin"));
    let folders: Vec<PathBuf> = folders.chain(env::split_paths(&path)).collect();
    if let Ok(path) = env::join_paths(folders) {
        cargo.env("PATH", path);
    }
    cargo
}

/// The words that profiles are made of, from their schema, for libFuzzer.
fn dictionary() -> Result<String> {
    let file = util::workspace_root().join("profiles/profile.schema.json");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let schema = serde_json::from_str(&text).context("the schema is no JSON")?;
    let mut words = BTreeSet::new();
    collect(&schema, &mut words);
    for sign in [
        "/**",
        "/*",
        "{,",
        "[!",
        "${",
        "\\\\x",
        ": [",
        "  - { path: ",
    ] {
        words.insert(sign.to_owned());
    }
    let lines: Vec<String> = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    Ok(lines.concat())
}

/// Adds the keys and values that a schema names.
fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(keys) => {
            for (name, value) in keys {
                if name == "properties" {
                    let names = value.as_object().into_iter().flatten();
                    words.extend(names.map(|(key, _)| format!("{key}: ")));
                }
                if name == "const" || name == "enum" {
                    let names = value
                        .as_array()
                        .map_or(std::slice::from_ref(value), Vec::as_slice);
                    words.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                collect(value, words);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_has_what_profiles_are_made_of() {
        let words = dictionary().unwrap();
        for word in [
            "paths: ",
            "allow: ",
            "read",
            "all",
            "sys_admin",
            "enforce",
            "propose",
            "/**",
        ] {
            assert!(
                words.lines().any(|line| line == format!("\"{word}\"")),
                "{word}:\n{words}"
            );
        }
    }

    #[test]
    fn every_target_is_there() {
        for (name, seeds) in TARGETS {
            let root = util::workspace_root();
            assert!(
                root.join(format!("enforcer/fuzz/targets/{name}.rs"))
                    .is_file()
            );
            assert!(seeds.iter().all(|seed| root.join(seed).is_dir()), "{name}");
        }
        let count = fs::read_dir(util::workspace_root().join("enforcer/fuzz/targets"))
            .unwrap()
            .count();
        assert_eq!(count, TARGETS.len());
    }
}
