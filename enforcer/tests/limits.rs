//! Each limit of profiles at its edge: the largest that is accepted, and the first that is
//! refused.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fmt::Write as _, fs, path::Path};

use enforcer::profile::{
    ABSTRACTIONS, Profile, compile_alone,
    limits::{
        BRACES_DEPTH, ERRORS, FILE_LEN, INCLUDES, NAME_LEN, PATTERN_LEN, PATTERNS_LEN, RULES,
        UNIT_LEN, USER_LEN, VARIABLES_DEPTH,
    },
};
use enforcer_abi::limits::OUTCOMES;

/// The codes of what is wrong with a profile `name`, in a folder with abstractions.
fn codes(name: &str, text: &str, abstractions: &Path) -> Vec<&'static str> {
    let file = format!("{name}.yaml");
    match Profile::parse_all(text, Path::new(&file), abstractions) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .into_iter()
            .map(|error| error.problem.code())
            .collect(),
    }
}

/// A profile `p` with these lines.
fn profile(rest: &str) -> String {
    format!("name: p\nmode: enforce\n{rest}")
}

fn rule(path: &str) -> String {
    profile(&format!("paths: [{{ path: \"{path}\", allow: [read] }}]\n"))
}

/// A text of so many bytes.
fn file(len: usize) -> String {
    let text = profile("# ");
    let fill = len - text.len();
    text + &"x".repeat(fill)
}

fn rules(count: usize) -> String {
    profile(&("paths:\n".to_owned() + &"- { path: /x, allow: [read] }\n".repeat(count)))
}

fn braces(depth: usize) -> String {
    rule(&format!("/{}a{}", "{".repeat(depth), ",b}".repeat(depth)))
}

/// So many variables in one.
fn variables(depth: usize) -> String {
    let mut text = "variables:\n".to_owned();
    for at in 0..depth {
        writeln!(text, "  v{at}: \"${{v{}}}\"", at + 1).unwrap();
    }
    profile(&format!(
        "{text}  v{depth}: x\npaths: [{{ path: \"/${{v0}}\", allow: [read] }}]\n"
    ))
}

/// A pattern that a variable makes so long.
fn expanded(len: usize) -> String {
    let value = "x".repeat(len - 1);
    profile(&format!(
        "variables: {{ v: {value} }}\npaths: [{{ path: \"/${{v}}\", allow: [read] }}]\n"
    ))
}

/// Patterns of so many bytes in all.
fn patterns(len: usize) -> String {
    let long = "x".repeat(PATTERN_LEN - 1);
    let mut text = format!("variables: {{ v: {long} }}\npaths:\n");
    for _ in 0..len / PATTERN_LEN {
        text.push_str("- { path: \"/${v}\", allow: [read] }\n");
    }
    let rest = len % PATTERN_LEN;
    if rest > 0 {
        writeln!(
            text,
            "- {{ path: \"/{}\", allow: [read] }}",
            "x".repeat(rest - 1)
        )
        .unwrap();
    }
    profile(&text)
}

fn unit(len: usize) -> String {
    let name = "u".repeat(len - ".service".len());
    profile(&format!("applies_to: {{ units: [{name}.service] }}\n"))
}

fn user(len: usize) -> String {
    profile(&format!("applies_to: {{ users: [{}] }}\n", "u".repeat(len)))
}

fn user_id(id: usize) -> String {
    profile(&format!("applies_to: {{ users: [{id}] }}\n"))
}

#[test]
fn edges() {
    let none = u32::MAX as usize;
    // Columns: what it shows, text of a size, the largest that is accepted, the code of what
    // is wrong with the next.
    #[rustfmt::skip]
    let cases: [(&str, fn(usize) -> String, usize, &str); 10] = [
        ("a file",               file,      FILE_LEN,     "file-too-long"),
        ("rules",                rules,     RULES,        "too-many-rules"),
        ("a pattern",            |len| rule(&format!("/{}", "x".repeat(len - 1))), PATTERN_LEN, "glob-too-long"),
        ("a pattern, expanded",  expanded,  PATTERN_LEN,  "variable-too-long"),
        ("all patterns",         patterns,  PATTERNS_LEN, "patterns-too-long"),
        ("braces",               braces,    BRACES_DEPTH,        "glob-too-deep"),
        ("variables",            variables, VARIABLES_DEPTH,        "variable-too-deep"),
        ("a unit",               unit,      UNIT_LEN,     "invalid-unit"),
        ("a user",               user,      USER_LEN,     "invalid-user"),
        ("a user's id",          user_id,   none - 1,     "invalid-user"),
    ];
    for (name, text, most, code) in cases {
        let none = Path::new("");
        assert_eq!(codes("p", &text(most), none), [""; 0], "{name}");
        assert_eq!(
            codes("p", &text(most + 1), none).first(),
            Some(&code),
            "{name}"
        );
    }
}

