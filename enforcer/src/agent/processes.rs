//! Who is behind an event.
//!
//! Before a violation the kernel reports which program the task runs, and its parent,
//! so the agent still knows a process that is gone by the time its violation is read. The
//! table has a bound; what fell out of it, what ran before the agent, and older ancestors
//! are looked up in /proc.
//!
//! - [`procfs`]: what /proc tells
//! - [`recent`]: a bounded table of what was used last

pub mod procfs;
pub mod recent;

use enforcer_abi::{Adopted, Event};

use self::{procfs::Procfs, recent::Recent};
use super::aside::{self, Aside};
use crate::detection::{Ancestor, Who};

/// Programs that are remembered.
pub const PROGRAMS: usize = 8192;
/// Cgroups whose paths are remembered.
const CGROUPS: usize = 1024;
/// Most ancestors of a process that are recorded.
pub const ANCESTORS: usize = 16;
/// Most bytes of their programs' paths together; of those beyond, only the ids are recorded.
pub const ANCESTRY_LEN: usize = 4096;

/// What is known of processes.
#[derive(Debug)]
pub struct Processes {
    programs: Recent<u32, Program>,
    /// Paths of cgroups by their ids: a process may be gone before its own is
    /// read, while others of its unit are not.
    cgroups: Recent<u64, Vec<u8>>,
    procfs: Procfs,
    arguments: Aside<Arguments>,
}

/// Reads command lines.
#[derive(Clone, Debug)]
struct Arguments(Procfs);

impl aside::Read for Arguments {
    /// The id of a process.
    type Of = u32;
    type Found = Vec<Vec<u8>>;
    const NAME: &str = "arguments";

    fn read(&mut self, pid: u32) -> Option<Vec<Vec<u8>>> {
        self.0.cmdline(pid)
    }
}

/// A program that a process ran.
#[derive(Clone, Debug)]
struct Program {
    /// [`enforcer_abi::Label::lineage`].
    lineage: u64,
    /// When it began to: nanoseconds of `CLOCK_BOOTTIME`.
    time_ns: u64,
    /// When the process was started, as [`procfs::Stat::start`].
    start: Option<u64>,
    parent: u32,
    exe: Vec<u8>,
    cmdline: Option<Vec<Vec<u8>>>,
    cgroup_path: Option<Vec<u8>>,
}

impl Processes {
    /// Nothing is known yet.
    pub fn new(procfs: Procfs) -> Self {
        Self {
            programs: Recent::new(PROGRAMS),
            cgroups: Recent::new(CGROUPS),
            arguments: Aside::new(Arguments(procfs.clone())),
            procfs,
        }
    }

    /// Remembers that a process runs a new program.
    pub fn executed(&mut self, event: &Event, path: &[u8]) {
        let pid = event.tgid;
        let exe = self.read(event, |it, pid| it.procfs.exe(pid));
        let mut program = Program {
            lineage: event.lineage,
            time_ns: event.time_ns,
            start: None,
            parent: event.parent,
            exe: path.to_owned(),
            cmdline: None,
            cgroup_path: None,
        };
        // Of one that is gone already there is nothing to read.
        if let Some(exe) = exe {
            program.start = self.start_of(event);
            program.cgroup_path = self.cgroup(event);
            // While the exec is under way, the process still has its old arguments.
            if exe == path {
                program.cmdline = self.read(event, |it, pid| it.arguments.of(pid));
            }
        }
        self.programs.put(pid, program);
    }

    /// Returns who is behind a violation.
    pub fn who(&mut self, event: &Event) -> Who {
        let pid = event.tgid;
        let start = self.start_of(event);
        let program = self
            .programs
            .get(&pid)
            .filter(|program| program.is_of(event, start))
            .cloned();
        let (mut exe, mut cmdline, mut cgroup_path) = match program {
            Some(program) => (Some(program.exe), program.cmdline, program.cgroup_path),
            None => (None, None, None),
        };
        exe = exe.or_else(|| self.read(event, |it, pid| it.procfs.exe(pid)));
        cmdline = cmdline.or_else(|| self.read(event, |it, pid| it.arguments.of(pid)));
        if exe.is_none() {
            // Gone, or a zombie.
            if let Some(parent) = self.inherited(event) {
                exe = Some(parent.exe);
                cmdline = parent.cmdline;
                cgroup_path = parent.cgroup_path;
            } else {
                exe = self.forked_from(event);
            }
        }
        Who {
            pid,
            tid: event.tid,
            parent: event.parent,
            uid: event.uid,
            gid: event.gid,
            comm: comm(&event.comm),
            exe,
            cmdline,
            ancestry: self.ancestry(event),
            cgroup: event.cgroup,
            cgroup_path: self.cgroup(event).or(cgroup_path),
        }
    }

