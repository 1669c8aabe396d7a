//! A first profile for a program, from what a host knows of it.
//!
//! - [`root`]: the host's files; nothing else here reads any
//! - [`elf`], [`libraries`], [`script`]: what the program's own file says, and what it is
//!   linked with; [`calls`]: what the functions that it calls tell
//! - [`package`]: its package; [`files`]: what that has for it
//! - [`unit`]: the units that start it; [`directives`]: what they say
//! - [`sketch`]: the rules, each with where it comes from; [`covered`]: those that others
//!   make superfluous; [`render`]: the profile's text; [`error`]: why there is none
//!
//! Nothing is run, but for `rpm` where a host has it, which is only asked.

mod calls;
mod covered;
mod directives;
mod elf;
mod error;
mod files;
mod libraries;
mod package;
mod render;
mod root;
mod script;
mod sketch;
mod unit;

use std::{
    io,
    path::{Path, PathBuf},
};

use enforcer_abi::Access;

pub(crate) use self::root::ENTRIES;
use self::{
    elf::Elf,
    libraries::Libraries,
    package::Packages,
    root::{Kind, is_within},
    sketch::{Group, Rule, Scope, Sketch},
    unit::Units,
};
pub use self::{elf::ElfError, error::DraftError, root::Root};
use crate::profile::{Escaped, ProfileMode, Warning, is_name};

/// What a profile is asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// The host.
    pub root: &'a Root,
    /// The program, as a path on the host.
    pub executable: &'a Path,
    /// The profile's name, if it is not that of the program.
    pub name: Option<&'a str>,
    /// The user that the program runs as, if it is not what its unit says.
    pub user: Option<&'a str>,
    /// What becomes of what the profile does not grant.
    pub mode: ProfileMode,
    /// The folder of abstractions.
    pub abstractions: &'a Path,
    /// Those that are in it.
    pub available: &'a [String],
    /// Whether a schema for editors lies beside the profile.
    pub schema: bool,
}

/// A first profile.
#[derive(Debug)]
pub struct Draft {
    /// The profile.
    pub text: String,
    /// What could not be told, or is for a person to decide.
    pub notes: Vec<String>,
    /// What `enforcer check` would warn of.
    pub warnings: Vec<Warning>,
}

/// What is known of a program.
struct Facts {
    /// Its name: as it was asked for.
    name: String,
    /// Its file, as the kernel sees it.
    path: PathBuf,
    /// What its file or that of its interpreter says.
    program: Elf,
    libraries: Libraries,
    /// Its first line, if it is a script.
    script: Option<String>,
    /// The interpreter that it names.
    interpreter: Option<PathBuf>,
    packages: Packages,
    units: Units,
    /// The user that it runs as, and how that is known.
    user: Option<(String, String)>,
}

/// Writes a first profile.
///
/// # Errors
///
/// If the program is not there or is none, or an abstraction has errors.
pub fn draft(request: &Request<'_>) -> Result<Draft, DraftError> {
    let facts = facts(request)?;
    let name = match request.name {
        Some(name) => name.to_owned(),
        None => name_of(&facts.name),
    };
    if !is_name(&name) {
        return Err(DraftError::Name { name });
    }
    let mut sketch = sketch(request, &facts);
    let base = sketch.include.iter().any(|include| include.name == "base");
    covered::libraries(request, &facts.libraries, base, &mut sketch)?;
    let (text, warnings) = covered::without_superfluous(request, &name, &mut sketch, &|sketch| {
        render::text(request, &name, &facts, sketch)
    })?;
    Ok(Draft {
        text,
        notes: sketch.notes,
        warnings,
    })
}

/// Gathers what the host knows.
fn facts(request: &Request<'_>) -> Result<Facts, DraftError> {
    let Request {
        root, executable, ..
    } = *request;
    let resolved = match root.resolve(executable) {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = executable.file_name().unwrap_or_default();
            let mut places = unit::PROGRAMS.iter().map(|dir| Path::new(dir).join(name));
            return Err(DraftError::NotFound {
                path: executable.to_owned(),
                found: places.find(|path| matches!(root.kind(path), Kind::File { .. })),
            });
        }
        Err(source) => {
            return Err(DraftError::Read {
                path: executable.to_owned(),
                source,
            });
        }
    };
    let path = resolved.path;
    let program = read_program(root, &path)?;
    let (script, interpreter, program) = match program {
        Program::Native(program) => (None, None, program),
        Program::Script(first) => {
            let interpreter = script::interpreter(root, &first);
            let read = interpreter
                .as_ref()
                .and_then(|path| elf::parse(&root.read(path).ok()?).ok());
            (Some(first), interpreter, read.unwrap_or_default())
        }
    };
    let linked = interpreter.as_ref().unwrap_or(&path);
    let units = unit::units(root, &path);
    let user = match (request.user, units.services.first()) {
        (Some(user), _) => Some((user.to_owned(), "--user".to_owned())),
        (None, Some(unit)) => {
            let user = directives::user(unit);
            let source = match unit.value("Service", "User") {
                Some(said) if said == user => format!("User= of {}", unit.name),
                _ => unit.name.clone(),
            };
            Some((user.to_owned(), source))
        }
        (None, None) => None,
    };
    let name = executable.file_name().unwrap_or_default();
    Ok(Facts {
        name: name.to_string_lossy().into_owned(),
        libraries: libraries::libraries(root, linked, &program),
        packages: package::packages(root, &resolved.names),
        path,
        program,
        script,
        interpreter,
        units,
        user,
    })
}

