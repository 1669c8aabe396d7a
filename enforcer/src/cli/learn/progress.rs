//! How watching goes.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use super::output;
use crate::{
    detection::Detection,
    learn::recorded::{coverage, recorded},
};

/// How often it is told on a terminal, and elsewhere.
const INTERVALS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// What is told while somebody watches.
pub(super) struct Progress<'a> {
    learning: &'a str,
    is_terminal: bool,
    /// How many distinct accesses there were, and when the last one came.
    distinct: usize,
    changed: Instant,
    told: Option<Instant>,
}

impl<'a> Progress<'a> {
    /// Nothing was seen yet.
    pub(super) fn new(learning: &'a str) -> Self {
        Self {
            learning,
            is_terminal: io::stderr().is_terminal(),
            distinct: 0,
            changed: Instant::now(),
            told: None,
        }
    }

    /// Whether it is time to tell again.
    pub(super) fn is_due(&self) -> bool {
        let [terminal, other] = INTERVALS;
        let interval = if self.is_terminal { terminal } else { other };
        self.told.is_none_or(|told| told.elapsed() >= interval)
    }

    /// Tells what was seen.
    pub(super) fn show(&mut self, detections: &[Detection]) {
        let seen = recorded(detections, self.learning, &|_| None);
        let distinct = seen.observations.len();
        if distinct != self.distinct {
            self.distinct = distinct;
            self.changed = Instant::now();
        }
        self.told = Some(Instant::now());
        let text = line(distinct, self.changed.elapsed(), coverage(&seen));
        if self.is_terminal {
            // Over the line before, the rest of which goes.
            let _written = write!(io::stderr(), "\r\x1b[K{text}");
        } else {
            output::complain(&text);
        }
    }

    /// Leaves the line to what comes.
    pub(super) fn end(&self) {
        if self.is_terminal {
            let _written = writeln!(io::stderr());
        }
    }
}

/// What was seen, in one line.
fn line(distinct: usize, since: Duration, coverage: u64) -> String {
    let since = since.as_secs();
    format!(
        "watching: {distinct} distinct accesses, the last new one {since} s ago; {coverage} % known"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn a_line() {
        let text = super::line(142, Duration::from_millis(4900), 97);
        assert_eq!(
            text,
            "watching: 142 distinct accesses, the last new one 4 s ago; 97 % known"
        );
    }
}
