//! Profiles of AppArmor, and what they come to as profiles of ours.
//!
//! - [`lexer`]: words; [`parser`]: from files to a [`policy`]; [`variables`]: `@{NAME}`
//! - [`glob`]: AppArmor's patterns, and ours for the same files
//! - [`convert`]: from AppArmor's rules to ours; [`report`]: what differs
//! - [`abstractions`]: what profiles have in common; [`render`]: ours as text
//! - [`error`]: what is wrong with a file
//!
//! No library reads this language well enough: those that there are know a part of its
//! rules and no patterns. What AppArmor means is in its parser (`parser_regex.c`,
//! `parser_lex.l`, apparmor.d(5)) and in the kernel (`security/apparmor`).
//!
//! Arrows: `cli -> apparmor -> profile`.

mod abstractions;
mod convert;
mod error;
mod glob;
mod lexer;
mod parser;
mod policy;
mod render;
mod report;
mod variables;

use std::path::{Path, PathBuf};

pub use self::{
    abstractions::{Abstraction, Sharing},
    convert::{Imported, Made, MadeKind},
    error::{Fault, ImportError},
    parser::{Exec, ExecTo, Fallback, Modes},
    policy::{Abi, Item, Policy, Qualifiers, Rule, RuleKind, Section, SectionKind},
    report::{Count, Finding, Fit, Need, Report},
};
use self::{
    convert::{known::Known, names::Names},
    parser::Wanted,
};
use crate::profile::{Origin, Profile, compile_alone};

/// Where AppArmor's files lie, unless the command line says otherwise.
pub const BASE: &str = "/etc/apparmor.d";

/// What came of a file.
#[derive(Clone, Debug)]
pub struct ImportedFile {
    /// What the file says.
    pub policy: Policy,
    /// Its profiles, each before its children.
    pub profiles: Vec<Imported>,
}

/// Reads AppArmor's `files`, with what they include from `base`, and converts their
/// profiles. Exec rules may lead from one file to another, and to those in `base`.
///
/// # Errors
///
/// The first thing that is wrong with each file.
pub fn import(files: &[PathBuf], base: &Path) -> Result<Vec<ImportedFile>, Vec<ImportError>> {
    let mut policies = Vec::new();
    let mut errors = Vec::new();
    for file in files {
        match parser::read(file, base, Wanted::All) {
            Ok(policy) if policy.sections.is_empty() => errors.push(ImportError {
                origin: Origin::start_of(file),
                fault: Fault::NoProfile,
            }),
            Ok(policy) => policies.push((file.clone(), policy)),
            Err(error) => errors.push(error),
        }
    }
    let mut names = Names::default();
    let known = Known::new(&policies, base, &mut names);
    let mut all = Vec::new();
    for (_, policy) in policies {
        let mut profiles = Vec::new();
        for section in &policy.sections {
            if let Err(error) = import_all(&policy, section, &known, &mut names, &mut profiles) {
                errors.push(error);
            }
        }
        all.push(ImportedFile { policy, profiles });
    }
    if errors.is_empty() {
        Ok(all)
    } else {
        Err(errors)
    }
}

/// Converts a section and its children.
fn import_all(
    policy: &Policy,
    section: &Section,
    known: &Known,
    names: &mut Names,
    all: &mut Vec<Imported>,
) -> Result<(), ImportError> {
    let name = names.give(&section.name);
    let imported = convert::convert(policy, section, known, &name)?;
    all.push(imported);
    for child in &section.children {
        import_all(policy, child, known, names, all)?;
    }
    Ok(())
}

impl Imported {
    /// Makes sure that what came of AppArmor's is a profile, and that there is a table of it.
    ///
    /// # Errors
    ///
    /// If it is no profile, which is a mistake of the conversion, or too large a one.
    pub fn check(&self) -> Result<(), ImportError> {
        let error = |fault| ImportError {
            origin: self.section.origin.clone(),
            fault,
        };
        let text = self.yaml(&Sharing::default())?;
        let file = PathBuf::from(self.file_name());
        let profile = Profile::parse(&text, &file, Path::new("")).map_err(|cause| {
            error(Fault::Invalid {
                name: self.name.clone(),
                message: cause.to_string(),
            })
        })?;
        compile_alone(&profile).map_err(|cause| {
            error(Fault::Uncompiled {
                name: self.name.clone(),
                message: cause.fault.to_string(),
            })
        })?;
        Ok(())
    }
}
