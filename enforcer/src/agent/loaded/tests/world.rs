//! A registry on a kernel that refuses on demand.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs,
    path::Path,
};

use enforcer_abi::{
    Access, Adopted, Hit, Mode, Slot,
    table::{Header, Words as _},
};
use jiff::Timestamp;

use super::super::{Registry, Tables, change::ChangeError};
use crate::{
    agent::accounts::Accounts,
    detection::TighteningId,
    kernel::{
        AccessError,
        hooks::{Feature, Need},
    },
    profile::{Profile, ProfileMode, Removal},
    tighten::{Overlay, OverlayState, Overlays},
};

/// A kernel without programs: it keeps what it is given.
#[derive(Debug, Default)]
pub(super) struct Paper {
    pub(super) tables: BTreeMap<u32, Vec<u32>>,
    pub(super) users: BTreeMap<u32, Slot>,
    pub(super) adopted: HashMap<Adopted, Slot>,
    hits: BTreeMap<u32, Hit>,
    pub(super) epoch: u32,
    /// The kinds of subjects that it looks at.
    pub(super) kinds: u32,
    /// What is attached, in order.
    pub(super) attached: Vec<Need>,
    pub(super) lacks: Vec<Feature>,
    /// The slots that were written, in order.
    pub(super) written: Vec<u32>,
    /// How many writes it still accepts, and then refuses one.
    pub(super) refuses_after: Option<usize>,
}

