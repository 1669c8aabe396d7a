//! The profiles to which execs may lead: those that are imported together, and those of the
//! folder that they come from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::names::Names;
use crate::{
    apparmor::{
        glob,
        parser::{self, Wanted},
        policy::{Policy, Section, SectionKind},
        variables::{expand, single_slashes},
    },
    profile::{Pattern, Target},
};

/// The profiles that there are.
pub(in crate::apparmor) struct Known {
    all: Vec<KnownProfile>,
}

/// A profile that there is.
pub(in crate::apparmor) struct KnownProfile {
    /// AppArmor's name.
    pub(super) name: String,
    /// Ours.
    pub(super) ours: String,
    pub(super) kind: SectionKind,
    /// Whether AppArmor lets its programs do everything, so that it is not written.
    pub(super) unconfined: bool,
    /// Its file, if it is not imported with the others.
    pub(super) elsewhere: Option<PathBuf>,
    /// The programs that lead to it.
    attachment: Vec<glob::Sequence>,
    patterns: Vec<Pattern>,
}

impl Known {
    /// Those of `policies`, and of the files in the folder `base`.
    pub(in crate::apparmor) fn new(
        policies: &[(PathBuf, Policy)],
        base: &Path,
        names: &mut Names,
    ) -> Self {
        let mut known = Self { all: Vec::new() };
        for (_, policy) in policies {
            known.add_all(policy, &policy.sections, None, names);
        }
        let imported: Vec<PathBuf> = policies
            .iter()
            .filter_map(|(file, _)| fs::canonicalize(file).ok())
            .collect();
        // A folder that is not there has no profiles, and files that are none are not ours
        // to tell about here.
        let entries = fs::read_dir(base).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let is_imported = fs::canonicalize(&file).is_ok_and(|file| imported.contains(&file));
            if is_imported || !file.is_file() {
                continue;
            }
            if let Ok(policy) = parser::read(&file, base, Wanted::Heads) {
                known.add_all(&policy, &policy.sections, Some(&file), names);
            }
        }
        known
    }

    fn add_all(
        &mut self,
        policy: &Policy,
        sections: &[Section],
        elsewhere: Option<&Path>,
        names: &mut Names,
    ) {
        for section in sections {
            let texts = section.attachment.as_ref().and_then(|text| {
                let texts = expand(text, &policy.variables, &section.name);
                texts.ok()
            });
            let texts = texts.unwrap_or_default();
            let attachment: Vec<glob::Sequence> = texts
                .iter()
                .filter_map(|text| glob::files(&single_slashes(text)).ok())
                .flatten()
                .collect();
            let patterns = glob::patterns(&attachment).unwrap_or_default();
            let patterns = patterns.iter().filter_map(|text| Pattern::parse(text).ok());
            self.all.push(KnownProfile {
                name: section.name.clone(),
                ours: names.give(&section.name),
                kind: section.kind,
                unconfined: section.is_unconfined(),
                elsewhere: elsewhere.map(Path::to_owned),
                patterns: patterns.collect(),
                attachment,
            });
            self.add_all(policy, &section.children, elsewhere, names);
        }
    }

    /// The profile with this name of AppArmor's.
    pub(super) fn named(&self, name: &str) -> Option<&KnownProfile> {
        self.all.iter().find(|known| known.name == name)
    }

    /// The children of `parent`.
    pub(super) fn children(&self, parent: &str) -> Vec<&KnownProfile> {
        let is_child = |known: &&KnownProfile| {
            let local = known.name.strip_prefix(parent);
            let local = local.and_then(|local| local.strip_prefix("//"));
            local.is_some_and(|local| !local.contains("//")) && known.kind == SectionKind::Child
        };
        self.all.iter().filter(is_child).collect()
    }

    /// The profiles that programs lead to wherever they are started.
    pub(super) fn attached(&self) -> impl Iterator<Item = &KnownProfile> {
        let of_kind = |known: &&KnownProfile| known.kind == SectionKind::Profile;
        self.all.iter().filter(of_kind)
    }
}

impl KnownProfile {
    /// Ours to lead to, if there is one.
    pub(super) fn target(&self) -> Option<Target> {
        (!self.unconfined).then(|| Target::Profile(self.ours.clone()))
    }

    /// How much of `path` the profile names without a pattern, if the program at `path`
    /// leads to it.
    pub(super) fn closeness(&self, path: &[u8]) -> Option<usize> {
        let matching = self.patterns.iter().filter(|pattern| pattern.matches(path));
        matching.map(|pattern| pattern.literal_prefix().len()).max()
    }

    /// The programs that lead to it, those that are named without a pattern.
    pub(super) fn programs(&self) -> Vec<Vec<u8>> {
        glob::literals(&self.attachment)
    }

    /// Whether some of the programs that lead to it are named by a pattern.
    pub(super) fn has_patterns(&self) -> bool {
        self.attachment.iter().any(|sequence| {
            let written_out = glob::written_out(sequence).unwrap_or_default();
            written_out
                .iter()
                .any(|sequence| !glob::is_literal(sequence))
        })
    }

    /// Our patterns of the programs that lead to it.
    pub(super) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The programs that lead to it.
    pub(super) fn attachment(&self) -> &[glob::Sequence] {
        &self.attachment
    }
}
