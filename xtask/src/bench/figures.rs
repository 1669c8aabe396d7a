//! What was measured.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::setups::NONE;

/// What a guest told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Rows in their order, and their instructions.
    Rows(Vec<(String, u64)>),
    /// This kernel does not have it, and why.
    Missing(String),
    /// It could not be measured though it is there, and what happened.
    Failed(String),
}

/// What all guests told.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<(String, &'static str), Outcome>);

impl Outcome {
    /// Reads what the program in a guest printed: JSON, a line a row.
    pub(crate) fn parse(output: &[u8]) -> Result<Self> {
        let mut rows = Vec::new();
        for line in String::from_utf8_lossy(output).lines() {
            let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            if let Some(why) = value.get("missing").and_then(Value::as_str) {
                return Ok(Self::Missing(why.to_owned()));
            }
            let row = value.get("row").and_then(Value::as_str);
            let instructions = value.get("instructions").and_then(Value::as_u64);
            let (Some(row), Some(instructions)) = (row, instructions) else {
                bail!("{line:?} is not about a row");
            };
            rows.push((row.to_owned(), instructions));
        }
        Ok(Self::Rows(rows))
    }

    /// Whether there are no rows, though there could be.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Rows(rows) if rows.is_empty())
    }
}

impl Figures {
    /// Adds what the guest of a set-up told.
    pub(crate) fn add(&mut self, kernel: &str, set_up: &'static str, outcome: Outcome) {
        self.0.insert((kernel.to_owned(), set_up), outcome);
    }

    /// The rows of a set-up; none if it was not measured.
    pub(crate) fn rows(&self, kernel: &str, set_up: &str) -> &[(String, u64)] {
        match self.outcome(kernel, set_up) {
            Some(Outcome::Rows(rows)) => rows,
            Some(Outcome::Missing(_) | Outcome::Failed(_)) | None => &[],
        }
    }

    /// Why a set-up could not be measured, if it could not.
    pub(crate) fn missing(&self, kernel: &str, set_up: &str) -> Option<&str> {
        match self.outcome(kernel, set_up)? {
            Outcome::Missing(why) | Outcome::Failed(why) => Some(why),
            Outcome::Rows(_) => None,
        }
    }

    /// How many set-ups failed.
    pub(crate) fn failures(&self) -> usize {
        let failed = |outcome: &&Outcome| matches!(outcome, Outcome::Failed(_));
        self.0.values().filter(failed).count()
    }

    /// What a row came to.
    pub(crate) fn of(&self, kernel: &str, set_up: &str, row: &str) -> Option<u64> {
        let mut rows = self.rows(kernel, set_up).iter();
        rows.find_map(|(name, instructions)| (name == row).then_some(*instructions))
    }

    /// What a set-up adds to a row of the guest without a security module.
    pub(crate) fn added(&self, kernel: &str, set_up: &str, row: &str) -> Option<i64> {
        let with = self.of(kernel, set_up, row)?;
        let without = self.of(kernel, NONE, row)?;
        Some(with.cast_signed() - without.cast_signed())
    }

    /// All of it: kernel, set-up, row; why, for what is missing.
    pub(crate) fn to_json(&self) -> Value {
        let mut kernels: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        for ((kernel, set_up), outcome) in &self.0 {
            let value = match outcome {
                Outcome::Rows(rows) => {
                    let rows = rows.iter().map(|(row, count)| (row.clone(), json!(count)));
                    Value::Object(rows.collect())
                }
                Outcome::Missing(why) => json!({ "missing": why }),
                Outcome::Failed(what) => json!({ "failed": what }),
            };
            kernels.entry(kernel).or_default().insert(set_up, value);
        }
        json!({ "unit": "instructions", "kernels": kernels })
    }

    fn outcome(&self, kernel: &str, set_up: &str) -> Option<&Outcome> {
        let mut entries = self.0.iter();
        entries
            .find_map(|((of, name), outcome)| (of == kernel && *name == set_up).then_some(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_tells_rows_or_why_there_are_none() {
        let rows = b"{\"row\":\"a\",\"instructions\":7}\n{\"row\":\"b\",\"instructions\":0}\n";
        let read = Outcome::parse(rows).unwrap();
        assert_eq!(
            read,
            Outcome::Rows(vec![("a".to_owned(), 7), ("b".to_owned(), 0)])
        );
        assert!(!read.is_empty());
        assert!(Outcome::parse(b"").unwrap().is_empty());
        let missing = Outcome::parse(b"{\"missing\":\"no such thing\"}\n").unwrap();
        assert_eq!(missing, Outcome::Missing("no such thing".to_owned()));
        for wrong in ["hello", "{}", "{\"row\":\"a\"}"] {
            assert!(Outcome::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_added_may_be_less_than_nothing() {
        let mut figures = Figures::default();
        let rows = |count| Outcome::Rows(vec![("a".to_owned(), count)]);
        figures.add("6.12", NONE, rows(7));
        figures.add("6.12", "with", rows(5));
        figures.add("6.1", "with", Outcome::Missing("old".to_owned()));
        assert_eq!(figures.added("6.12", "with", "a"), Some(-2));
        assert_eq!(figures.added("6.12", "with", "b"), None);
        assert_eq!(figures.added("6.1", "with", "a"), None);
        assert_eq!(figures.missing("6.1", "with"), Some("old"));
        let json = figures.to_json();
        assert_eq!(json.pointer("/kernels/6.12/with/a"), Some(&json!(5)));
    }
}