#[test]
fn names() {
    for (len, want) in [(NAME_LEN, &[][..]), (NAME_LEN + 1, &["invalid-name"])] {
        let name = "n".repeat(len);
        let text = format!("name: {name}\nmode: enforce\n");
        assert_eq!(codes(&name, &text, Path::new("")), want, "{len}");
    }
}

#[test]
fn abstractions() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(ABSTRACTIONS);
    fs::create_dir(&folder).unwrap();
    let abstraction = |name: &str, text: &str| {
        fs::write(folder.join(format!("{name}.yaml")), text).unwrap();
    };
    for at in 1..=INCLUDES {
        abstraction(&format!("a{at}"), &format!("include: [a{}]\n", at + 1));
    }
    abstraction(&format!("a{}", INCLUDES + 1), "{}\n");
    // The second begins a chain that is one shorter.
    let included = |name: &str| codes("p", &profile(&format!("include: [{name}]\n")), &folder);
    assert_eq!(included("a2"), [""; 0]);
    assert_eq!(included("a1"), ["includes-too-deep"]);

    // Rules are counted over all files, and the first beyond is where it is too much.
    abstraction("one", "paths: [{ path: /y, allow: [read] }]\n");
    let text = |count| rules(count) + "include: [one]\n";
    assert_eq!(codes("p", &text(RULES - 1), &folder), [""; 0]);
    let error = Profile::parse(&text(RULES), Path::new("p.yaml"), &folder).unwrap_err();
    assert_eq!(error.problem.code(), "too-many-rules");
    assert_eq!(error.origin.file.file_name(), Some("one.yaml".as_ref()));
}

#[test]
fn errors_that_are_told() {
    let text =
        |count| profile(&("paths:\n".to_owned() + &"- { path: x, allow: [read] }\n".repeat(count)));
    let told = |count| codes("p", &text(count), Path::new(""));
    assert_eq!(told(ERRORS), ["glob-relative"; ERRORS]);
    for count in [ERRORS + 1, RULES] {
        let told = told(count);
        assert_eq!(told.len(), ERRORS + 1);
        assert_eq!(told.last(), Some(&"more-errors"));
    }
}

/// What is nested as deep as a file is long is refused, and takes no stack.
#[test]
fn depth_of_yaml() {
    for (open, close) in [("[", "]"), ("{ a: ", "}"), ("- ", "")] {
        let count = (FILE_LEN - 100) / (open.len() + close.len());
        let text = profile(&format!(
            "paths: {}{}\n",
            open.repeat(count),
            close.repeat(count)
        ));
        assert_eq!(codes("p", &text, Path::new("")).len(), 1, "{open}");
    }
}

/// Rules of `folders` folders and as many names in all of them: together they make a
/// combination for each of both.
fn combinations(folders: usize, names: usize) -> Profile {
    let mut text = "paths:\n".to_owned();
    for folder in 0..folders {
        writeln!(text, "- {{ path: \"/{folder}/**\", allow: [read] }}").unwrap();
    }
    let bytes = (1..=u8::MAX)
        .filter(|byte| !b"/.".contains(byte))
        .take(names);
    for byte in bytes {
        writeln!(text, "- {{ path: '/*/\\x{byte:02x}', allow: [write] }}").unwrap();
    }
    Profile::parse(&profile(&text), Path::new("p.yaml"), Path::new("")).unwrap()
}

#[test]
fn outcomes() {
    // None or one of the folders, and none or one of the names.
    let [folders, names] = [255, 127];
    assert_eq!((folders + 1) * (names + 1), OUTCOMES);
    let most = compile_alone(&combinations(folders, names)).unwrap();
    assert_eq!(most.outcomes.len(), OUTCOMES);
    let error = compile_alone(&combinations(folders, names + 1)).unwrap_err();
    let code: &str = (&error.fault).into();
    assert_eq!(code, "too-many-outcomes", "{error}");
}
