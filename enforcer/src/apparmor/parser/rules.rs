//! One rule.

use super::{Body, Modes, Parser, Place, end_of_rule};
use crate::apparmor::{
    error::{Fault, ImportError},
    lexer::{Cursor, Ends},
    policy::{Item, Qualifiers, Rule, RuleKind},
};

/// The words that begin rules which are about no file.
const KEYWORDS: [&str; 18] = [
    "capability",
    "network",
    "unix",
    "dbus",
    "signal",
    "ptrace",
    "mount",
    "remount",
    "umount",
    "unmount",
    "pivot_root",
    "change_profile",
    "set",
    "userns",
    "io_uring",
    "mqueue",
    "all",
    "change_hat",
];

/// The files that a `file` without a path is about.
pub(crate) const EVERY_FILE: &str = "/{**,}";

impl Parser<'_> {
    /// Reads a rule, or a block of them behind qualifiers.
    pub(super) fn rule(
        &mut self,
        cursor: &mut Cursor,
        outer: &Qualifiers,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        let start = cursor.clone();
        let mut qualifiers = outer.clone();
        while qualifier(cursor, &mut qualifiers)? {
            cursor.skip_blank();
        }
        if cursor.peek() == Some('{') && qualifiers != *outer {
            let mut inner = Body::default();
            std::mem::swap(&mut inner.included, &mut body.included);
            self.block(cursor, place, &mut inner)?;
            for rule in &mut inner.rules {
                rule.qualifiers.add(&qualifiers);
            }
            std::mem::swap(&mut inner.included, &mut body.included);
            body.rules.extend(inner.rules);
            body.children.extend(inner.children);
            return Ok(());
        }
        let kind = kind(cursor)?;
        let text = cursor.text_since(&start);
        end_of_rule(cursor)?;
        body.rules.push(Rule {
            origin: start.origin(),
            text,
            from: self.included_file(),
            qualifiers,
            kind,
        });
        Ok(())
    }
}

impl Qualifiers {
    /// Adds those of a block around.
    fn add(&mut self, outer: &Self) {
        self.deny |= outer.deny;
        self.audit |= outer.audit;
        self.owner |= outer.owner;
        self.others.extend(outer.others.iter().cloned());
    }
}

/// Takes a qualifier, if one comes next.
fn qualifier(cursor: &mut Cursor, qualifiers: &mut Qualifiers) -> Result<bool, ImportError> {
    let name = cursor.name().to_owned();
    match name.as_str() {
        "audit" => qualifiers.audit = true,
        "deny" => qualifiers.deny = true,
        "allow" => {}
        "owner" | "user" => qualifiers.owner = true,
        "other" | "prompt" | "quiet" | "kill" | "access" | "complain" => {
            qualifiers.others.push(name.clone());
        }
        "priority" => {
            let mut ahead = cursor.clone();
            ahead.eat("priority");
            ahead.skip_blank();
            if !ahead.eat("=") {
                return Err(ahead.expected("a `=` behind `priority`"));
            }
            ahead.skip_blank();
            let Some(number) = ahead.word(Ends::AtBlank)? else {
                return Err(ahead.expected("a number"));
            };
            *cursor = ahead;
            // 0 is what a rule has anyway.
            if number.text.trim_start_matches('+') != "0" {
                qualifiers.others.push(format!("priority={}", number.text));
            }
            return Ok(true);
        }
        _ => return Ok(false),
    }
    cursor.eat(&name);
    Ok(true)
}

/// Reads what a rule says, up to its comma.
fn kind(cursor: &mut Cursor) -> Result<RuleKind, ImportError> {
    let name = cursor.name().to_owned();
    if let Some(keyword) = KEYWORDS.into_iter().find(|keyword| *keyword == name) {
        cursor.eat(keyword);
        return Ok(RuleKind::Other {
            keyword,
            items: items(cursor)?,
        });
    }
    if cursor.eat_name("link") {
        cursor.skip_blank();
        cursor.eat_name("subset");
        let path = path(cursor)?;
        let Some(to) = arrow(cursor)? else {
            return Err(cursor.expected("a `->` and what is linked to"));
        };
        return Ok(RuleKind::Link { path, to });
    }
    if cursor.eat_name("file") {
        cursor.skip_blank();
        if cursor.peek() == Some(',') {
            let modes = Modes::parse("rwlkmix");
            return Ok(RuleKind::File {
                path: EVERY_FILE.to_owned(),
                modes: modes.unwrap_or(Modes::BASE),
                target: None,
            });
        }
    }
    let (path, modes) = if let Some('/' | '"' | '@' | '{') = cursor.peek() {
        let path = path(cursor)?;
        (path, modes(cursor)?)
    } else {
        if Modes::parse(cursor.name()).is_none() {
            let rest = cursor.rest();
            let end = rest.find(|c: char| c.is_whitespace() || c == ',');
            let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let fault = Fault::UnknownRule {
                word: word.chars().take(40).collect(),
                kinds: KEYWORDS.join(", "),
            };
            let origin = cursor.origin();
            return Err(ImportError { origin, fault });
        }
        let modes = modes(cursor)?;
        (path(cursor)?, modes)
    };
    let target = arrow(cursor)?;
    Ok(RuleKind::File {
        path,
        modes,
        target,
    })
}