/// A program.
enum Program {
    /// For the processor.
    Native(Elf),
    /// For an interpreter: the first line, without its `#!`.
    Script(String),
}

fn read_program(root: &Root, path: &Path) -> Result<Program, DraftError> {
    let path = || path.to_owned();
    match root.kind(&path()) {
        Kind::Folder => return Err(DraftError::Folder { path: path() }),
        Kind::File { executable: true } => {}
        Kind::File { executable: false } => return Err(DraftError::NotExecutable { path: path() }),
        Kind::Other | Kind::Nothing => return Err(DraftError::NoProgram { path: path() }),
    }
    let bytes = root.read(&path()).map_err(|source| DraftError::Read {
        path: path(),
        source,
    })?;
    if bytes.starts_with(b"\x7fELF") {
        let read = elf::parse(&bytes);
        return read.map(Program::Native).map_err(|source| DraftError::Elf {
            path: path(),
            source,
        });
    }
    match script::first_line(&bytes) {
        Some(line) => Ok(Program::Script(line)),
        None => Err(DraftError::NoProgram { path: path() }),
    }
}

/// What follows from what is known.
fn sketch(request: &Request<'_>, facts: &Facts) -> Sketch {
    let Request { root, .. } = *request;
    let mut sketch = Sketch::default();
    let itself = if facts.script.is_some() {
        Access::READ
    } else {
        Access::READ | Access::MAP
    };
    let source = "the program";
    sketch.rule(Group::Itself, (&facts.path, Scope::Path), itself, source);
    if facts.program.interpreter.is_some() || facts.script.is_some() {
        Sketch::name(&mut sketch.include, "base", "it is linked with libraries");
    } else {
        Sketch::name(&mut sketch.include, "base", "every program");
    }
    match (&facts.script, &facts.interpreter) {
        (None, _) => calls::include(&facts.program, &facts.libraries, &mut sketch),
        (Some(_), Some(interpreter)) => script::rules(request, interpreter, &mut sketch),
        (Some(line), None) => sketch.notes.push(format!(
            "the interpreter of the script is not there: #!{line}"
        )),
    }
    for (name, by) in &facts.libraries.missing {
        sketch.notes.push(format!(
            "{} needs the library {name}, which is in none of the folders of libraries",
            Escaped::path(by)
        ));
    }

    let helpers = files::rules(root, &facts.packages, &facts.name, &mut sketch);
    let starts = match facts.script {
        Some(_) => Some("scripts start programs".to_owned()),
        None => calls::starts(&facts.program),
    };
    if let Some(starts) = starts {
        for (pattern, package) in helpers {
            Sketch::name(&mut sketch.exec, &pattern, format!("{package}; {starts}"));
        }
    }
    directives::rules(root, &facts.units, &mut sketch);
    home(root, facts, &mut sketch);
    let bounds = |unit: &unit::Unit| {
        let mut values = unit.list("Service", "CapabilityBoundingSet").into_iter();
        unit.says("Service", "CapabilityBoundingSet") && !values.any(|value| value.starts_with('~'))
    };
    let bounded = facts.units.services.iter().any(bounds);
    let is_root = facts.user.as_ref().is_some_and(|(user, _)| user == "root");
    // What an interpreter calls, some script needs, and not this one.
    if facts.script.is_none() {
        if is_root && !(bounded && request.user.is_none()) {
            calls::privileges(&facts.program, &mut sketch);
        }
        calls::networks(&facts.program, &mut sketch);
        let attributes = calls::attributes(&facts.program);
        let state = sketch.rules.iter_mut();
        for rule in state.filter(|rule| rule.group == Group::State) {
            rule.allow |= attributes;
        }
    }
    available(request, &mut sketch);
    sketch.rules.sort_by_key(|Rule { group, .. }| *group);
    sketch
}

/// Leaves out abstractions that are not there, and says so.
fn available(request: &Request<'_>, sketch: &mut Sketch) {
    let there = |name: &str| request.available.iter().any(|known| known == name);
    let service = there("service") && sketch.include.iter().any(|one| one.name == "service");
    let Sketch { include, notes, .. } = sketch;
    include.retain(|one| {
        // A service logs.
        if one.name == "logging" && service {
            return false;
        }
        if !there(&one.name) {
            notes.push(format!(
                "there is no abstraction `{}` in {}, which would fit: {}",
                one.name,
                Escaped::path(request.abstractions),
                one.source
            ));
        }
        there(&one.name)
    });
}

/// The home of a service's user, where services keep what is theirs.
fn home(root: &Root, facts: &Facts, sketch: &mut Sketch) {
    let Some((user, _)) = &facts.user else { return };
    let accounts = root.text(Path::new("/etc/passwd"));
    let mut lines = accounts.lines().map(|line| line.split(':'));
    let home = lines.find_map(|mut fields| {
        let is_user = fields.next() == Some(user) || fields.nth(1) == Some(user);
        fields.clone().rev().nth(1).filter(|_| is_user)
    });
    let Some(home) = home else { return };
    let home = root.settle(Path::new(home));
    if is_within(&home, "/var/lib") && home != Path::new("/var/lib") {
        let source = format!("home of {user}");
        sketch.rule(Group::State, (&home, Scope::Tree), files::STATE, source);
    }
}

/// The name of a profile for a program.
fn name_of(program: &str) -> String {
    let letters = program.chars().map(|letter| match letter {
        'A'..='Z' => letter.to_ascii_lowercase(),
        'a'..='z' | '0'..='9' | '_' | '.' | '-' => letter,
        _ => '-',
    });
    let name: String = letters.collect();
    name.trim_start_matches(['_', '.', '-']).to_owned()
}
