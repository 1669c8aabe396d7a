//! What the product may cost; the numbers are in `tests/budgets.json`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::figures::Figures;
use super::setups::{self, NONE, SetUp};
use super::table::grouped;

/// What the budgets' file says.
#[derive(Debug)]
pub(crate) struct Budgets {
    /// The kernel that they are for.
    kernel: String,
    /// By how many percent another kernel may exceed them.
    tolerance: i64,
    list: Vec<Budget>,
}

/// What a row may cost under a set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Budget {
    row: String,
    set_up: String,
    /// The set-up that it is compared with.
    than: String,
    most: Most,
    /// What it may take on a kernel that cannot keep to that: its name, and the number.
    on: Vec<(String, i64)>,
}

/// How much a set-up may take more than the one that it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Most {
    /// So many instructions.
    Instructions(i64),
    /// So many percent of what the other takes.
    Percent(i64),
    /// So many percent of what the other adds to no security module.
    PercentOfAdded(i64),
}

impl Budgets {
    /// Reads the budgets.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not right", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)?;
        let list = value.get("budgets").and_then(Value::as_array);
        let mut all = Vec::new();
        for entry in list.context("it has no list `budgets`")? {
            let found = Budget::parse(entry).with_context(|| format!("in {entry}"))?;
            all.extend(found);
        }
        Ok(Self {
            kernel: word(&value, "kernel")?.to_owned(),
            tolerance: value
                .get("tolerance_percent")
                .and_then(Value::as_i64)
                .context("it has no number `tolerance_percent`")?,
            list: all,
        })
    }

    /// Keeps only the budgets of what is measured: rows whose name contains one of
    /// `filters`, or all, under these set-ups.
    pub(crate) fn of(mut self, set_ups: &[SetUp], filters: &[String]) -> Self {
        let is_there = |name: &str| set_ups.iter().any(|set_up| set_up.name == name);
        self.list.retain(|budget| {
            let is_wanted = |filter: &String| budget.row.contains(filter.as_str());
            is_there(&budget.set_up)
                && is_there(&budget.than)
                && (filters.is_empty() || filters.iter().any(is_wanted))
        });
        self
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    /// Returns what exceeds its budget on a kernel. A row that was not measured does.
    pub(crate) fn check(&self, kernel: &str, figures: &Figures) -> Vec<String> {
        let mut complaints = Vec::new();
        for budget in &self.list {
            let Budget {
                row, set_up, than, ..
            } = budget;
            let text = match budget.more_and_most(kernel, figures) {
                Some((more, most)) => {
                    let most = self.allowed(budget, kernel, most);
                    if more <= most {
                        continue;
                    }
                    let [more, most] = [more, most].map(grouped);
                    format!("{more} instructions more than {than}, {most} allowed")
                }
                None => "was not measured".to_owned(),
            };
            complaints.push(format!("{kernel}, {row} under {set_up}: {text}"));
        }
        complaints
    }

    /// What a budget of so much allows on a kernel.
    fn allowed(&self, budget: &Budget, kernel: &str, most: i64) -> i64 {
        let own = budget.on.iter().find(|(name, _most)| name == kernel);
        match own {
            Some((_name, most)) => *most,
            None if kernel == self.kernel => most,
            None => most + most * self.tolerance / 100,
        }
    }
}

impl Budget {
    /// Reads an entry: a budget for each of its rows and set-ups.
    fn parse(entry: &Value) -> Result<Vec<Self>> {
        let keys: [(&str, fn(i64) -> Most); 3] = [
            ("most", Most::Instructions),
            ("most_percent", Most::Percent),
            ("most_percent_of_added", Most::PercentOfAdded),
        ];
        let number = |(key, most): &(&str, fn(i64) -> Most)| Some(most(entry.get(key)?.as_i64()?));
        let [most] = keys.iter().filter_map(number).collect::<Vec<_>>()[..] else {
            bail!("give one of `most`, `most_percent`, `most_percent_of_added`, a number");
        };
        let than = match entry.get("than") {
            Some(_) => word(entry, "than")?,
            None => NONE,
        };
        let set_ups = words(entry, "set_ups")?;
        for set_up in set_ups.iter().chain([&than]) {
            if !setups::is_known(set_up) {
                bail!("there is no set-up {set_up}");
            }
        }
        let on = own_numbers(entry)?;
        let rows = words(entry, "rows")?;
        let pairs = set_ups
            .iter()
            .flat_map(|set_up| rows.iter().map(move |row| (*row, *set_up)));
        let budget = |(row, set_up): (&str, &str)| Self {
            row: row.to_owned(),
            set_up: set_up.to_owned(),
            than: than.to_owned(),
            most,
            on: on.clone(),
        };
        Ok(pairs.map(budget).collect())
    }

    /// How many instructions it takes more, and how many it may; `None` if one of the
    /// figures is not there.
    fn more_and_most(&self, kernel: &str, figures: &Figures) -> Option<(i64, i64)> {
        let other = figures.of(kernel, &self.than, &self.row)?.cast_signed();
        let more = figures.of(kernel, &self.set_up, &self.row)?.cast_signed() - other;
        let most = match self.most {
            Most::Instructions(most) => most,
            Most::Percent(percent) => other * percent / 100,
            Most::PercentOfAdded(percent) => {
                let added = figures.added(kernel, &self.than, &self.row)?;
                added * percent / 100
            }
        };
        Some((more, most))
    }
}

