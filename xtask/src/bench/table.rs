//! The figures for people.

use std::io::{self, Write};

use anyhow::Result;

use super::figures::Figures;
use super::setups::{NONE, SetUp};

/// Set-ups side by side: the kernel's own are as many.
const COLUMNS: usize = 8;

/// Prints a kernel's figures: a line a row, with what each set-up adds, and by how much
/// it takes longer.
pub(crate) fn print(kernel: &str, set_ups: &[SetUp], figures: &Figures) -> Result<()> {
    io::stdout().write_all(text(kernel, set_ups, figures).as_bytes())?;
    Ok(())
}

fn text(kernel: &str, set_ups: &[SetUp], figures: &Figures) -> String {
    let (there, missing): (Vec<&SetUp>, Vec<&SetUp>) = set_ups
        .iter()
        .partition(|set_up| figures.missing(kernel, set_up.name).is_none());
    let others: Vec<&SetUp> = there
        .iter()
        .copied()
        .filter(|set_up| set_up.name != NONE)
        .collect();
    let mut text = String::new();
    for some in others.chunks(COLUMNS) {
        text += &part(kernel, some, figures);
        text.push('\n');
    }
    if others.is_empty() {
        text += &part(kernel, &[], figures);
        text.push('\n');
    }
    for set_up in there {
        text += &[set_up.name, ": ", set_up.what, "\n"].concat();
    }
    for set_up in missing {
        let why = figures.missing(kernel, set_up.name).unwrap_or_default();
        text += &[set_up.name, ": not measured, ", why, "\n"].concat();
    }
    text
}

/// The table of some set-ups.
fn part(kernel: &str, set_ups: &[&SetUp], figures: &Figures) -> String {
    let mut head = vec![format!("instructions on {kernel}"), NONE.to_owned()];
    head.extend(set_ups.iter().map(|set_up| set_up.name.to_owned()));
    let mut lines = vec![head];
    for (row, without) in figures.rows(kernel, NONE) {
        let mut line = vec![row.clone(), grouped(without.cast_signed())];
        let cells = set_ups
            .iter()
            .map(|set_up| cell(figures.added(kernel, set_up.name, row), *without));
        line.extend(cells);
        lines.push(line);
    }
    aligned(&lines)
}

/// What is added, and the ratio of the sum to what there was.
fn cell(added: Option<i64>, without: u64) -> String {
    let Some(added) = added else {
        return "-".to_owned();
    };
    let sign = if added < 0 { "" } else { "+" };
    format!("{sign}{} ({})", grouped(added), ratio(added, without))
}

/// Hundredths, without the detour by a floating point number.
fn ratio(added: i64, without: u64) -> String {
    let without = i128::from(without.max(1));
    let hundredths = (100 * (without + i128::from(added)) + without / 2) / without;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A number with a comma after every three digits.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 {
        text.insert(0, '-');
    }
    text
}

/// Lines of cells, in columns; the first is aligned to the left, the others to the right.
pub(crate) fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let text = |line: &Vec<String>| {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            match column {
                0 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            }
        });
        cells.collect::<Vec<_>>().join("  ") + "\n"
    };
    lines.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Outcome;

    #[test]
    fn numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (-1000, "-1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, want) in cases {
            assert_eq!(grouped(number), want);
        }
    }

    #[test]
    fn a_table_has_what_is_added_and_what_is_missing() {
        let set_up = |name, what| SetUp {
            name,
            append: "",
            what,
        };
        let set_ups = [set_up(NONE, "n"), set_up("with", "w"), set_up("other", "o")];
        let rows = |counts: [u64; 2]| {
            Outcome::Rows(vec![
                ("a".to_owned(), counts[0]),
                ("bb".to_owned(), counts[1]),
            ])
        };
        let mut figures = Figures::default();
        figures.add("6.12", NONE, rows([1000, 10]));
        figures.add("6.12", "with", rows([2500, 9]));
        figures.add(
            "6.12",
            "other",
            Outcome::Missing("it is not there".to_owned()),
        );
        let want = "\
instructions on 6.12   none           with
a                     1,000  +1,500 (2.50)
bb                       10      -1 (0.90)

none: n
with: w
other: not measured, it is not there
";
        assert_eq!(text("6.12", &set_ups, &figures), want);
    }
}