    /// Returns the path of the program behind an event, if it is known.
    pub fn program(&mut self, event: &Event) -> Option<Vec<u8>> {
        let pid = event.tgid;
        let start = self.start_of(event);
        let told = self.programs.get(&pid);
        if let Some(program) = told.filter(|program| program.is_of(event, start)) {
            return Some(program.exe.clone());
        }
        let read = self.read(event, |it, pid| it.procfs.exe(pid));
        read.or_else(|| self.inherited(event).map(|parent| parent.exe))
            .or_else(|| self.forked_from(event))
    }

    /// Returns when the process of an event was started, in clock ticks since boot, if it
    /// lives: one with its id that was started after the event is another.
    fn start_of(&self, event: &Event) -> Option<u64> {
        let start = self.procfs.stat(event.tgid)?.start;
        (start <= event.time_ns / Adopted::TICK_NS).then_some(start)
    }

    /// Reads something of the process of an event; nothing, if its id is another's by then.
    fn read<T>(
        &mut self,
        event: &Event,
        read: impl FnOnce(&mut Self, u32) -> Option<T>,
    ) -> Option<T> {
        let start = self.start_of(event)?;
        let found = read(self, event.tgid)?;
        (self.start_of(event) == Some(start)).then_some(found)
    }

    /// Returns what the parent of an event's process runs, if it was told: a fork that
    /// never ran a program of its own is its parent's double.
    fn inherited(&mut self, event: &Event) -> Option<Program> {
        let parent = self.programs.get(&event.parent);
        parent.filter(|parent| parent.is_of(event, None)).cloned()
    }

    /// Returns the program of the parent of an event's process, if the parent is a
    /// fork itself: it then runs what another process of its lineage was seen to
    /// start.
    fn forked_from(&self, event: &Event) -> Option<Vec<u8>> {
        let exe = self.procfs.exe(event.parent)?;
        let mut programs = self.programs.values();
        programs
            .any(|program| program.lineage == event.lineage && program.exe == exe)
            .then_some(exe)
    }

    /// Returns the path of the cgroup of an event's process, if it is known.
    fn cgroup(&mut self, event: &Event) -> Option<Vec<u8>> {
        if let Some(path) = self.read(event, |it, pid| it.procfs.cgroup(pid)) {
            self.cgroups.put(event.cgroup, path.clone());
            return Some(path);
        }
        self.cgroups.get(&event.cgroup).cloned()
    }

    /// Returns the processes that the event's process descends from, as far as
    /// they are known.
    fn ancestry(&mut self, event: &Event) -> Vec<Ancestor> {
        let mut ancestry: Vec<Ancestor> = Vec::new();
        let mut room = ANCESTRY_LEN;
        let mut pid = event.parent;
        while pid != 0
            && ancestry.len() < ANCESTORS
            // Ids that were read at different times can make a circle.
            && ancestry.iter().all(|ancestor| ancestor.pid != pid)
        {
            let alive = self.procfs.stat(pid);
            let begun = alive.map(|stat| stat.start);
            let program = self
                .programs
                .get(&pid)
                .filter(|program| program.is_of(event, begun));
            let told = program.map(|program| program.exe.clone());
            let exe = if ancestry.is_empty() {
                told.or_else(|| self.procfs.exe(pid))
            } else {
                // What it ran since need not have been told.
                self.procfs.exe(pid).or(told)
            };
            let above = alive
                .map(|stat| stat.parent)
                .or_else(|| program.map(|program| program.parent));
            let exe = exe.filter(|exe| exe.len() <= room);
            room -= exe.as_ref().map_or(0, Vec::len);
            ancestry.push(Ancestor { pid, exe });
            pid = above.unwrap_or(0);
        }
        ancestry
    }
}

impl Program {
    /// Whether the process that ran this is the one of an event, which started at
    /// `start` if it still lives. Process ids come back.
    fn is_of(&self, event: &Event, start: Option<u64>) -> bool {
        let same_start = match (self.start, start) {
            (Some(known), Some(start)) => known == start,
            _ => true,
        };
        self.lineage == event.lineage && self.time_ns <= event.time_ns && same_start
    }
}

/// Returns who is behind an event of a process of which another event's `who` is
/// known: what belongs to the thread is the event's own.
pub fn of_thread(who: &Who, event: &Event) -> Who {
    Who {
        tid: event.tid,
        uid: event.uid,
        gid: event.gid,
        comm: comm(&event.comm),
        ..who.clone()
    }
}

/// Returns a thread name without its padding.
fn comm(comm: &[u8; 16]) -> Vec<u8> {
    comm.iter().copied().take_while(|&byte| byte != 0).collect()
}

#[cfg(test)]
mod tests;
