//! COVERAGE.md: what is mediated by which hook, on which kernel.

use std::{env, fmt::Write as _, fs, path::Path};

use enforcer_abi::{Operation, Privilege};

use super::{Feature, Hook, Instead, Need, Series, What, all};

/// The kernels that have a column.
const COLUMNS: [Series; 5] = [
    Series(5, 10),
    Series(6, 1),
    Series(6, 12),
    Series(6, 17),
    Series(7, 2),
];

/// Set to write the file anew.
const UPDATE: &str = "ENFORCER_UPDATE";

const HEAD: &str = "\
# What is mediated, by which hook, on which kernel

Generated from `enforcer/src/kernel/hooks/table.rs`, the list that the agent
attaches by; `ENFORCER_UPDATE=1 cargo test coverage` writes it anew.

`yes`: there is a program for the hook. `-`: there is none, and the last column
says what mediates the operation there. What the running kernel cannot
mediate is listed by `enforcer status` as a gap.
";

const PRIVILEGES: &str = "
Capabilities that are not listed are all asked by `capable`; those that are listed
are asked there besides. `ptrace` and `signal` are about processes outside of the
domain.
";

const DEGRADED: &str = "
A kernel that has a hook by its version, but was built without it, is refused
(`enforcer run` exits with 3), unless `--allow-degraded HOOK` accepts the gap.

## When a hook is attached

All programs are loaded when the agent starts. They are attached before the first
profile counts; as long as there is none, no hook is. Some wait longer, as the tables
above say: `users` for the first profile of a user, `metadata: true` for the first
with that. What is attached stays so while the agent runs.
";

/// Returns the text of the file.
fn document() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Operations\n\n");
    table(
        &mut text,
        Operation::ALL
            .iter()
            .filter(|&&operation| operation != Operation::Privilege)
            .map(|&operation| What::Operation(operation)),
    );
    text.push_str("\n## Privileges\n\n");
    let privileges = Privilege::NAMES
        .into_iter()
        .map(|(privilege, _)| What::Privilege(privilege))
        .filter(|&what| all().any(|hook| covers(hook, what).is_some()));
    table(
        &mut text,
        std::iter::once(What::Capabilities).chain(privileges),
    );
    text.push_str(PRIVILEGES);
    text.push_str("\n## Who is confined\n\n");
    table(&mut text, [What::Domain, What::Memory].into_iter());
    text.push_str("\n## What a kernel cannot do\n\n");
    for hook in all() {
        if let Instead::Gap(gap) = hook.instead {
            push(
                &mut text,
                format_args!("- before {}, without `{}`: {gap}", hook.since, hook.name),
            );
        }
    }
    for feature in Feature::ALL {
        push(
            &mut text,
            format_args!(
                "- before {}: {}; a profile with such a rule is refused",
                feature.since(),
                feature.without()
            ),
        );
    }
    text.push_str(DEGRADED);
    text
}

/// Writes a table with a row for each hook that covers one of `rows`.
fn table(text: &mut String, rows: impl Iterator<Item = What>) {
    let columns = COLUMNS.map(|series| series.to_string()).join(" | ");
    push(
        text,
        format_args!("| | part | hook | {columns} | where it is missing |"),
    );
    push(
        text,
        format_args!("|---|---|---|{}---|", "---|".repeat(COLUMNS.len())),
    );
    for what in rows {
        for hook in all() {
            let Some(part) = covers(hook, what) else {
                continue;
            };
            let on = COLUMNS.map(|series| if hook.since <= series { "yes" } else { "-" });
            let on = on.join(" | ");
            let instead = match hook.instead {
                Instead::Never => "",
                Instead::Covered(by) => by,
                Instead::Gap(gap) => gap,
            };
            let hint = match hook.need {
                Need::Metadata => " (`metadata: true`)",
                Need::Users => " (users)",
                Need::Memory => " (not with `--no-cache`)",
                Need::Profile => "",
            };
            push(
                text,
                format_args!(
                    "| {} | {part} | `{}`{hint} | {on} | {instead} |",
                    what.name(),
                    hook.name
                ),
            );
        }
    }
}

/// What part of something a hook covers.
fn covers(hook: &Hook, what: What) -> Option<&'static str> {
    let mut covers = hook.covers.iter();
    covers.find_map(|&(covered, part)| (covered == what).then_some(part))
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _written = writeln!(text, "{line}");
}

#[test]
fn every_operation_and_privilege_is_covered() {
    for &operation in Operation::ALL {
        let is_covered = all().any(|hook| covers(hook, What::Operation(operation)).is_some());
        let is_path = operation != Operation::Privilege;
        assert_eq!(is_covered, is_path, "{}", operation.name());
    }
    for (privilege, name) in Privilege::NAMES {
        let is_covered = all().any(|hook| covers(hook, What::Privilege(privilege)).is_some());
        assert!(privilege < Privilege::MOUNT || is_covered, "{name}");
    }
}

/// If this fails, `ENFORCER_UPDATE=1 cargo test coverage` writes the file anew.
#[test]
fn coverage_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../COVERAGE.md");
    let document = document();
    if env::var_os(UPDATE).is_some() {
        fs::write(&path, &document).unwrap();
    }
    let file = fs::read_to_string(&path).unwrap_or_default();
    for (line, want) in file.lines().zip(document.lines()) {
        assert_eq!(line, want, "COVERAGE.md is stale; set {UPDATE}=1");
    }
    assert_eq!(file.len(), document.len(), "COVERAGE.md is cut");
}
