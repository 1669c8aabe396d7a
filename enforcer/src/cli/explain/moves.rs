//! What a profile says to a rename or a link.

use anyhow::Context as _;
use enforcer_abi::Access;
use serde::Serialize;

use super::{
    Shown,
    rights::{View, list, sentences},
};
use crate::{
    detection::verdict_name,
    profile::{Escaped, Growth, Move, Profile},
};

/// An answer as `--json` shows it.
#[derive(Serialize)]
struct MoveView<'a> {
    profile: &'a str,
    operation: &'static str,
    /// What becomes of it if it is of a file.
    verdict: &'static str,
    /// What becomes of it if it is of a directory. Directories have no links.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_directory: Option<&'static str>,
    /// The rights that a file would have under the new name alone.
    gained: Vec<&'static str>,
    /// Whether an exec of a file would lead to another profile.
    other_target: bool,
    /// Whether a directory, or something beneath it, would have other rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory_grows: Option<bool>,
    old: View<'a>,
    new: View<'a>,
}

/// Shows whether `profile` lets what is at `old` have the name `new`.
pub(super) fn shown(
    profile: &Profile,
    how: Move,
    [old, new]: [&[u8]; 2],
    growth: &Growth<'_>,
) -> anyhow::Result<Shown> {
    let of_directory = how == Move::Rename;
    let view = MoveView {
        profile: &profile.name,
        operation: name(how),
        verdict: verdict_name(growth.as_file),
        as_directory: of_directory.then(|| verdict_name(growth.as_directory)),
        gained: growth.gained.names().collect(),
        other_target: growth.other_target,
        directory_grows: of_directory.then_some(growth.directory_grows),
        old: View::new(profile, old, &growth.old),
        new: View::new(profile, new, &growth.new),
    };
    Ok(Shown {
        text: text(profile, how, old, new, growth),
        json: serde_json::to_string(&view).context("cannot write the answer as JSON")?,
    })
}

const fn name(how: Move) -> &'static str {
    match how {
        Move::Rename => "rename",
        Move::Link => "link",
    }
}

/// The answer for people.
fn text(profile: &Profile, how: Move, old: &[u8], new: &[u8], growth: &Growth<'_>) -> String {
    let [as_file, as_directory] = [growth.as_file, growth.as_directory].map(verdict_name);
    let verdict = if how == Move::Link || as_file == as_directory {
        as_file.to_owned()
    } else {
        format!("{as_file} as a file, {as_directory} as a directory")
    };
    let mut lines = vec![format!(
        "{verdict}: {} of {} to {} under profile {}",
        name(how),
        Escaped(old),
        Escaped(new),
        profile.name
    )];
    let mut names = Vec::new();
    if !growth.old.requested.is_empty() {
        names.push(("old", old, &growth.old));
    }
    names.push(("new", new, &growth.new));
    for (which, path, explanation) in names {
        let mut indent = format!("  {which} name: ");
        for line in sentences(profile, path, explanation) {
            lines.push(format!("{indent}{line}"));
            "  ".clone_into(&mut indent);
        }
    }
    if how == Move::Rename {
        let verb = if growth.new.granted.contains(Access::REMOVE) {
            "grants it"
        } else {
            "does not grant it"
        };
        lines.push(format!(
            "  to replace what is there takes remove on it, too; the profile {verb}"
        ));
    }
    if !growth.gained.is_empty() {
        lines.push(format!(
            "  under the new name it would have more rights: {}",
            list(growth.gained.without_implied())
        ));
    }
    if growth.other_target {
        lines.push("  under the new name an exec of it would lead to another profile".to_owned());
    }
    let file_grows = !growth.gained.is_empty() || growth.other_target;
    match how {
        Move::Rename if growth.directory_grows && !file_grows => lines.push(
            "  a directory, or what is beneath it, would have other rights under the new name"
                .to_owned(),
        ),
        Move::Rename if !growth.directory_grows => {
            lines.push("  nothing would have more rights under the new name".to_owned());
        }
        Move::Link if !file_grows => {
            lines.push("  it would have no more rights under the new name".to_owned());
        }
        Move::Rename | Move::Link => {}
    }
    if how == Move::Rename && growth.directory_grows {
        lines.push("  a refusal for its rights is EXDEV, so that mv copies instead".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use enforcer_abi::Verdict;

    use super::super::shown;
    use crate::profile::{Move, Owner, Profile, Question};

    const TEXT: &str = r#"
name: web
mode: enforce
paths:
  - { path: "/www/**", allow: [read, create, remove] }
  - { path: "/up/**", allow: [read, write, create, remove] }
"#;

    /// What `read` implies is no news, whether it is mediated or not.
    #[test]
    fn moves() {
        answers(TEXT);
        answers(&format!("{TEXT}metadata: true\n"));
    }

    fn answers(text: &str) {
        let profile = Profile::parse(text, Path::new("web.yaml"), Path::new("")).unwrap();
        let ask = |how, old: &str, new: &str| {
            let question = Question::Move {
                how,
                paths: [old, new].map(|path| path.as_bytes().into()),
                owner: Owner::Other,
            };
            let answer = question.ask(&profile).unwrap();
            (shown(&profile, &answer).unwrap(), answer.verdict())
        };

        let (up, verdict) = ask(Move::Rename, "/www/a", "/up/a");
        assert_eq!(verdict, Verdict::Deny);
        assert_eq!(
            up.text,
            "\
denied: rename of /www/a to /up/a under profile web
  old name: allowed: profile web grants remove on /www/a
    granted by web.yaml:5:13: /www/** allow read, create, remove
  new name: allowed: profile web grants create on /up/a
    granted by web.yaml:6:13: /up/** allow read, write, create, remove
  to replace what is there takes remove on it, too; the profile grants it
  under the new name it would have more rights: write
  a refusal for its rights is EXDEV, so that mv copies instead"
        );
        let json: serde_json::Value = serde_json::from_str(&up.json).unwrap();
        assert_eq!(json["verdict"], "denied");
        assert_eq!(json["gained"], serde_json::json!(["write", "append"]));
        assert_eq!(json["old"]["path"], "/www/a");

        let (down, verdict) = ask(Move::Rename, "/up/a", "/www/a");
        assert_eq!(verdict, Verdict::Allow);
        let first = down.text.lines().next().unwrap();
        assert_eq!(
            first,
            "allowed as a file, denied as a directory: rename of /up/a to /www/a under profile web"
        );

        let (link, _) = ask(Move::Link, "/up/a", "/www/a");
        assert_eq!(
            link.text,
            "\
allowed: link of /up/a to /www/a under profile web
  new name: allowed: profile web grants create on /www/a
    granted by web.yaml:5:13: /www/** allow read, create, remove
  it would have no more rights under the new name"
        );
        let json: serde_json::Value = serde_json::from_str(&link.json).unwrap();
        assert!(json.get("as_directory").is_none());
    }
}
