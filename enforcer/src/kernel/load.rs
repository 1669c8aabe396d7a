//! Loading and attaching the programs.

use std::{collections::HashMap, num::NonZero, sync::Mutex, thread};

use aya::{
    Btf, Ebpf, EbpfLoader,
    maps::{Map, MapError},
    programs::Lsm,
};

use enforcer_abi::{
    limits::SCRATCHES_FOR_ALL,
    offsets::{CAST, Features},
};

use super::{
    AccessError, Facts, Kernel, LoadError,
    events::EventsMap,
    hooks::Pick,
    legacy, patch,
    plain::Plain,
    probe::{self, Host},
    subjects,
};

/// The kernel programs, if `cargo xtask build` made this binary; else nothing.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/enforcer.bpf.o"));
/// The same for kernels before [`legacy::END`].
static LEGACY: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/legacy.bpf.o"));

impl Kernel {
    /// Loads the programs and attaches them. They do nothing before
    /// [`Kernel::advance_epoch`]. Hooks that `allowed` names may be missing. What is
    /// found of an object is remembered if `remembers`.
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
            plan,
            mut offsets,
            cast,
        } = probe::host(allowed)?;
        if !remembers {
            offsets.features &= !Features::REMEMBERS;
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
        let offsets = Plain(offsets);
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .allow_unsupported_maps()
            .override_global("OFFSETS", &offsets, true)
            .map_max_entries("SCRATCHES", scratches)
            .load(object)
            .map_err(|source| LoadError::Object {
                source: Box::new(source),
            })?;
        attach(&mut ebpf, &plan.attach, &btf)?;
        let hooks = plan.attach.iter().map(|pick| pick.hook.name).collect();
        Ok(Self {
            subjects: map(&mut ebpf, subjects::SUBJECTS)?,
            users: map(&mut ebpf, "USERS")?,
            adopted: map(&mut ebpf, "ADOPTED")?,
            classes: map(&mut ebpf, "CLASSES")?,
            small: map(&mut ebpf, "TABLES_SMALL")?,
            medium: map(&mut ebpf, "TABLES_MEDIUM")?,
            large: map(&mut ebpf, "TABLES_LARGE")?,
            hits: map(&mut ebpf, "HITS")?,
            counters: map(&mut ebpf, "COUNTERS")?,
            violations: map(&mut ebpf, "VIOLATIONS_SEEN")?,
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
                hooks,
                gaps: plan.gaps,
            },
            lacks: plan.lacks,
            metadata: plan.metadata,
            metadata_missing: plan.metadata_missing,
            ebpf,
        })
    }

    /// Attaches the programs that mediate metadata, unless they are. They stay.
    ///
    /// # Errors
    ///
    /// If the kernel lacks a hook for it or refuses a program. Those that were
    /// attached stay, and refuse nothing that no profile mediates.
    pub fn mediate_metadata(&mut self) -> Result<(), AccessError> {
        if let Some(&hook) = self.metadata_missing.first() {
            return Err(AccessError::NoHook { hook });
        }
        let failed = |source| AccessError::Attach {
            source: Box::new(source),
        };
        if self.metadata.is_empty() {
            return Ok(());
        }
        let btf = kernel_btf().map_err(failed)?;
        attach(&mut self.ebpf, &self.metadata, &btf).map_err(failed)?;
        let hooks = self.metadata.drain(..).map(|pick| pick.hook.name);
        self.facts.hooks.extend(hooks);
        Ok(())
    }
}

/// The kernel's types, as the loader wants them.
fn kernel_btf() -> Result<Btf, LoadError> {
    Btf::from_sys_fs().map_err(|source| LoadError::Btf { source })
}

/// Loads and attaches programs, on all processors: the kernel needs a while to
/// verify each.
fn attach(ebpf: &mut Ebpf, picks: &[Pick], btf: &Btf) -> Result<(), LoadError> {
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

    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let queue = Mutex::new(programs.into_iter());
    let next = || queue.lock().ok()?.next();
    let work = || {
        while let Some((hook, program)) = next() {
            program
                .load(hook, btf)
                .and_then(|()| program.attach())
                .map_err(|source| LoadError::Attach {
                    hook,
                    source: Box::new(source),
                })?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
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