/// The instructions that are allowed on single kernels, in place of the budget.
fn own_numbers(entry: &Value) -> Result<Vec<(String, i64)>> {
    let Some(on) = entry.get("on") else {
        return Ok(Vec::new());
    };
    let numbers = on.as_object().context("`on` has no kernels")?.iter();
    numbers
        .map(|(kernel, most)| {
            let most = most
                .as_i64()
                .with_context(|| format!("give a number on {kernel}"))?;
            Ok((kernel.clone(), most))
        })
        .collect()
}

fn word<'a>(entry: &'a Value, key: &str) -> Result<&'a str> {
    let word = entry.get(key).and_then(Value::as_str);
    word.with_context(|| format!("it has no text `{key}`"))
}

fn words<'a>(entry: &'a Value, key: &str) -> Result<Vec<&'a str>> {
    let list = entry.get(key).and_then(Value::as_array);
    let words: Option<Vec<&str>> = list.and_then(|list| list.iter().map(Value::as_str).collect());
    words
        .filter(|words| !words.is_empty())
        .with_context(|| format!("it has no list of texts `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Outcome;

    fn figures(kernel: &str) -> Figures {
        let mut figures = Figures::default();
        for (set_up, count) in [(NONE, 1000), ("enforcer-6", 1100), ("enforcer-1000", 1112)] {
            figures.add(kernel, set_up, Outcome::Rows(vec![("a".to_owned(), count)]));
        }
        figures
    }

    fn complaints(kernel: &str, set_up: &str, most: &str) -> usize {
        let text = format!(
            r#"{{"kernel": "6.12", "tolerance_percent": 15, "budgets":
                 [{{"rows": ["a"], "set_ups": ["{set_up}"], {most}}}]}}"#
        );
        let budgets = Budgets::parse(&text).unwrap();
        budgets.check(kernel, &figures(kernel)).len()
    }

    #[test]
    fn a_budget_is_kept_or_not() {
        // Columns: kernel, set-up, what it may cost, complaints.
        #[rustfmt::skip]
        let cases = [
            ("6.12", "enforcer-6",     r#""most": 100"#, 0),
            ("6.12", "enforcer-6",     r#""most": 99"#, 1),
            ("6.1",  "enforcer-6",     r#""most": 87"#, 0),
            ("6.1",  "enforcer-6",     r#""most": 86"#, 1),
            ("6.12", "enforcer-6",     r#""most_percent": 10"#, 0),
            ("6.12", "enforcer-6",     r#""most_percent": 9"#, 1),
            ("6.12", "enforcer-1000",  r#""than": "enforcer-6", "most": 12"#, 0),
            ("6.12", "enforcer-1000",  r#""than": "enforcer-6", "most_percent_of_added": 12"#, 0),
            ("6.12", "enforcer-1000",  r#""than": "enforcer-6", "most_percent_of_added": 11"#, 1),
            ("6.12", "enforcer-audit", r#""most": 9999"#, 1),
            ("6.1",  "enforcer-6",     r#""most": 86, "on": {"6.1": 100}"#, 0),
            ("6.1",  "enforcer-6",     r#""most": 86, "on": {"6.1": 99}"#, 1),
            ("6.1",  "enforcer-6",     r#""most": 86, "on": {"6.17": 100}"#, 1),
        ];
        for (kernel, set_up, most, want) in cases {
            assert_eq!(
                complaints(kernel, set_up, most),
                want,
                "{kernel} {set_up} {most}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_has_to_be_measured() {
        let text = r#"{"kernel": "6.12", "tolerance_percent": 15, "budgets": [
            {"rows": ["a", "open"], "set_ups": ["enforcer-6", "enforcer-60"], "most": 100},
            {"rows": ["a"], "set_ups": ["enforcer-60"], "than": "enforcer-6", "most": 100}]}"#;
        // Columns: set-ups, filters, budgets.
        let cases: [(&[&str], &[&str], usize); 6] = [
            (&["enforcer"], &[], 5),
            (&["enforcer-60"], &[], 2),
            (&["enforcer-6"], &["open"], 2),
            (&["enforcer"], &["a", "pen"], 5),
            (&["enforcer"], &["rename"], 0),
            (&["landlock"], &[], 0),
        ];
        for (set_ups, filters, want) in cases {
            let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            let (set_ups, filters): (Vec<String>, Vec<String>) = (texts(set_ups), texts(filters));
            let chosen = setups::chosen(&set_ups).unwrap();
            let budgets = Budgets::parse(text).unwrap().of(&chosen, &filters);
            let unmeasured = budgets.check("6.12", &Figures::default()).len();
            assert_eq!(unmeasured, want, "{set_ups:?} {filters:?}");
        }
    }

    #[test]
    fn the_project_s_own_budgets_can_be_read() {
        let read = || Budgets::read(&crate::bench::budgets_file()).unwrap();
        assert!(!read().list.is_empty());
        let others = setups::chosen(&["enforcer-other".to_owned()]).unwrap();
        let only = read().of(&others, &["open-1".to_owned()]).list;
        assert_eq!(only.len(), 1);
        assert_eq!(only[0].most, Most::Instructions(400));
    }
}
