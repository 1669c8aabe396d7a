//! The reference of profiles, as a page of Markdown: from the schema, the names that there
//! are, and the limits.

mod keys;
mod meaning;

use std::fmt::Write as _;

use super::{
    abstraction_schema,
    limits::{
        BRACES_DEPTH, ERRORS, FILE_LEN, INCLUDES, NAME_LEN, PATTERN_LEN, PATTERNS_LEN, RULES,
        VARIABLES_DEPTH,
    },
    network::{FAMILIES, NETLINK_PROTOCOLS, PROTOCOLS},
    operation, profile_schema,
};
use enforcer_abi::{
    Access, Operation, Privilege,
    limits::{OUTCOMES, PATH_LEN, TABLE_WORDS, USERS},
};

/// The page up to the example.
const HEAD: &str = include_str!("reference/head.md");
/// A profile that says everything that a profile can say.
const EXAMPLE: &str = include_str!("reference/example.yaml");

/// The reference of profiles.
pub fn reference() -> String {
    let profile = profile_schema().to_value();
    let abstraction = abstraction_schema().to_value();
    let mut text = format!("{HEAD}\n## An example\n\n```yaml\n{EXAMPLE}```\n\n");
    text.push_str("## Keys\n\n");
    text.push_str(&keys::section(&profile));

    let mut names = profile
        .get("properties")
        .map(keys::references)
        .unwrap_or_default();
    let mut at = 0;
    while let Some(name) = names.get(at) {
        let before = names.get(..at).unwrap_or_default();
        if before.contains(name) {
            names.remove(at);
            continue;
        }
        if let Some(definition) = profile.pointer(&format!("/definitions/{name}")) {
            let heading = keys::heading(name);
            // Writing to a string does not fail.
            let _written = write!(text, "\n### {heading}\n\n{}", keys::section(definition));
            names.extend(keys::references(definition));
        }
        at += 1;
    }

    text.push_str("\n## Abstractions\n\n");
    text.push_str(&keys::section(&abstraction));
    text.push_str(ABSTRACTIONS);
    rights(&mut text);
    networks(&mut text);
    privileges(&mut text);
    patterns(&mut text);
    limits(&mut text);
    text
}

/// What the schema does not say of abstractions.
const ABSTRACTIONS: &str = "
An abstraction may include others, but not itself. Its variables are defaults: what the
profile defines wins over what it includes, and so does an abstraction over what that
includes. Two that do not include one another may not give a variable different values.
";

fn rights(text: &mut String) {
    text.push_str(
        "
## Rights

| right | lets | has with it | asked for by |
|---|---|---|---|
",
    );
    for (right, name) in Access::NAMES {
        let with = right.with_implied().missing_from(right);
        let asks = |operation: &&Operation| {
            operation::rights_of(**operation).is_some_and(|rights| rights.contains(right))
        };
        let operations = Operation::ALL.iter().filter(asks);
        let _written = writeln!(
            text,
            "| `{name}` | {} | {} | {} |",
            meaning::of_right(right),
            listed(with.names()),
            listed(operations.map(|operation| operation.name())),
        );
    }
    text.push_str(
        "
An `open` asks for what the file is opened for, and for `create` if it makes it. A rename
asks for `remove` at the old name and `create` at the new one, a link for `create`; and
what is moved has no right at its new name that it had not at the old. `all`, in a `deny`,
is every right. A deny of `write` is one of `append`, too.
",
    );
}

