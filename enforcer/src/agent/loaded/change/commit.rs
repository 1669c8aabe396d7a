//! Putting a staged change into the kernel.

use enforcer_abi::Subjects as Kinds;

use super::{
    super::{
        Registry, Subjects, Tables,
        instance::{Carried, Version},
    },
    ChangeError, Changed, Kind, Staged, StagedTable,
};
use crate::{
    kernel::{
        AccessError,
        hooks::{Feature, Need},
    },
    profile::{Rule, Target},
};

impl Registry {
    /// Commits a change.
    ///
    /// # Errors
    ///
    /// If the kernel refuses. All is then as before, unless it refuses to take
    /// back what it accepted.
    pub fn commit(
        &mut self,
        staged: Staged,
        kernel: &mut impl Tables,
    ) -> Result<Changed, ChangeError> {
        if let Err(error) = supported(&staged, kernel) {
            self.abandon(staged);
            return Err(error);
        }
        // Before all that their programs act by.
        let kinds = self.kinds_with(staged.subjects.as_ref());
        if let Err(source) = kernel.attach(&needs(&staged, kinds)) {
            self.abandon(staged);
            let restored = true;
            return Err(ChangeError::Kernel { source, restored });
        }
        let prepared = self
            .carry(&staged, kernel)
            .and_then(|carried| put(self, &staged, kernel).map(|()| carried));
        let carried = match prepared {
            Ok(carried) => carried,
            Err(source) => {
                let restored = self.put_back(&staged, kernel).is_ok();
                self.abandon(staged);
                return Err(ChangeError::Kernel { source, restored });
            }
        };
        Ok(self.settle(staged, carried, kernel))
    }

    /// Reads what was used under the tables that a tightening replaces, in the
    /// order of the staged tables.
    fn carry(&self, staged: &Staged, kernel: &impl Tables) -> Result<Vec<Carried>, AccessError> {
        staged
            .tables
            .iter()
            .map(|table| match (staged.kind, self.get(&table.name)) {
                (Kind::Tightening, Some(before)) if table.loads => Ok(Carried {
                    usage: before.usage(kernel)?,
                    hits: before.hits(kernel)?,
                }),
                (_, _) if table.loads => Ok(Carried::default()),
                (_, Some(before)) => Ok(before.carried.clone()),
                (_, None) => Ok(Carried::default()),
            })
            .collect()
    }

    /// Puts back the tables and the subjects that a change may have replaced. A slot that
    /// had none keeps the new one: nothing leads there. What was attached stays so.
    fn put_back(&self, staged: &Staged, kernel: &mut impl Tables) -> Result<(), AccessError> {
        let names = staged.tables.iter().filter(|table| table.loads);
        for table in names {
            if let Some(before) = self.instances.get(&table.name) {
                kernel.set_table(before.slot, &before.current.compiled.words)?;
            }
        }
        if let Some(after) = &staged.subjects {
            let before = self.subjects.as_ref();
            before.unwrap_or(&Subjects::default()).put(after, kernel)?;
            // Else no task was looked at yet, and none is to be.
            if !self.instances.is_empty() {
                kernel.advance_epoch(self.kinds())?;
            }
        }
        Ok(())
    }

