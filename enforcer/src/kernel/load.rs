//! Loading the programs, and attaching them once a profile needs it.
//!
//! A program that is not attached is as one that sees epoch 0: it does nothing. So a hook
//! may be attached at any time before the epoch, or the kinds of subjects, or the table
//! come that make its program do something.
//!
//! What is attached stays so. Who is confined, or was under a profile that is gone, keeps
//! a label that has to follow the task, and a detached hook would have missed what
//! happened meanwhile: a new task at the address of one that ended, a new user, a file
//! at the address of one that is remembered.

use std::{collections::HashMap, mem, num::NonZero, thread};

use aya::{
    Btf, Ebpf, EbpfLoader,
    maps::{Map, MapError},
    programs::{Lsm, ProgramError},
};

use enforcer_abi::{
    limits::{OUTCOMES, SCRATCHES_FOR_ALL},
    offsets::{CAST, Features},
};

use super::{
    AccessError, Facts, Kernel, LoadError,
    events::EventsMap,
    hits::{HITS, Hits},
    hooks::{Need, Pick},
    legacy, patch,
    plain::Plain,
    probe::{self, Host},
    subjects,
    tables::TableMaps,
    workers,
};

/// The kernel programs, if `cargo xtask build` made this binary; else nothing.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/enforcer.bpf.o"));
/// The same for kernels before [`legacy::END`].
static LEGACY: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/legacy.bpf.o"));

impl Kernel {
    /// Loads the programs, and attaches none. Hooks that `allowed` names may be missing.
    /// What is found of an object is remembered if `remembers`.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unsupported`] where this host cannot enforce, with the remedy.
    pub fn load(allowed: &[String], remembers: bool) -> Result<Self, LoadError> {
        if OBJECT.is_empty() || LEGACY.is_empty() {
            return Err(LoadError::NoObject);
        }
        let Host {
            kernel_release,
            lsm,
            is_legacy,
            mut plan,
            mut offsets,
            cast,
        } = probe::host(allowed)?;
        if !remembers {
            offsets.features &= !Features::REMEMBERS;
            plan.picks.retain(|pick| pick.hook.need != Need::Memory);
        }
        let object = if is_legacy {
            legacy::lift_memory_limit();
            LEGACY
        } else {
            OBJECT
        };
        let object = match cast {
            Some(function) => &patch::call_kernel(object, CAST, function),
            None => object,
        };
        let btf = kernel_btf()?;
        let for_all = u64::try_from(SCRATCHES_FOR_ALL).unwrap_or(u64::MAX);
        let scratches = offsets.scratches.saturating_add(for_all);
        let scratches = u32::try_from(scratches).unwrap_or(u32::MAX);
        let cpus = probe::processors()?;
        let hits = u32::try_from(cpus * OUTCOMES).unwrap_or(u32::MAX);
        let offsets = Plain(offsets);
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .allow_unsupported_maps()
            .override_global("OFFSETS", &offsets, true)
            .map_max_entries("SCRATCHES", scratches)
            .map_max_entries(HITS, hits)
            .load(object)
            .map_err(|source| LoadError::Object {
                source: Box::new(source),
            })?;
        load(&mut ebpf, &plan.picks, &btf)?;
        Ok(Self {
            subjects: map(&mut ebpf, subjects::SUBJECTS)?,
            users: map(&mut ebpf, "USERS")?,
            adopted: map(&mut ebpf, "ADOPTED")?,
            released: map(&mut ebpf, "RELEASED")?,
            tables: TableMaps::find(&ebpf)?,
            hits: Hits::map(&ebpf, cpus)?,
            counters: map(&mut ebpf, "COUNTERS")?,
            violations: map(&mut ebpf, "VIOLATIONS_SEEN")?,
            uses: map(&mut ebpf, "USES_TOLD")?,
            enrolments: map(&mut ebpf, "ENROLMENTS")?,
            events: Some(if is_legacy {
                EventsMap::Queue(map(&mut ebpf, "EVENTS")?)
            } else {
                EventsMap::Ring(map(&mut ebpf, "EVENTS")?)
            }),
            is_legacy,
            facts: Facts {
                kernel_release,
                lsm,
                hooks: Vec::new(),
                gaps: plan.gaps,
            },
            lacks: plan.lacks,
            idle: plan.picks,
            metadata_missing: plan.metadata_missing,
            ebpf,
        })
    }

    /// Attaches what is needed and is not attached yet. It does nothing before the epoch,
    /// the subjects or the table come that it is needed for.
    ///
    /// # Errors
    ///
    /// If the kernel lacks a hook for metadata, or does not take a program. Those that
    /// were attached stay.
    pub fn attach(&mut self, needs: &[Need]) -> Result<(), AccessError> {
        let is_needed = |need| needs.contains(&need);
        if let Some(&hook) = self.metadata_missing.first()
            && is_needed(Need::Metadata)
        {
            return Err(AccessError::NoHook { hook });
        }
        let idle = mem::take(&mut self.idle).into_iter();
        let (due, idle): (Vec<_>, Vec<_>) = idle.partition(|pick| is_needed(pick.hook.need));
        self.idle = idle;
        let mut due = due.into_iter();
        while let Some(pick) = due.next() {
            let Pick { hook, program } = pick;
            let program = self.ebpf.program_mut(program);
            let program: Option<&mut Lsm> = program.and_then(|program| program.try_into().ok());
            let attached = program.ok_or(ProgramError::NotLoaded).and_then(Lsm::attach);
            if let Err(source) = attached {
                self.idle.push(pick);
                self.idle.extend(due);
                return Err(AccessError::Attach {
                    hook: hook.name,
                    source: Box::new(source),
                });
            }
            self.facts.hooks.push(hook.name);
        }
        Ok(())
    }
}

/// The kernel's types, as the loader wants them.
fn kernel_btf() -> Result<Btf, LoadError> {
    Btf::from_sys_fs().map_err(|source| LoadError::Btf { source })
}

/// Loads programs, on all processors: the kernel needs a while to verify each.
fn load(ebpf: &mut Ebpf, picks: &[Pick], btf: &Btf) -> Result<(), LoadError> {
    let mut by_name: HashMap<_, _> = ebpf.programs_mut().collect();
    let programs = picks.iter().map(|pick| {
        let program = by_name.remove(pick.program);
        let program: Option<&mut Lsm> = program.and_then(|program| program.try_into().ok());
        let missing = LoadError::NoProgram {
            hook: pick.hook.name,
            program: pick.program,
        };
        Ok((pick.hook.name, program.ok_or(missing)?))
    });
    let programs = programs.collect::<Result<Vec<_>, LoadError>>()?;

    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    workers::share(threads, programs.into_iter(), |mine| {
        for (hook, program) in mine {
            program
                .load(hook, btf)
                .map_err(|source| LoadError::Program {
                    hook,
                    source: Box::new(source),
                })?;
        }
        Ok(())
    })
}

/// Takes a map out of the object.
fn map<M: TryFrom<Map, Error = MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, LoadError> {
    let map = ebpf.take_map(name).ok_or(LoadError::Map {
        map: name,
        source: None,
    })?;
    M::try_from(map).map_err(|source| LoadError::Map {
        map: name,
        source: Some(Box::new(source)),
    })
}
