//! Tasks.

#![expect(unsafe_code, reason = "every helper is a call into the kernel")]

#[cfg(not(feature = "legacy"))]
use aya_ebpf::helpers::generated::bpf_get_current_task_btf;
use aya_ebpf::{helpers::generated::bpf_get_current_task, programs::LsmContext};
use enforcer_abi::Reason;
use zerocopy::FromBytes;

#[cfg(not(feature = "legacy"))]
use super::load;
use super::{argument, half, offset, read, word};

/// A task, by its address.
#[derive(Clone, Copy)]
pub(crate) struct Task(u64);

impl Task {
    /// The task that runs the program.
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper has no precondition.
        Self(unsafe { bpf_get_current_task() })
    }

    /// The task at an address.
    #[inline(always)]
    pub(crate) const fn at(address: u64) -> Self {
        Self(address)
    }

    /// A task that is a hook's argument.
    ///
    /// # Errors
    ///
    /// [`Reason::Fault`].
    #[inline(always)]
    pub(crate) fn from_argument(context: &LsmContext, index: u64) -> Result<Self, Reason> {
        argument(context, index).map(Self)
    }

    /// The word at `offset`; 0 if it cannot be read.
    #[inline(always)]
    pub(crate) fn word(self, offset: u64) -> u64 {
        word(self.0.wrapping_add(offset))
    }

    /// Its parent, which stays at least until the program ends.
    #[inline(always)]
    pub(crate) fn parent(self) -> Self {
        Self(self.word(offset!(task_real_parent)))
    }

    /// The address of its process' first thread.
    ///
    /// # Errors
    ///
    /// [`Reason::Fault`].
    #[inline(always)]
    pub(crate) fn leader(self) -> Result<u64, Reason> {
        read(self.0.wrapping_add(offset!(task_group_leader)))
    }

    /// Its address.
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0
    }
}

/// Address of the current task's mount namespace.
#[inline(always)]
pub(crate) fn mount_namespace(task: Task) -> Result<u64, Reason> {
    let proxy: u64 = read(task.address().wrapping_add(offset!(task_nsproxy)))?;
    read(proxy.wrapping_add(offset!(nsproxy_mnt_ns)))
}

/// Process id of `task`, in the initial pid namespace; 0 if unknown.
#[inline(always)]
pub(crate) fn process(task: Task) -> u32 {
    half(task.address().wrapping_add(offset!(task_tgid)))
}

/// A member of the current task; `_otherwise` if it cannot be read, which only happens
/// before 5.12.
#[cfg(not(feature = "legacy"))]
#[inline(always)]
fn of_current<T: FromBytes>(offset: u64, _otherwise: T) -> T {
    // SAFETY: the helper has no precondition.
    load(unsafe { bpf_get_current_task_btf() } as u64, offset)
}

#[cfg(feature = "legacy")]
#[inline(always)]
fn of_current<T: FromBytes>(offset: u64, otherwise: T) -> T {
    read(Task::current().address().wrapping_add(offset)).unwrap_or(otherwise)
}

/// Whether what is at `dentry`, reached by a mount, belongs to the user as whom the current
/// task acts. What has no inode yet will. On a mount that maps owners, nothing does: what
/// belongs to whom is there another question.
///
/// # Errors
///
/// [`Reason::Fault`].
#[inline(always)]
pub(crate) fn owns(vfsmount: u64, dentry: u64) -> Result<bool, Reason> {
    let inode: u64 = read(dentry.wrapping_add(offset!(dentry_inode)))?;
    if inode == 0 {
        return Ok(true);
    }
    if offset!(vfsmount_map) != 0 {
        let map: u64 = read(vfsmount.wrapping_add(offset!(vfsmount_map)))?;
        if map != offset!(no_map) {
            return Ok(false);
        }
    }
    let owner: u32 = read(inode.wrapping_add(offset!(inode_uid)))?;
    let acting: u64 = read(Task::current().address().wrapping_add(offset!(task_cred)))?;
    let user: u32 = read(acting.wrapping_add(offset!(cred_fsuid)))?;
    Ok(owner == user)
}

/// Whether the current task is a worker of an `io_uring`: it does what others ask for,
/// with their credentials. If that cannot be told, it is one. Linux 5.12.
#[inline(always)]
pub(crate) fn is_worker() -> bool {
    const PF_IO_WORKER: u32 = 0x10;
    of_current(offset!(task_flags), PF_IO_WORKER) & PF_IO_WORKER != 0
}

/// Whether the current task acts with credentials that are not its own: the
/// kernel does something for itself, as a file system that lies over another.
///
/// No task can bring it about, but by `io_uring`: whoever changes its credentials has a
/// request done with those of old, by a worker, or by itself where the request was put off.
/// What a worker does never counts, nor what a task does that has used a ring.
#[inline(always)]
pub(crate) fn acts_for_itself() -> bool {
    const UNKNOWN: u64 = 0;
    let effective = of_current(offset!(task_cred), UNKNOWN);
    let own = of_current(offset!(task_real_cred), UNKNOWN);
    let is_known = cfg!(not(feature = "legacy")) || (effective != UNKNOWN && own != UNKNOWN);
    is_known && effective != own && !is_worker() && !has_ring()
}

/// Whether the current task has used an `io_uring` since it runs its program. If that
/// cannot be told, it has.
#[inline(always)]
fn has_ring() -> bool {
    const UNKNOWN: u64 = 1;
    offset!(task_uring) != 0 && of_current(offset!(task_uring), UNKNOWN) != 0
}
