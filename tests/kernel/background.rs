//! What runs beside a test.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

/// Says that a guest lacks what a test needs; where nothing may be left out, that
/// fails.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("ENFORCER_TEST_NO_SKIP").is_none(), "{why}");
    println!("left out: {why}");
}

/// A process that is killed when the test ends, however it ends.
pub(crate) struct Background(Child);

impl Background {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("start a process beside the test"))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("ask for a child")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// A process that is told what to do, by lines.
pub(crate) struct Told {
    process: Background,
    answers: BufReader<ChildStdout>,
}

impl Told {
    /// Starts it, and waits until it says that it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        // What a confined program inherits, it has to be granted; a pipe always is.
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Background::start(command);
        let stdout = process.0.stdout.take().expect("it is piped");
        let mut told = Self {
            process,
            answers: BufReader::new(stdout),
        };
        if told.answer() != "ready" {
            let stderr = told.process.0.stderr.take().expect("it is piped");
            panic!("{command:?}: {:?}", io::read_to_string(stderr));
        }
        told
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// The next line that it says.
    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }

    /// Tells it something, and returns what it says to that.
    pub(crate) fn tell(&mut self, order: &str) -> String {
        let stdin = self.process.0.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{order}").expect("it listens");
        self.answer()
    }

    /// Has it go on, and waits for its end.
    pub(crate) fn go_on(mut self) -> ExitStatus {
        drop(self.process.0.stdin.take());
        self.process.0.wait().expect("it ends")
    }
}
