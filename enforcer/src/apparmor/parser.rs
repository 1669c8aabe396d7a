//! From the text of AppArmor files to a [`Policy`].
//!
//! - [`rules`]: one rule; [`modes`]: its rights
//! - [`preamble`]: variables and aliases; [`conditions`]: what stands behind an `if`
//! - [`include`]: the files that a file includes

mod conditions;
mod include;
mod modes;
mod preamble;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::modes::{Exec, ExecTo, Fallback, Modes};
pub(super) use self::rules::EVERY_FILE;
use super::{
    error::{Fault, ImportError},
    lexer::{Cursor, Ends},
    policy::{Policy, Qualifiers, Rule, Section, SectionKind},
};

/// Deepest nesting of blocks.
const DEPTH: usize = 16;

/// What of a file is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything.
    All,
    /// The heads of its profiles: for who looks for a profile.
    Heads,
}

/// Reads `file`, with what it includes from `base`.
///
/// # Errors
///
/// The first thing that is wrong.
pub(super) fn read(file: &Path, base: &Path, wanted: Wanted) -> Result<Policy, ImportError> {
    let mut parser = Parser {
        base,
        wanted,
        policy: Policy::default(),
        booleans: BTreeMap::new(),
        files: Vec::new(),
    };
    let mut cursor = include::open(file)?;
    let mut preamble = Body::default();
    parser.items(&mut cursor, Place::File, &mut preamble)?;
    let mut policy = parser.policy;
    policy.sections = preamble.children;
    Ok(policy)
}

/// A file on its way.
struct Parser<'a> {
    base: &'a Path,
    wanted: Wanted,
    policy: Policy,
    booleans: BTreeMap<String, bool>,
    /// The files that led here by includes, from the folder of includes.
    files: Vec<Arc<str>>,
}

/// What is gathered of a block.
#[derive(Default)]
struct Body {
    rules: Vec<Rule>,
    children: Vec<Section>,
    /// What it included already: a second time is once too often.
    included: BTreeSet<PathBuf>,
}

/// Where in the language the parser is.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Outside of profiles.
    File,
    /// In a profile.
    Section {
        /// Its name.
        name: &'a str,
        /// How deep blocks are nested.
        depth: usize,
    },
}

impl Place<'_> {
    fn deeper(self) -> Self {
        match self {
            Self::File => Self::File,
            Self::Section { name, depth } => Self::Section {
                name,
                depth: depth + 1,
            },
        }
    }
}

