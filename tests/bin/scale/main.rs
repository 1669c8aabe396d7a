//! Measures how the product grows: with profiles, rules, tasks, files and violations.
//!
//! In a guest of `cargo xtask scale` 1 ns is 1 instruction.
//!
//! ```text
//! scale measure TABLE SIZE…        measures a table, at these sizes
//! scale write TABLE SIZE FOLDER    writes the profiles of one of its rows
//! ```
//!
//! A measurement is a line `{"table":"rules","at":1000,"what":"open","value":903}`. What
//! is confined is this program, too, in processes of their own:
//!
//! ```text
//! scale open GRANTED REFUSED       what an open of either takes
//! scale forks FILE                 what a fork, and an open takes
//! scale crowd FILE                 many tasks that open a file when they are told to
//! scale files FOLDER COUNT         opens so many files, all of them twice
//! scale refuse FOLDER              is refused files when it is told to
//! scale nothing                    ends at once
//! ```
//!
//! - [`policy`]: the profiles; [`agent`]: who loads them; [`memory`]: what that takes
//! - [`load`], [`tasks`], [`files`], [`events`]: the tables
//! - [`told`]: a process that does as it is told

mod agent;
mod events;
mod files;
mod load;
mod memory;
mod policy;
mod raw;
mod tasks;
mod told;

use std::{env, path::Path, process::ExitCode};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    mount::{MountFlags, mount},
};

/// Exit status for a wrong command line.
const EXIT_USAGE: u8 = 2;

/// Where everything is: a tmpfs that has room for any number of files.
const FOLDER: &str = "/tmp/scale";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["measure", table, ref sizes @ ..] => {
            let sizes: Vec<u32> = sizes.iter().map(|size| number(size)).collect();
            return measure(table, &sizes);
        }
        ["write", table, size, folder] => policy::write(table, number(size), Path::new(folder)),
        ["open", granted, refused] => load::open(granted, refused),
        ["forks", file] => tasks::forks(file),
        ["crowd", file] => tasks::crowd(file),
        ["files", folder, count] => files::open_all(folder, number(count)),
        ["refuse", folder] => events::refuse(folder),
        ["nothing"] => {}
        _ => {
            eprintln!("usage: scale measure TABLE SIZE… | write TABLE SIZE FOLDER");
            return ExitCode::from(EXIT_USAGE);
        }
    }
    ExitCode::SUCCESS
}

fn measure(table: &str, sizes: &[u32]) -> ExitCode {
    std::fs::create_dir_all(FOLDER).expect("make a folder");
    mount(
        "scale",
        FOLDER,
        "tmpfs",
        MountFlags::empty(),
        Some(c"nr_inodes=0,size=90%"),
    )
    .expect("mount a tmpfs");
    match table {
        "profiles" | "rules" => load::measure(table, sizes),
        "tasks" => tasks::measure(sizes),
        "files" => files::measure(sizes),
        "events" => events::measure(sizes),
        _ => {
            eprintln!("scale: there is no table {table}");
            return ExitCode::from(EXIT_USAGE);
        }
    }
    ExitCode::SUCCESS
}

/// Tells what a cell of a table came to.
fn tell(table: &str, at: u32, what: &str, value: u64) {
    println!(
        "{}",
        serde_json::json!({ "table": table, "at": at, "what": what, "value": value })
    );
}

/// Tells the lines `WHAT VALUE` that a process printed.
fn tell_all(table: &str, at: u32, prefix: &str, lines: &str) {
    for line in lines.lines() {
        let (what, value) = line.split_once(' ').expect("what, and its value");
        let value = value.parse().expect("a number");
        tell(table, at, &format!("{prefix}{what}"), value);
    }
}

/// Opens and closes a file, which is granted.
fn open_once(path: &str) {
    let opened = rustix::fs::open(path, OFlags::RDONLY, Mode::empty());
    drop(opened.unwrap_or_else(|error| panic!("open {path}: {error}")));
}

/// Opens a file, which is refused.
fn be_refused(path: &str) {
    let tried = rustix::fs::open(path, OFlags::RDONLY, Mode::empty()).map(drop);
    assert_eq!(tried, Err(Errno::ACCESS), "{path}");
}

fn number(text: &str) -> u32 {
    text.parse()
        .unwrap_or_else(|error| panic!("{text} is no number: {error}"))
}
