//! Programs for an interpreter.

use std::path::{Path, PathBuf};

use enforcer_abi::Access;

use super::{
    Request,
    root::{Kind, Root},
    sketch::{Group, Scope, Sketch},
    unit::PROGRAMS,
};

/// Longest first line: that of the kernel.
const LINE: usize = 256;

/// Interpreters: how their names begin, their abstraction, and what they read without it.
const INTERPRETERS: [(&str, &str, &[(&str, Scope)]); 8] = [
    (
        "python",
        "python",
        &[
            ("/usr/lib/python3", Scope::Tree),
            ("/usr/local/lib/python3", Scope::Tree),
        ],
    ),
    (
        "perl",
        "perl",
        &[
            ("/usr/share/perl", Scope::Tree),
            ("/usr/share/perl5", Scope::Tree),
            ("/etc/perl", Scope::Tree),
        ],
    ),
    ("ruby", "ruby", &[("/usr/lib/ruby", Scope::Tree)]),
    ("node", "node", &[("/usr/share/nodejs", Scope::Tree)]),
    (
        "php",
        "php",
        &[("/etc/php", Scope::Tree), ("/usr/share/php", Scope::Tree)],
    ),
    ("sh", "shell", &[]),
    ("bash", "shell", &[]),
    ("dash", "shell", &[]),
];

/// The first line of a script without its `#!`; `None` if it is none.
pub(super) fn first_line(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(b"#!")?;
    let line = rest.split(|&byte| byte == b'\n').next()?;
    let line = line.get(..LINE).unwrap_or(line);
    let line = String::from_utf8_lossy(line).trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// The interpreter that a first line names, as the kernel sees it.
pub(super) fn interpreter(root: &Root, line: &str) -> Option<PathBuf> {
    let mut words = line.split_whitespace();
    let named = Path::new(words.next()?);
    if named.file_name().is_none_or(|name| name != "env") {
        return Some(root.resolve(named).ok()?.path);
    }
    // `env` looks for the program, behind its options and settings.
    let name = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    let mut places = PROGRAMS.iter().map(|folder| Path::new(folder).join(name));
    let place = places.find(|place| matches!(root.kind(place), Kind::File { .. }))?;
    Some(root.resolve(&place).ok()?.path)
}

/// Adds what an interpreter takes.
pub(super) fn rules(request: &Request<'_>, interpreter: &Path, sketch: &mut Sketch) {
    let name = interpreter
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let source = format!("its interpreter is {name}");
    let allow = Access::READ | Access::MAP;
    let path = (interpreter, Scope::Path);
    sketch.rule(Group::Itself, path, allow, source.as_str());
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let mut known = INTERPRETERS.iter();
    let Some((_, abstraction, folders)) = known.find(|(start, ..)| bare == *start) else {
        sketch.notes.push(format!(
            "what {name} reads beside the script is not known; add rules for its libraries"
        ));
        return;
    };
    Sketch::name(&mut sketch.include, abstraction, source.as_str());
    if request.available.iter().any(|there| there == abstraction) {
        return;
    }
    for (folder, scope) in *folders {
        // Those with a version beside it, too: /usr/lib/python3.11.
        let folder = Path::new(folder);
        let stem = folder.file_name().unwrap_or_default().to_string_lossy();
        let parent = folder.parent().unwrap_or(Path::new("/"));
        for there in request.root.list(parent) {
            let there_name = there.to_string_lossy();
            let version = there_name.strip_prefix(&*stem);
            let fits = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
            if version.is_some_and(fits) {
                let folder = request.root.settle(&parent.join(&there));
                sketch.rule(
                    Group::Libraries,
                    (&folder, *scope),
                    Access::READ,
                    source.as_str(),
                );
            }
        }
    }
    if *abstraction == "shell" {
        sketch.notes.push(
            "a shell starts other programs; add an exec rule for each that the script uses"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::{first_line, interpreter};
    use crate::draft::root::Root;

    #[test]
    fn first_lines() {
        let base = tempfile::tempdir().unwrap();
        let bin = base.path().join("usr/bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["python3.11", "env", "dash"] {
            fs::write(bin.join(name), "").unwrap();
        }
        symlink("python3.11", bin.join("python3")).unwrap();
        symlink("usr/bin", base.path().join("bin")).unwrap();
        let root = Root::at(base.path()).unwrap();
        // Columns: what it shows, the file, its interpreter.
        #[rustfmt::skip]
        let cases: [(&str, &[u8], Option<&str>); 8] = [
            ("plain",           b"#!/usr/bin/python3 -Es\nx",     Some("/usr/bin/python3.11")),
            ("a space",         b"#! /bin/dash\n",                Some("/usr/bin/dash")),
            ("env",             b"#!/usr/bin/env python3\n",      Some("/usr/bin/python3.11")),
            ("its options",     b"#!/usr/bin/env -S A=b dash -e", Some("/usr/bin/dash")),
            ("not there",       b"#!/usr/bin/ruby\n",             None),
            ("env of nothing",  b"#!/usr/bin/env\n",              None),
            ("no line",         b"#!\n/bin/dash",                 None),
            ("no script",       b"MZ#!/bin/dash",                 None),
        ];
        for (name, bytes, want) in cases {
            let found = first_line(bytes).and_then(|line| interpreter(&root, &line));
            assert_eq!(found.as_deref(), want.map(Path::new), "{name}");
        }
    }
}
