//! `@{NAME}` in patterns: each value makes a text of its own.

use std::collections::BTreeMap;

use super::error::Fault;

/// Most texts that one text may stand for.
pub(super) const TEXTS: usize = 4096;

/// Variables with their values, as written.
pub(super) type Variables = BTreeMap<String, Vec<String>>;

/// Expands the variables of `text`, `@{profile_name}` to `profile`.
///
/// # Errors
///
/// If one is not defined, stands for itself, or all together for too much.
pub(super) fn expand(
    text: &str,
    variables: &Variables,
    profile: &str,
) -> Result<Vec<String>, Fault> {
    within(text, variables, profile, &mut Vec::new())
}

fn within<'a>(
    text: &'a str,
    variables: &'a Variables,
    profile: &str,
    users: &mut Vec<&'a str>,
) -> Result<Vec<String>, Fault> {
    let Some((before, name, after)) = split(text) else {
        return Ok(vec![text.to_owned()]);
    };
    let ends = within(after, variables, profile, users)?;
    let Some(values) = variables.get(name) else {
        if name == "profile_name" {
            let with_end = |end| format!("{before}{profile}{end}");
            return Ok(ends.iter().map(with_end).collect());
        }
        let name = name.to_owned();
        return Err(Fault::UndefinedVariable { name });
    };
    let too_many = || Fault::TooManyValues {
        name: name.to_owned(),
        limit: TEXTS,
    };
    if users.contains(&name) {
        return Err(too_many());
    }
    let mut texts = Vec::new();
    for value in values {
        users.push(name);
        let middles = within(value, variables, profile, users)?;
        users.pop();
        for middle in middles {
            for end in &ends {
                if texts.len() >= TEXTS {
                    return Err(too_many());
                }
                texts.push(format!("{before}{middle}{end}"));
            }
        }
    }
    Ok(texts)
}

/// What stands before the first variable of a text, its name, and what stands behind it.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("@{")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// One `/` for each run of them.
pub(super) fn single_slashes(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '/' || !single.ends_with('/') {
            single.push(c);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::{Variables, expand, single_slashes};

    #[test]
    fn texts() {
        let lists: [(&str, &[&str]); 5] = [
            ("HOMEDIRS", &["/home/"]),
            ("HOME", &["@{HOMEDIRS}/*/", "/root/"]),
            ("pid", &["{[1-9],[1-9][0-9]}"]),
            ("self", &["@{self}"]),
            ("many", &["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
        ];
        let variables: Variables = lists
            .into_iter()
            .map(|(name, values)| {
                (
                    name.to_owned(),
                    values.iter().map(ToString::to_string).collect(),
                )
            })
            .collect();
        #[rustfmt::skip]
        let cases: [(&str, &str, Result<&[&str], &str>); 6] = [
            ("none",        "/a/*",             Ok(&["/a/*"])),
            ("two values",  "@{HOME}/.x",       Ok(&["/home/*/.x", "/root/.x"])),
            ("alternatives", "/p/@{pid}/x",     Ok(&["/p/{[1-9],[1-9][0-9]}/x"])),
            ("the profile", "@{profile_name}",  Ok(&["p"])),
            ("undefined",   "/@{x}",            Err("nothing defines `@{x}`")),
            ("itself",      "/@{self}",         Err("stands for itself")),
        ];
        for (name, text, want) in cases {
            let got = expand(text, &variables, "p");
            match (got, want) {
                (Ok(texts), Ok(want)) => {
                    let texts: Vec<_> = texts.iter().map(|text| single_slashes(text)).collect();
                    assert_eq!(texts, want, "{name}");
                }
                (Err(fault), Err(want)) => {
                    assert!(fault.to_string().contains(want), "{name}: {fault}");
                }
                (got, _) => panic!("{name}: {got:?}"),
            }
        }
        let many = "@{many}".repeat(5);
        assert!(expand(&many, &variables, "p").is_err());
    }
}