impl Parser<'_> {
    /// Reads up to the end of the file, or to the `}` of a block.
    fn items(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        if let Place::Section { depth, .. } = place
            && depth > DEPTH
        {
            let fault = Fault::NestedTooDeep { limit: DEPTH };
            let origin = cursor.origin();
            return Err(ImportError { origin, fault });
        }
        loop {
            cursor.skip_blank();
            match cursor.peek() {
                None | Some('}') => return Ok(()),
                Some(_) => self.item(cursor, place, body)?,
            }
        }
    }

    fn item(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        if cursor.rest().starts_with("#include") || cursor.name() == "include" {
            return self.include(cursor, place, body);
        }
        if cursor.eat_name("abi") {
            return self.abi(cursor);
        }
        if cursor.eat_name("if") {
            return self.condition(cursor, place, body);
        }
        if cursor.name() == "profile" {
            cursor.eat("profile");
            return self.section(cursor, place, SectionKind::Profile, body);
        }
        match place {
            Place::File => {
                if cursor.eat_name("alias") || cursor.eat_name("rewrite") {
                    return self.alias(cursor);
                }
                if self.assignment(cursor)? {
                    return Ok(());
                }
                match cursor.peek() {
                    Some('/' | '"' | '@' | ':') => {
                        self.section(cursor, place, SectionKind::Profile, body)
                    }
                    _ => Err(cursor.expected("a profile, a variable or an `include`")),
                }
            }
            Place::Section { .. } => {
                if cursor.eat("^") || cursor.eat_name("hat") {
                    return self.section(cursor, place, SectionKind::Hat, body);
                }
                self.rule(cursor, &Qualifiers::default(), place, body)
            }
        }
    }

    /// Reads a block up to its `}`, the `{` being next.
    fn block(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        cursor.skip_blank();
        if !cursor.eat("{") {
            return Err(cursor.expected("a `{`"));
        }
        self.items(cursor, place.deeper(), body)?;
        if cursor.eat("}") {
            return Ok(());
        }
        Err(cursor.expected("a `}` that closes the block"))
    }

    /// Reads from a profile's name to the end of its block.
    fn section(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        kind: SectionKind,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        cursor.skip_blank();
        let origin = cursor.origin();
        let Some(name) = cursor.word(Ends::AtBlank)? else {
            return Err(cursor.expected("the name of a profile"));
        };
        let mut flags = Vec::new();
        let mut attachment = None;
        loop {
            cursor.skip_blank();
            match cursor.peek() {
                Some('{') => break,
                Some('/' | '"' | '@') if attachment.is_none() => {
                    attachment = cursor.word(Ends::AtBlank)?.map(|word| word.text);
                }
                Some('(') => flags.extend(list(cursor)?),
                _ if cursor.eat_name("flags") => {
                    cursor.skip_blank();
                    cursor.eat("=");
                    cursor.skip_blank();
                    flags.extend(list(cursor)?);
                }
                _ if cursor.eat_name("xattrs") => {
                    cursor.skip_blank();
                    cursor.eat("=");
                    cursor.skip_blank();
                    list(cursor)?;
                    flags.push("xattrs".to_owned());
                }
                _ => return Err(cursor.expected("the profile's program, its flags, or a `{`")),
            }
        }
        let (full, kind) = match (place, kind) {
            (Place::File, kind) => (name.text.clone(), kind),
            (Place::Section { name: parent, .. }, SectionKind::Profile) => {
                (format!("{parent}//{}", name.text), SectionKind::Child)
            }
            (Place::Section { name: parent, .. }, kind) => {
                (format!("{parent}//{}", name.text), kind)
            }
        };
        // A name that is a path says what it is for, too.
        let attachment =
            attachment.or_else(|| name.text.starts_with(['/', '@']).then(|| name.text.clone()));
        let mut inner = Body::default();
        match self.wanted {
            Wanted::All => {
                let depth = match place {
                    Place::File => 0,
                    Place::Section { depth, .. } => depth,
                };
                let place = Place::Section { name: &full, depth };
                self.block(cursor, place, &mut inner)?;
            }
            Wanted::Heads => skip_block(cursor)?,
        }
        body.children.push(Section {
            name: full,
            attachment,
            kind,
            flags,
            rules: inner.rules,
            children: inner.children,
            origin,
        });
        Ok(())
    }
}

/// Reads `(a, b c)`.
fn list(cursor: &mut Cursor) -> Result<Vec<String>, ImportError> {
    if !cursor.eat("(") {
        return Err(cursor.expected("a `(`"));
    }
    let mut words = Vec::new();
    loop {
        cursor.skip_blank();
        if cursor.eat(")") {
            return Ok(words);
        }
        if cursor.eat(",") {
            continue;
        }
        let Some(mut word) = cursor.word(Ends::InList)? else {
            return Err(cursor.expected("a `)`"));
        };
        if cursor.eat("=")
            && let Some(value) = cursor.word(Ends::InList)?
        {
            word.text = format!("{}={}", word.text, value.text);
        }
        words.push(word.text);
    }
}

/// Takes the comma at the end of a rule.
fn end_of_rule(cursor: &mut Cursor) -> Result<(), ImportError> {
    cursor.skip_blank();
    if cursor.eat(",") {
        return Ok(());
    }
    Err(cursor.expected("the `,` at the end of the rule"))
}

/// Skips a block, the `{` being next.
fn skip_block(cursor: &mut Cursor) -> Result<(), ImportError> {
    let mut depth = 0_usize;
    loop {
        cursor.skip_blank();
        match cursor.peek() {
            None => return Err(cursor.expected("a `}` that closes the block")),
            Some('"') => {
                cursor.word(Ends::AtBlank)?;
                continue;
            }
            Some('\\') => {
                cursor.bump();
            }
            Some('{') => depth += 1,
            Some('}') => depth = depth.saturating_sub(1),
            // It looks like a comment that is none.
            Some('#') => cursor.skip_line(),
            Some(_) => {}
        }
        cursor.bump();
        if depth == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