fn path(cursor: &mut Cursor) -> Result<String, ImportError> {
    cursor.skip_blank();
    let missing = cursor.expected("a path, which begins with `/` or `@{`");
    let word = cursor.word(Ends::AtBlank)?.ok_or(missing)?;
    Ok(word.text)
}

fn modes(cursor: &mut Cursor) -> Result<Modes, ImportError> {
    cursor.skip_blank();
    let origin = cursor.origin();
    let text = cursor.word(Ends::AtBlank)?.map(|word| word.text);
    let Some(text) = text else {
        return Err(cursor.expected("rights, such as `r`, `rw` or `ix`"));
    };
    Modes::parse(&text).ok_or(ImportError {
        origin,
        fault: Fault::InvalidRights {
            text,
            remedy: "they are r, w or a, l, k, m, and one of ix, px, cx, ux and their kin",
        },
    })
}

/// Reads `-> NAME`, if it is there.
fn arrow(cursor: &mut Cursor) -> Result<Option<String>, ImportError> {
    cursor.skip_blank();
    if !cursor.eat("->") {
        return Ok(None);
    }
    cursor.skip_blank();
    let missing = cursor.expected("a name behind the `->`");
    let word = cursor.word(Ends::AtBlank)?.ok_or(missing)?;
    Ok(Some(word.text))
}

/// Reads the words of a rule up to its comma.
fn items(cursor: &mut Cursor) -> Result<Vec<Item>, ImportError> {
    let mut items = Vec::new();
    loop {
        cursor.skip_blank();
        match cursor.peek() {
            None | Some(',' | ')') => return Ok(items),
            Some('(') => items.push(Item::Group(group(cursor)?)),
            Some(_) => {
                let item = item(cursor)?;
                items.push(item);
            }
        }
        // `options in (ro, bind)` sets as `=` does.
        if let [.., Item::Word(key), Item::Word(word), Item::Group(_)] = items.as_slice()
            && word == "in"
        {
            let key = key.clone();
            let values = match items.pop() {
                Some(Item::Group(values)) => values,
                _ => Vec::new(),
            };
            items.truncate(items.len().saturating_sub(2));
            items.push(Item::Set { key, values });
        }
    }
}

/// Reads `(...)`, in which commas part items.
fn group(cursor: &mut Cursor) -> Result<Vec<Item>, ImportError> {
    cursor.eat("(");
    let mut inner = Vec::new();
    loop {
        inner.extend(items(cursor)?);
        if cursor.eat(")") {
            return Ok(inner);
        }
        if !cursor.eat(",") {
            return Err(cursor.expected("a `)`"));
        }
    }
}

/// Reads a word, and what it is set to.
fn item(cursor: &mut Cursor) -> Result<Item, ImportError> {
    let Some(word) = cursor.word(Ends::InList)? else {
        return Err(cursor.expected("a word or the `,` at the end of the rule"));
    };
    let mut ahead = cursor.clone();
    ahead.skip_spaces();
    if word.quoted || !ahead.eat("=") {
        return Ok(Item::Word(word.text));
    }
    *cursor = ahead;
    cursor.skip_spaces();
    let values = if cursor.peek() == Some('(') {
        group(cursor)?
    } else {
        let value = cursor.word(Ends::InList)?;
        let value = value.ok_or_else(|| cursor.expected("a value behind the `=`"))?;
        vec![Item::Word(value.text)]
    };
    Ok(Item::Set {
        key: word.text,
        values,
    })
}
