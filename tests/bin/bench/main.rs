//! Counts what operations cost a process, in nanoseconds: in a guest of `cargo xtask
//! bench`, where 1 ns is 1 instruction, in instructions.
//!
//! ```text
//! bench under SET-UP [FILTER…]   makes a set-up, and measures all of it there
//!
//! bench forbidden                opens a file that is never granted; 1 if it is refused
//! bench prepare                  makes the files that are measured on; unconfined
//! bench rows [FILTER…]           measures, in this very process
//! bench nginx [CONFINER…]        measures requests of an nginx that CONFINER confines
//! bench as-user CMD…             runs a command as the user that is measured
//! bench apparmor CMD…            runs a command in `AppArmor`'s profile `bench`
//! bench landlock COUNT CMD…      runs a command confined by so many rules
//! ```
//!
//! A measurement is a line `{"row":"open-8","instructions":6685}`. What measures is
//! what is confined, so `rows` is executed by whatever confines it; only `nginx`, where
//! the server is confined, measures from outside. A filter is a part of a row's name.
//!
//! - [`confine`]: the set-ups; [`rules`]: what is granted in each
//! - [`place`]: the files; [`nothing`]: a program that ends at once
//! - [`rows`]: all rows, of [`files`], [`processes`], [`sockets`], [`trees`]
//! - [`nginx`]: the server and its client

mod confine;
mod files;
mod nginx;
mod nothing;
mod place;
mod processes;
mod raw;
mod rows;
mod rules;
mod sockets;
mod trees;

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::ErrorKind,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

/// Exit status for a wrong command line.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        return usage();
    };
    match command.to_str() {
        Some("under") if !rest.is_empty() => {
            let words = filters(rest);
            return confine::measure(&words[0], &words[1..]);
        }
        Some("apparmor") if !rest.is_empty() => confine::exec_apparmor(rest),
        Some("landlock") if rest.len() > 1 => {
            let count = filters(&rest[..1])[0].parse().expect("a number of rules");
            confine::landlock::exec(count, &rest[1..]);
        }
        Some("forbidden") => return forbidden(),
        Some("prepare") => place::prepare(),
        Some("rows") => rows::measure(&filters(rest)),
        Some("nginx") => nginx::measure(rest),
        Some("as-user") if !rest.is_empty() => as_user(rest),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

/// Opens the file that nobody grants; exits with 1 if it is refused.
fn forbidden() -> ExitCode {
    match File::open(place::FORBIDDEN) {
        Ok(_file) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => ExitCode::FAILURE,
        Err(error) => panic!("open {}: {error}", place::FORBIDDEN),
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: bench under SET-UP [FILTER…] | prepare | rows [FILTER…] | nginx [CONFINER…] \
         | as-user CMD… | apparmor CMD… | landlock COUNT CMD…"
    );
    ExitCode::from(EXIT_USAGE)
}

fn filters(words: &[OsString]) -> Vec<String> {
    let text = |word: &OsString| word.to_str().expect("a filter is text").to_owned();
    words.iter().map(text).collect()
}

/// Becomes the user that is measured, and then a command.
fn as_user(words: &[OsString]) {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    let failed = command.uid(place::USER).gid(place::USER).exec();
    panic!("cannot run {}: {failed}", words[0].display());
}