    /// Takes over a change that the kernel has.
    fn settle(
        &mut self,
        staged: Staged,
        carried: Vec<Carried>,
        kernel: &mut impl Tables,
    ) -> Changed {
        let mut changed = Changed::default();
        for (table, mut carried) in staged.tables.into_iter().zip(carried) {
            let StagedTable {
                name,
                mut instance,
                loads,
            } = table;
            if loads {
                if let Some(before) = self.instances.remove(&name) {
                    // Once more, now that the old table is out of use: a right
                    // that was used while the tables were swapped counts, too.
                    // What was read before stands where this cannot be read.
                    if staged.kind == Kind::Tightening
                        && let (Ok(usage), Ok(hits)) = (before.usage(kernel), before.hits(kernel))
                    {
                        carried = Carried { usage, hits };
                    }
                    if let Some(forgotten) = before.previous {
                        self.ranges.free(forgotten.range);
                    }
                    instance.previous = Some(before.current);
                }
                changed.loaded.push(name.clone());
            }
            instance.carried = carried;
            self.instances.insert(name, instance);
        }
        if staged.subjects.is_some() {
            self.subjects = staged.subjects;
        }
        for (name, version) in staged.removed {
            let Some(instance) = self.instances.get_mut(&name) else {
                continue;
            };
            match kernel.set_table(instance.slot, &version.compiled.words) {
                Ok(()) => {
                    if let Some(forgotten) = instance.previous.take() {
                        self.ranges.free(forgotten.range);
                    }
                    instance.previous = Some(std::mem::replace(&mut instance.current, version));
                    instance.removed = true;
                    instance.carried = Carried::default();
                    changed.removed.push(name);
                }
                Err(error) => {
                    self.ranges.free(version.range);
                    changed.stuck.push((name, error));
                }
            }
        }
        changed
    }
}

/// Whether the kernel can do what the profiles of a change need.
fn supported(staged: &Staged, kernel: &impl Tables) -> Result<(), ChangeError> {
    let loads = staged.tables.iter().filter(|table| table.loads);
    for StagedTable { instance, .. } in loads {
        for rule in &instance.written.rules {
            let Some(feature) = need(rule).filter(|need| kernel.lacks().contains(need)) else {
                continue;
            };
            return Err(ChangeError::Lacks {
                origin: rule.origin.clone(),
                feature,
            });
        }
    }
    Ok(())
}

/// What a rule needs of the kernel.
fn need(rule: &Rule) -> Option<Feature> {
    match rule.target {
        Some(Target::Profile(_)) => Some(Feature::SecureExec),
        Some(Target::Inherit) | None => None,
    }
}

/// What the profiles of a change need attached, with the kinds of subjects that there
/// are after it.
fn needs(staged: &Staged, kinds: u32) -> Vec<Need> {
    let profiles = || staged.tables.iter().map(|table| &table.instance);
    let needs = [
        (Need::Profile, profiles().next().is_some()),
        (Need::Memory, profiles().next().is_some()),
        (Need::Users, kinds & Kinds::USERS != 0),
        (
            Need::Metadata,
            profiles().any(|instance| instance.current.effective.metadata),
        ),
    ];
    let needs = needs.into_iter().filter(|&(_, is_so)| is_so);
    needs.map(|(need, _)| need).collect()
}

/// Puts tables into the kernel, in no order.
fn put_tables(staged: &[&StagedTable], kernel: &mut impl Tables) -> Result<(), AccessError> {
    let mut tables = Vec::new();
    for StagedTable { instance, .. } in staged {
        let Version {
            range, compiled, ..
        } = &instance.current;
        kernel.clear_hits(range.first, range.count)?;
        tables.push((instance.slot, compiled.words.as_slice()));
    }
    if tables.is_empty() {
        return Ok(());
    }
    kernel.set_tables(&tables)
}

/// Puts tables and subjects into the kernel.
fn put(registry: &Registry, staged: &Staged, kernel: &mut impl Tables) -> Result<(), AccessError> {
    let is_new = |table: &&StagedTable| !registry.instances.contains_key(&table.name);
    let loads = || staged.tables.iter().filter(|table| table.loads);
    // A new table is no other table's target before this change.
    let (new, old): (Vec<_>, Vec<_>) = loads().partition(is_new);
    put_tables(&new, kernel)?;
    put_tables(&old, kernel)?;
    for (_, version) in &staged.removed {
        kernel.clear_hits(version.range.first, version.range.count)?;
    }
    if let Some(after) = &staged.subjects {
        let before = registry.subjects.as_ref();
        after.put(before.unwrap_or(&Subjects::default()), kernel)?;
    }
    // Before the first profile the programs need not look at any task.
    let first = registry.instances.is_empty();
    let none = first && loads().next().is_none();
    if !none && (first || staged.subjects.is_some()) {
        kernel.advance_epoch(registry.kinds_with(staged.subjects.as_ref()))?;
    }
    Ok(())
}
