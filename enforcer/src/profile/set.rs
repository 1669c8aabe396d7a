//! The profiles of a folder, and what must hold between them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use enforcer_abi::Slot;

use super::{
    ABSTRACTIONS, Checked, Lint, Origin, Profile, Target, User, UserRef, Warning, check,
    compile_alone, compile_attachments, compile_cgroups,
    error::{Problem, ProfileError},
    file,
    limits::ERRORS,
    suggest,
};

/// Profiles that can be in force together.
#[derive(Clone, Debug, Default)]
pub struct ProfileSet(Vec<Profile>);

/// How far profiles are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What they name.
    Names,
    /// Whether there are tables of them, too.
    Tables,
    /// What may not have been meant, too.
    Warnings,
}

impl ProfileSet {
    /// Reads every profile of the folder `dir`, with the abstractions in its folder
    /// [`ABSTRACTIONS`].
    ///
    /// # Errors
    ///
    /// All that is wrong with a profile or between them, in the order of the files.
    pub fn load_dir(dir: &Path) -> Result<Self, Vec<ProfileError>> {
        Self::new(read_all(dir)?)
    }

    /// As [`ProfileSet::load_dir`], for who compiles the profiles anyway: that is what
    /// takes long. What only shows then is no error here.
    ///
    /// # Errors
    ///
    /// As [`ProfileSet::load_dir`].
    pub fn read_dir(dir: &Path) -> Result<Self, Vec<ProfileError>> {
        let (set, _) = Self::checked(read_all(dir)?, Depth::Names)?;
        Ok(set)
    }

    /// As [`ProfileSet::load_dir`], and tells what may not have been meant, profile by
    /// profile, and that there is none.
    ///
    /// # Errors
    ///
    /// As [`ProfileSet::load_dir`].
    pub fn check_dir(dir: &Path) -> Result<(Self, Vec<Warning>), Vec<ProfileError>> {
        let (set, mut warnings) = Self::checked(read_all(dir)?, Depth::Warnings)?;
        if set.0.is_empty() {
            warnings.push(Warning {
                origin: Origin::start_of(dir),
                lint: Lint::NoProfiles,
            });
        }
        Ok((set, warnings))
    }

    /// Takes `profiles` that were read one by one.
    ///
    /// # Errors
    ///
    /// If two have one name or apply to one program, user or cgroup, if an exec rule
    /// leads to none of them, or if one of them does not compile. Users are told apart
    /// as they are written; that a name and an id are one user is for the machine to
    /// say.
    pub fn new(profiles: Vec<Profile>) -> Result<Self, Vec<ProfileError>> {
        let (set, _) = Self::checked(profiles, Depth::Tables)?;
        Ok(set)
    }

    fn checked(
        profiles: Vec<Profile>,
        depth: Depth,
    ) -> Result<(Self, Vec<Warning>), Vec<ProfileError>> {
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        let mut names: BTreeMap<&str, &Profile> = BTreeMap::new();
        for profile in &profiles {
            if let Some(other) = names.insert(&profile.name, profile) {
                errors.push(ProfileError {
                    origin: Origin::start_of(&profile.source),
                    problem: Problem::NameTaken {
                        name: profile.name.clone(),
                        other: Origin::start_of(&other.source),
                    },
                });
            }
        }
        for profile in &profiles {
            let missing = missing_targets(profile, &names);
            // Any slot will do, since the tables are only made to see that they can be.
            let found = match depth {
                _ if !missing.is_empty() => Ok(Vec::new()),
                Depth::Names => Ok(Vec::new()),
                Depth::Tables => compile_alone(profile).map(|_| Vec::new()),
                Depth::Warnings => check(profile).map(|Checked { warnings, .. }| warnings),
            };
            match found {
                Ok(found) => warnings.extend(found),
                Err(error) => errors.push(error.into()),
            }
            errors.extend(missing);
        }
        if depth != Depth::Names {
            errors.extend(taken_programs(&profiles));
        }
        errors.extend(taken_users(&profiles));
        if errors.is_empty() {
            Ok((Self(profiles), warnings))
        } else {
            Err(errors)
        }
    }