impl Paper {
    fn accepts(&mut self) -> Result<(), AccessError> {
        match self.refuses_after.as_mut() {
            Some(0) => {
                self.refuses_after = None;
                Err(AccessError::NoSuchSlot { slot: Slot(0) })
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Checks that what is to be done now comes after what it needs.
    fn has_attached(&self, needs: &[Need]) {
        for need in needs {
            assert!(self.attached.contains(need), "{need:?} is not attached");
        }
    }

    /// Counts an access of `path` as the programs do.
    pub(super) fn access(&mut self, slot: Slot, path: &str, used: Access) {
        let words = &self.tables[&slot.0];
        let outcome = words.judge(path.as_bytes());
        let hit = self
            .hits
            .entry(words.word(Header::HITS) + outcome.index)
            .or_default();
        hit.count += 1;
        hit.used |= used;
    }

    pub(super) fn mode(&self, slot: Slot) -> Mode {
        self.tables[&slot.0].mode()
    }
}

impl Tables for Paper {
    fn set_table(&mut self, slot: Slot, words: &[u32]) -> Result<(), AccessError> {
        self.accepts()?;
        if slot >= Slot::FIRST {
            self.has_attached(&[Need::Profile, Need::Memory]);
        }
        self.tables.insert(slot.0, words.to_vec());
        self.written.push(slot.0);
        Ok(())
    }

    fn set_tables(&mut self, tables: &[(Slot, &[u32])]) -> Result<(), AccessError> {
        let mut tables = tables.iter();
        tables.try_for_each(|(slot, words)| self.set_table(*slot, words))
    }

    fn set_user(&mut self, uid: u32, slot: Option<Slot>) -> Result<(), AccessError> {
        self.accepts()?;
        if slot.is_some() {
            self.has_attached(&[Need::Users]);
        }
        match slot {
            Some(slot) => self.users.insert(uid, slot),
            None => self.users.remove(&uid),
        };
        Ok(())
    }

    fn set_adopted(&mut self, process: Adopted, slot: Option<Slot>) -> Result<(), AccessError> {
        self.accepts()?;
        match slot {
            Some(slot) => self.adopted.insert(process, slot),
            None => self.adopted.remove(&process),
        };
        Ok(())
    }

    fn advance_epoch(&mut self, kinds: u32) -> Result<(), AccessError> {
        self.accepts()?;
        self.has_attached(&[Need::Profile, Need::Memory]);
        self.epoch += 1;
        self.kinds = kinds;
        Ok(())
    }

    fn attach(&mut self, needs: &[Need]) -> Result<(), AccessError> {
        for &need in needs {
            if !self.attached.contains(&need) {
                self.accepts()?;
                self.attached.push(need);
            }
        }
        Ok(())
    }

    fn hits(&self, first: u32, count: u32) -> Result<Vec<Hit>, AccessError> {
        let hit = |index| self.hits.get(&index).copied().unwrap_or_default();
        Ok((first..first + count).map(hit).collect())
    }

    fn clear_hits(&mut self, first: u32, count: u32) -> Result<(), AccessError> {
        self.accepts()?;
        self.hits
            .retain(|index, _| !(first..first + count).contains(index));
        Ok(())
    }

    fn lacks(&self) -> &[Feature] {
        &self.lacks
    }
}

/// A registry, its kernel and its overlays.
pub(super) struct World {
    pub(super) registry: Registry,
    pub(super) kernel: Paper,
    pub(super) overlays: Overlays,
    base: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let overlays = base.path().join("overlays");
        fs::create_dir(&overlays).unwrap();
        let accounts = base.path().join("passwd");
        fs::write(&accounts, "root:x:0:0::/:\nwww:x:33:33::/:\n").unwrap();
        let registry = Registry {
            accounts: Accounts::at(&accounts),
            ..Registry::default()
        };
        Self {
            registry,
            kernel: Paper::default(),
            overlays: Overlays::load(&overlays).unwrap(),
            base,
        }
    }

    /// Takes away the list of accounts.
    pub(super) fn forget_accounts(&self) {
        fs::remove_file(self.base.path().join("passwd")).unwrap();
    }

    /// Loads a folder of profiles, and returns the slots that were written.
    pub(super) fn load(&mut self, profiles: &[Profile]) -> Result<Vec<u32>, ChangeError> {
        self.kernel.written.clear();
        let staged = self
            .registry
            .stage_directory(profiles.to_vec(), &self.overlays)?;
        self.registry.commit(staged, &mut self.kernel)?;
        Ok(self.kernel.written.clone())
    }

    /// Brings a tightening that takes a read away into a state.
    pub(super) fn tighten(
        &mut self,
        pattern: &str,
        state: OverlayState,
    ) -> Result<(), ChangeError> {
        let overlay = Overlay {
            id: TighteningId(1),
            profile: "a".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            state,
            trial: None,
            since: None,
            detections: vec![],
            removals: vec![Removal {
                pattern: pattern.to_owned(),
                access: Access::READ,
                except: Vec::new(),
            }],
            reason: String::new(),
        };
        self.overlays.put(overlay).unwrap();
        let staged = self.registry.stage_tightening("a", &self.overlays)?;
        self.registry.commit(staged, &mut self.kernel).map(drop)
    }

    pub(super) fn audit(&mut self, profile: &str) -> Slot {
        let (name, staged) = self
            .registry
            .stage_mode(profile, ProfileMode::Audit, &self.overlays)
            .unwrap();
        self.registry.commit(staged, &mut self.kernel).unwrap();
        self.slot(&name)
    }

    pub(super) fn slot(&self, name: &str) -> Slot {
        self.registry.get(name).unwrap().slot
    }

    /// The rights that the kernel's table in a slot grants, without what every
    /// table does that does not mediate metadata.
    pub(super) fn granted(&self, slot: Slot, path: &str) -> Access {
        self.kernel.tables[&slot.0].judge(path.as_bytes()).allow & !Access::METADATA
    }
}

/// A profile with these readable patterns, for the program `/bin/NAME`.
pub(super) fn profile(name: &str, patterns: &[&str]) -> Profile {
    let mut text = format!(
        "name: {name}\nmode: enforce\napplies_to: {{ executables: [/bin/{name}] }}\npaths:\n"
    );
    for pattern in patterns {
        writeln!(text, "  - {{ path: \"{pattern}\", allow: [read] }}").unwrap();
    }
    parse(name, &text)
}

pub(super) fn parse(name: &str, text: &str) -> Profile {
    let file = format!("/p/{name}.yaml");
    Profile::parse(text, Path::new(&file), Path::new("/p/abstractions")).unwrap()
}
