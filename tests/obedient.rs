//! A process that does what it is told.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use crate::program;

/// `attempt obey`: one process, and so one lineage, that does one thing after another.
#[derive(Debug)]
pub struct Obedient(Child);

impl Obedient {
    /// Starts one under a profile, or under none.
    pub fn new(profile: Option<&str>) -> Self {
        let attempt = program("attempt");
        let mut command = match profile {
            Some(profile) => {
                let mut command = Command::new("enforcer");
                command
                    .args(["exec", "--profile", profile, "--"])
                    .arg(attempt);
                command
            }
            None => Command::new(attempt),
        };
        command
            .arg("obey")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut obedient = Self(command.spawn().expect("start a process"));
        assert_eq!(obedient.told("mmap-nothing"), 125, "it runs");
        obedient
    }

    /// The errno of what it is told to do.
    pub fn told(&mut self, words: &str) -> i32 {
        let stdin = self.0.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{words}").expect("tell it");
        let mut line = String::new();
        let stdout = self.0.stdout.as_mut().expect("a pipe");
        // It answers a line with a line: nothing is read ahead.
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("hear it");
        line.trim().parse().expect("an errno")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Obedient {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}
