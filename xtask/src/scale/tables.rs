//! The tables: what is measured. What it is made of is in `tests/bin/scale`.

use anyhow::{Result, bail};

/// A table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// Its name, which the program in the guest knows.
    pub(crate) name: &'static str,
    /// What there is more and more of.
    pub(crate) of: &'static str,
    /// How much of it, a row each.
    pub(crate) sizes: &'static [u64],
    /// Memory of the guest, in MiB.
    pub(crate) memory: u64,
    pub(crate) columns: &'static [Column],
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What the program in the guest calls it.
    pub(crate) what: &'static str,
    /// What people read above it.
    pub(crate) head: &'static str,
    pub(crate) unit: Unit,
}

/// What a value is, and what it is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// As it is.
    One,
    /// Millions of instructions.
    Millions,
    /// Nanoseconds, in milliseconds.
    Milliseconds,
}

/// What is measured on this machine and in no guest.
pub(crate) const CHECK: &str = "check";

/// What it takes to load profiles, and to have them.
#[rustfmt::skip]
const LOAD: &[Column] = &[
    column(CHECK,          "check here, ms",     Unit::Milliseconds),
    column("start",        "start, M instr.",    Unit::Millions),
    column("load",         "load, M instr.",     Unit::Millions),
    column("load-elapsed", "load, ms at 1 GIPS", Unit::Milliseconds),
    column("reload",       "reload, M instr.",   Unit::Millions),
    column("words",        "words of a table",   Unit::One),
    column("tables-kib",   "tables KiB",         Unit::One),
    column("maps-kib",     "other maps KiB",     Unit::One),
    column("agent-kib",    "agent grows, KiB",   Unit::One),
    column("open",         "open, instr.",       Unit::One),
    column("refused",      "refusal, instr.",    Unit::One),
    column("exec",         "exec, instr.",       Unit::One),
];

#[rustfmt::skip]
const TABLES: [Table; 5] = [
    Table {
        name: "profiles",
        of: "profiles of 10 rules",
        sizes: &[0, 10, 100, 1_000],
        memory: 1024,
        columns: LOAD,
    },
    Table {
        name: "rules",
        of: "rules of one profile",
        sizes: &[10, 100, 1_000, 10_000],
        memory: 1024,
        columns: LOAD,
    },
    Table {
        name: "tasks",
        of: "tasks",
        sizes: &[100, 1_000, 10_000],
        memory: 2048,
        columns: &[
            column("refused",         "refused",                Unit::One),
            column("outside-kib",     "KiB, unconfined",        Unit::One),
            column("kib",             "KiB",                    Unit::One),
            column("outside-fork",    "fork, instr. unconfined", Unit::One),
            column("fork",            "fork, instr.",           Unit::One),
            column("outside-open",    "open, instr. unconfined", Unit::One),
            column("open",            "open, instr.",           Unit::One),
        ],
    },
    Table {
        name: "files",
        of: "files",
        sizes: &[1_000, 10_000, 100_000, 1_000_000],
        memory: 3072,
        columns: &[
            column("none-first",  "open, unconfined", Unit::One),
            column("none-again",  "again",            Unit::One),
            column("tree-first",  "in a tree, first", Unit::One),
            column("tree-again",  "again",            Unit::One),
            column("names-first", "by names, first",  Unit::One),
            column("names-again", "again",            Unit::One),
        ],
    },
    Table {
        name: "events",
        of: "violations",
        sizes: &[100, 1_000, 10_000],
        memory: 1024,
        columns: &[
            column("event",      "instr. for each",        Unit::One),
            column("many-event", "with 1,000 profiles",    Unit::One),
            column("lost",       "without a path",         Unit::One),
            column("count",      "M instr. for one more",  Unit::Millions),
            column("many-count", "with 1,000 profiles",    Unit::Millions),
            column("bytes",      "bytes of the database",  Unit::One),
        ],
    },
];

const fn column(what: &'static str, head: &'static str, unit: Unit) -> Column {
    Column { what, head, unit }
}

/// The tables of these names; all without names.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Table>> {
    let find = |name: &str| TABLES.iter().find(|table| table.name == name);
    if let Some(odd) = names.iter().find(|name| find(name).is_none()) {
        let all = TABLES.map(|table| table.name).join(", ");
        bail!("there is no table {odd}; there are {all}");
    }
    let is_wanted =
        |table: &&Table| names.is_empty() || names.iter().any(|name| name == table.name);
    Ok(TABLES.iter().filter(is_wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_chosen_by_their_names() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            chosen(&names).map(|tables| tables.iter().map(|table| table.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["tasks", "rules"]).unwrap(), ["rules", "tasks"]);
        assert_eq!(names(&[]).unwrap().len(), TABLES.len());
        let error = names(&["rule"]).unwrap_err().to_string();
        assert!(error.contains("profiles, rules"), "{error}");
    }

    #[test]
    fn no_two_columns_have_one_name() {
        for table in TABLES {
            for (at, column) in table.columns.iter().enumerate() {
                let others = table.columns.iter().skip(at + 1);
                let mut others = others.filter(|other| other.what == column.what);
                assert!(others.next().is_none(), "{}: {}", table.name, column.what);
            }
        }
    }
}