fn networks(text: &mut String) {
    text.push_str(
        "
## Networks

A rule without `address` and `port` is about sockets and all that they reach; one with them
is about these addresses, and lets the socket be made all the same. An address is a number
or a range of them (`10.0.0.0/8`), and never a name: who resolves it decides what it is. An
IPv4 address in the form of IPv6 is judged as IPv4's. Ports are of tcp, udp, sctp, dccp and
udplite. Of other families than ipv4 and ipv6 a rule grants `create` of all.

",
    );
    let listed_of = |table: &[(&'static str, u8)]| listed(table.iter().map(|&(name, _)| name));
    for (what, table) in [
        ("Families", &FAMILIES[..]),
        ("Protocols of ipv4 and ipv6", &PROTOCOLS),
        ("Protocols of netlink", &NETLINK_PROTOCOLS),
    ] {
        let _written = writeln!(text, "- {what}: {}.", listed_of(table));
    }
    text.push_str(
        "
A protocol may be a number, too. Unix sockets are files: `connect` and `create` in `paths`.
",
    );
}

fn privileges(text: &mut String) {
    text.push_str(
        "
## Privileges

A capability is named as in capabilities(7), without its `cap_`. Besides there are

| privilege | lets |
|---|---|
",
    );
    let (capabilities, others): (Vec<_>, Vec<_>) = Privilege::NAMES
        .into_iter()
        .partition(|&(privilege, _)| privilege < Privilege::MOUNT);
    for (privilege, name) in others {
        let meaning = meaning::of_privilege(privilege);
        let _written = writeln!(text, "| `{name}` | {meaning} |");
    }
    let names = listed(capabilities.into_iter().map(|(_, name)| name));
    let _written = writeln!(text, "\nThe capabilities: {names}.");
}

fn patterns(text: &mut String) {
    text.push_str(
        "
## Patterns

A pattern is about whole paths, as the kernel has them: from the root, symbolic links
resolved, no `//`, `.` or `..`, no `/` at the end.

| in a pattern | stands for |
|---|---|
| `*` | any bytes but `/`; as a whole name, at least one |
| `**` | any bytes; between two `/` also nothing, with one `/` less |
| `?` | one byte but `/` |
| `[a-z]` `[!a-z]` | one byte of a class, one that is not; never `/` |
| `{a,b}` | either; an alternative may be empty, and hold others |
| `\\` | before a punctuation mark: that mark; `\\x` before two hexadecimal digits: the byte |
| `${name}` | the variable's value: its text, or its list as alternatives |

| pattern | matches | does not match |
|---|---|---|
",
    );
    for (pattern, yes, no) in meaning::PATTERNS {
        let pattern = keys::cell(pattern);
        let yes = listed(yes.iter().copied());
        let no = listed(no.iter().copied());
        let _written = writeln!(text, "| `{pattern}` | {yes} | {no} |");
    }
    text.push_str(
        "
A variable's value is part of a pattern: `*` in it is a wildcard. It may hold other
variables. A name has letters, digits and `_`, and begins with a letter. As an `address` of
`network`, `${name}` stands alone, for each address that its value lists.
",
    );
}

fn limits(text: &mut String) {
    let largest = TABLE_WORDS.into_iter().max().unwrap_or(0) * size_of::<u32>();
    let rows = [
        ("bytes of a file", FILE_LEN),
        ("rules of a profile, with those it includes", RULES),
        ("bytes of a pattern, its variables expanded", PATTERN_LEN),
        (
            "bytes of all patterns of a profile, each of `*?[{,` counted as 4",
            PATTERNS_LEN,
        ),
        ("bytes of a path that can be judged", PATH_LEN),
        ("braces in braces", BRACES_DEPTH),
        ("variables in variables", VARIABLES_DEPTH),
        (
            "abstractions that include one another, in a chain",
            INCLUDES,
        ),
        ("letters of a name", NAME_LEN),
        ("bytes of a profile's table", largest),
        ("combinations of rules, of all profiles together", OUTCOMES),
        ("users that profiles name", USERS),
        ("errors that are told at once", ERRORS),
    ];
    text.push_str("\n## Limits\n\n| | at most |\n|---|---|\n");
    for (what, most) in rows {
        let _written = writeln!(text, "| {what} | {} |", grouped(most));
    }
    text.push_str(
        "
Beyond a limit a profile is refused with the place that is too much. `enforcer check
--stats` tells what a profile takes. Wildcards that overlap multiply: two `**` in the
middle of patterns, or a `**` with many `?` behind it, may need more than there is room
for. `enforcer check` then names the rules that do.
",
    );
}

/// Names with commas between them.
fn listed(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::{EXAMPLE, grouped, reference};
    use crate::profile::{
        ABSTRACTIONS, FileKind, Profile, compile_alone, format, lint, profile_schema,
    };

    #[test]
    fn the_example_is_a_good_profile() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles");
        let abstractions = Path::new(shipped).join(ABSTRACTIONS);
        let profile = Profile::parse(EXAMPLE, Path::new("shop.yaml"), &abstractions).unwrap();
        compile_alone(&profile).unwrap();
        let warnings = lint(&profile).unwrap();
        assert!(warnings.is_empty(), "{warnings:#?}");
        let file = Path::new("shop.yaml");
        let formatted = format(EXAMPLE, file, FileKind::Profile, &abstractions).unwrap();
        assert_eq!(EXAMPLE, formatted);
    }

    /// The example says everything, at least once.
    #[test]
    fn every_key_is_in_the_example_and_has_words() {
        let schema = profile_schema().to_value();
        let definitions = schema["definitions"].as_object().unwrap().values();
        for schema in std::iter::once(&schema).chain(definitions) {
            let Some(Value::Object(keys)) = schema.get("properties") else {
                continue;
            };
            for (name, key) in keys {
                assert!(EXAMPLE.contains(&format!("{name}:")), "{name}");
                assert!(key["description"].is_string(), "{name}");
                assert!(reference().contains(&format!("| `{name}` | ")), "{name}");
            }
        }
    }

    #[test]
    fn numbers() {
        for (number, want) in [
            (1, "1"),
            (100, "100"),
            (4096, "4,096"),
            (1 << 20, "1,048,576"),
        ] {
            assert_eq!(grouped(number), want);
        }
    }
}
