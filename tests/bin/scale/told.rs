//! A process that does as it is told.
//!
//! Each line of its stdin is an order, and it answers with a line.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use crate::agent::scale;

/// A process that does as it is told.
pub(crate) struct Told {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Told {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(profile: Option<&str>, args: &[&str]) -> Self {
        let mut command = scale(profile, args);
        // What a confined program inherits, it has to be granted; a pipe always is.
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start this program");
        let orders = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut told = Self {
            child,
            orders,
            answers,
        };
        if told.answer() != "ready" {
            let stderr = told.child.stderr.take().expect("it is piped");
            panic!("{profile:?} {args:?}: {:?}", io::read_to_string(stderr));
        }
        told
    }

    /// Gives an order, and returns the answer.
    pub(crate) fn tell(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").expect("it listens");
        self.answer()
    }

    /// Has it end.
    pub(crate) fn end(mut self) {
        drop(self.orders);
        let status = self.child.wait().expect("wait for a child");
        assert!(status.success(), "{status}");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    }
}

/// Follows the orders of who started this process.
pub(crate) fn follow(mut order: impl FnMut(&str) -> String) {
    println!("ready");
    for line in io::stdin().lock().lines() {
        println!("{}", order(&line.expect("an order")));
    }
}