    /// The profiles, in the order of their files.
    pub fn iter(&self) -> std::slice::Iter<'_, Profile> {
        self.0.iter()
    }

    /// The profile with this name.
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.iter().find(|profile| profile.name == name)
    }

    /// The profiles without what their rules grant that have ended by `now`, in seconds since
    /// 1970, UTC.
    #[must_use]
    pub fn without_ended(&self, now: u32) -> Self {
        let profiles = self.0.iter();
        Self(profiles.map(|profile| profile.without_ended(now)).collect())
    }

    /// The profiles, in the order of their files.
    pub fn into_profiles(self) -> Vec<Profile> {
        self.0
    }
}

impl<'a> IntoIterator for &'a ProfileSet {
    type Item = &'a Profile;
    type IntoIter = std::slice::Iter<'a, Profile>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Reads every profile of the folder `dir` by itself.
fn read_all(dir: &Path) -> Result<Vec<Profile>, Vec<ProfileError>> {
    let abstractions = dir.join(ABSTRACTIONS);
    let mut profiles = Vec::new();
    let mut errors = Vec::new();
    for file in yaml_files(dir).map_err(|error| vec![error])? {
        match Profile::load_all(&file, &abstractions) {
            Ok(profile) => profiles.push(profile),
            Err(all) => errors.extend(all),
        }
    }
    // A profile that cannot be read would be missed by those that lead to it.
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(profiles)
}

/// What two of `profiles` claim, a program or a cgroup.
fn taken_programs(profiles: &[Profile]) -> Vec<ProfileError> {
    let attachments: Vec<_> = profiles
        .iter()
        .map(|profile| (profile, Slot::FIRST))
        .collect();
    [compile_attachments, compile_cgroups]
        .into_iter()
        .filter_map(|compile| compile(&attachments).err())
        .map(Into::into)
        .collect()
}

/// The users that two of `profiles` name.
fn taken_users(profiles: &[Profile]) -> Vec<ProfileError> {
    let mut owners: BTreeMap<&UserRef, (&Profile, &User)> = BTreeMap::new();
    let mut errors = Vec::new();
    for profile in profiles {
        for user in &profile.users {
            let &mut (owner, first) = owners.entry(&user.who).or_insert((profile, user));
            if !std::ptr::eq(owner, profile) {
                errors.push(ProfileError {
                    origin: user.origin.clone(),
                    problem: Problem::UserTaken {
                        user: user.who.to_string(),
                        other: first.origin.clone(),
                    },
                });
            }
        }
    }
    errors
}

/// The exec rules of `profile` that lead to none of `names`.
fn missing_targets(profile: &Profile, names: &BTreeMap<&str, &Profile>) -> Vec<ProfileError> {
    let targets = profile.rules.iter().filter_map(|rule| match &rule.target {
        Some(Target::Profile(name)) => Some((rule, name)),
        Some(Target::Inherit) | None => None,
    });
    targets
        .filter(|(_, name)| !names.contains_key(name.as_str()))
        .take(ERRORS)
        .map(|(rule, name)| ProfileError {
            origin: rule.origin.clone(),
            problem: Problem::MissingTarget {
                name: name.clone(),
                suggestion: suggest::nearest(name, names.keys().copied()).map(str::to_owned),
            },
        })
        .collect()
}

/// The files of `dir` that hold profiles or abstractions: `*.yaml`, in the order of
/// their names. Hidden files are those of editors.
pub(crate) fn yaml_files(dir: &Path) -> Result<Vec<PathBuf>, ProfileError> {
    files(dir, file::is_yaml)
}

/// Warnings of the files of `dir` that nobody reads, since they are called `*.yml` or so.
pub(crate) fn misnamed_files(dir: &Path) -> Result<Vec<Warning>, ProfileError> {
    let warning = |file: PathBuf| Warning {
        origin: Origin::start_of(&file),
        lint: Lint::MisnamedFile,
    };
    let files = files(dir, file::is_misnamed)?;
    Ok(files.into_iter().map(warning).collect())
}

/// The files of `dir` that are called so, in the order of their names, without hidden ones.
fn files(dir: &Path, is_meant: fn(&Path) -> bool) -> Result<Vec<PathBuf>, ProfileError> {
    let unreadable = |cause: io::Error| ProfileError {
        origin: Origin::start_of(dir),
        problem: Problem::Read { cause },
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let hidden = file
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && is_meant(&file) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
