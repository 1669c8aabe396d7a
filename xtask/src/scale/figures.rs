//! What was measured.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::tables::{Table, Unit};
use crate::bench::{aligned, grouped};

/// Values by table, size and column.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<(&'static str, u64, &'static str), u64>);

impl Figures {
    /// Adds a value.
    pub(crate) fn add(&mut self, table: &Table, size: u64, what: &'static str, value: u64) {
        self.0.insert((table.name, size, what), value);
    }

    /// Adds what the program in the guest printed: JSON, a line a value. What no column
    /// shows is left out.
    pub(crate) fn parse(&mut self, table: &Table, output: &[u8]) -> Result<()> {
        for line in String::from_utf8_lossy(output).lines() {
            let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let text = |name| value.get(name).and_then(Value::as_str);
            let number = |name| value.get(name).and_then(Value::as_u64);
            let (Some(name), Some(size), Some(what), Some(value)) =
                (text("table"), number("at"), text("what"), number("value"))
            else {
                bail!("{line:?} is no value of a table");
            };
            if name != table.name || !table.sizes.contains(&size) {
                bail!("{line:?} is of another table than {}", table.name);
            }
            if let Some(column) = table.columns.iter().find(|column| column.what == what) {
                self.add(table, size, column.what, value);
            }
        }
        Ok(())
    }

    /// Prints a table.
    pub(crate) fn print(&self, kernel: &str, table: &Table) -> Result<()> {
        let text = self.text(kernel, table) + "\n";
        io::stdout().write_all(text.as_bytes())?;
        Ok(())
    }

    fn text(&self, kernel: &str, table: &Table) -> String {
        let mut head = vec![format!("{} on {kernel}", table.of)];
        head.extend(table.columns.iter().map(|column| column.head.to_owned()));
        let mut lines = vec![head];
        for &size in table.sizes {
            let mut line = vec![grouped(size.cast_signed())];
            let cells = table.columns.iter().map(|column| {
                let value = self.0.get(&(table.name, size, column.what));
                value.map_or_else(|| "-".to_owned(), |&value| shown(value, column.unit))
            });
            line.extend(cells);
            lines.push(line);
        }
        aligned(&lines)
    }

    /// All of it: table, size, column.
    pub(crate) fn to_json(&self, kernel: &str) -> Value {
        let mut tables: BTreeMap<&str, BTreeMap<String, BTreeMap<&str, u64>>> = BTreeMap::new();
        for (&(table, size, what), &value) in &self.0 {
            let rows = tables.entry(table).or_default();
            rows.entry(size.to_string())
                .or_default()
                .insert(what, value);
        }
        json!({ "kernel": kernel, "tables": tables })
    }
}

/// A value as people read it.
fn shown(value: u64, unit: Unit) -> String {
    let divisor = match unit {
        Unit::One => return grouped(value.cast_signed()),
        Unit::Millions | Unit::Milliseconds => 1_000_000,
    };
    let tenths = (value * 10 + divisor / 2) / divisor;
    if tenths < 100 {
        return format!("{}.{}", tenths / 10, tenths % 10);
    }
    grouped(((value + divisor / 2) / divisor).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::super::tables::chosen;
    use super::*;

    fn tasks() -> &'static Table {
        chosen(&["tasks".to_owned()]).unwrap()[0]
    }

    #[test]
    fn a_guest_tells_values_of_its_table() {
        let mut figures = Figures::default();
        let output = b"{\"table\":\"tasks\",\"at\":1000,\"what\":\"fork\",\"value\":41234}\n\
            {\"table\":\"tasks\",\"at\":1000,\"what\":\"nobody shows it\",\"value\":1}\n";
        figures.parse(tasks(), output).unwrap();
        let json = figures.to_json("6.12");
        assert_eq!(
            json.pointer("/tables/tasks/1000"),
            Some(&json!({ "fork": 41234 }))
        );
        let text = figures.text("6.12", tasks());
        let row = text.lines().nth(2).unwrap();
        assert!(row.starts_with("1,000 "), "{text}");
        assert!(row.contains(" 41,234 ") && row.contains(" -"), "{text}");
    }

    #[test]
    fn what_is_no_value_of_the_table_is_an_error() {
        for wrong in [
            "hello",
            "{}",
            "{\"table\":\"tasks\",\"at\":7,\"what\":\"fork\",\"value\":1}",
            "{\"table\":\"rules\",\"at\":1000,\"what\":\"open\",\"value\":1}",
        ] {
            let parsed = Figures::default().parse(tasks(), wrong.as_bytes());
            assert!(parsed.is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_shown_in_their_units() {
        let cases = [
            (1234, Unit::One, "1,234"),
            (1_250_000, Unit::Millions, "1.3"),
            (9_949_999, Unit::Milliseconds, "9.9"),
            (12_600_000, Unit::Millions, "13"),
            (0, Unit::Milliseconds, "0.0"),
        ];
        for (value, unit, want) in cases {
            assert_eq!(shown(value, unit), want);
        }
    }
}
