//! The files that a file includes, and its `abi`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Body, Parser, Place, end_of_rule};
use crate::apparmor::{
    error::{Fault, ImportError},
    lexer::{Cursor, Ends},
    policy::Abi,
};
use crate::profile::{FILE_LEN, Origin, read_file};

/// Longest chain of files that include one another.
const DEPTH: usize = 32;

/// Ends of files that package managers and editors leave behind, and AppArmor leaves out.
const LEFTOVERS: [&str; 12] = [
    ".dpkg-new",
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-bak",
    ".dpkg-remove",
    ".pacsave",
    ".pacnew",
    ".rpmnew",
    ".rpmsave",
    ".orig",
    ".rej",
    "~",
];

/// A file that is named in a file.
struct Named {
    origin: Origin,
    name: String,
    file: PathBuf,
}

/// Opens a file.
pub(super) fn open(file: &Path) -> Result<Cursor, ImportError> {
    let fail = |fault| ImportError {
        origin: Origin::start_of(file),
        fault,
    };
    let bytes = read_file(file).map_err(|cause| fail(Fault::Unreadable { cause }))?;
    if bytes.len() > FILE_LEN {
        let cause = io::Error::from(io::ErrorKind::FileTooLarge);
        return Err(fail(Fault::Unreadable { cause }));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Cursor::new(file.into(), text.into())),
        Err(_) => Err(fail(Fault::NotText)),
    }
}

impl Parser<'_> {
    /// Reads an include, and what it includes.
    pub(super) fn include(
        &mut self,
        cursor: &mut Cursor,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        let _old_form = cursor.eat("#");
        cursor.eat("include");
        cursor.skip_spaces();
        let mut ahead = cursor.clone();
        let if_exists = ahead.eat_name("if") && {
            ahead.skip_spaces();
            ahead.eat_name("exists")
        };
        if if_exists {
            *cursor = ahead;
        }
        let Named { origin, name, file } = self.named(cursor)?;
        // Some write a comma behind it.
        cursor.skip_spaces();
        cursor.eat(",");
        if self.files.len() >= DEPTH {
            let fault = Fault::IncludedTooDeep { limit: DEPTH };
            return Err(ImportError { origin, fault });
        }
        if file.is_dir() {
            let unreadable = |cause| ImportError {
                origin: Origin::start_of(&file),
                fault: Fault::Unreadable { cause },
            };
            let mut files = Vec::new();
            for entry in fs::read_dir(&file).map_err(unreadable)? {
                files.push(entry.map_err(unreadable)?.path());
            }
            files.sort();
            for inner in files {
                if inner.is_file() && !is_leftover(&inner) {
                    self.included(&inner, place, body)?;
                }
            }
            return Ok(());
        }
        if file.exists() {
            return self.included(&file, place, body);
        }
        if if_exists {
            return Ok(());
        }
        let base = crate::profile::Escaped::path(self.base).to_string();
        let fault = Fault::MissingInclude { name, base };
        Err(ImportError { origin, fault })
    }

    fn included(
        &mut self,
        file: &Path,
        place: Place<'_>,
        body: &mut Body,
    ) -> Result<(), ImportError> {
        if !body.included.insert(file.to_owned()) {
            return Ok(());
        }
        let shown = file.strip_prefix(self.base).unwrap_or(file);
        self.files.push(shown.to_string_lossy().into());
        let mut cursor = open(file)?;
        self.items(&mut cursor, place.deeper(), body)?;
        self.files.pop();
        if cursor.peek().is_some() {
            return Err(cursor.expected("no `}`, since no block is open in this file"));
        }
        Ok(())
    }

    /// Reads `<name>` or `"name"`.
    fn named(&self, cursor: &mut Cursor) -> Result<Named, ImportError> {
        cursor.skip_spaces();
        let origin = cursor.origin();
        if !cursor.eat("<") {
            let Some(word) = cursor.word(Ends::AtBlank)? else {
                return Err(cursor.expected("the `<name>` of a file"));
            };
            return Ok(Named {
                origin,
                file: self.base.join(&word.text),
                name: word.text,
            });
        }
        let mut name = String::new();
        loop {
            match cursor.bump() {
                Some('>') => break,
                None | Some('\n') => return Err(cursor.expected("the `>` behind the file's name")),
                Some(c) => name.push(c),
            }
        }
        let name = name.trim().trim_matches('"').to_owned();
        let file = self.base.join(&name);
        Ok(Named { origin, name, file })
    }

    /// Reads the rest of `abi <name>,`.
    pub(super) fn abi(&mut self, cursor: &mut Cursor) -> Result<(), ImportError> {
        let Named { file, .. } = self.named(cursor)?;
        end_of_rule(cursor)?;
        // AppArmor takes its default, too, if the file is not there.
        if let Ok(bytes) = read_file(&file)
            && let Ok(text) = String::from_utf8(bytes)
        {
            self.policy.abi = Abi::read(&text);
        }
        Ok(())
    }

    /// The file that the parser is in, if it was included.
    pub(super) fn included_file(&self) -> Option<Arc<str>> {
        self.files.last().cloned()
    }
}

/// Whether a file of a folder is none of those that are meant.
fn is_leftover(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "README" || LEFTOVERS.iter().any(|end| name.ends_with(end))
}
