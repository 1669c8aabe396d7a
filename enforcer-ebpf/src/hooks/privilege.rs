//! What is no access to an object, and takes a privilege.

use aya_ebpf::{macros::lsm, programs::LsmContext};
use enforcer_abi::{Operation, Privilege};

use crate::{
    hooks::{confined, need},
    judge::Told,
    kernel,
};

/// From `include/linux/security.h`: it is only a look.
const CAP_OPT_NOAUDIT: u32 = 1 << 1;

/// `int capable(const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts)`
///
/// Asked only where the kernel would grant it.
#[lsm(hook = "capable")]
fn capable(context: LsmContext) -> i32 {
    let capability: i32 = context.arg(2);
    let options: u32 = context.arg(3);
    let told = if options & CAP_OPT_NOAUDIT == 0 {
        Told::Loudly
    } else {
        Told::Quietly
    };
    confined(
        Operation::Privilege,
        #[inline(always)]
        |label| {
            // A file system that lies over another acts as whoever mounted it.
            if kernel::acts_for_itself() {
                return Ok(0);
            }
            Ok(super::privileged(label, Privilege(capability as u8), told))
        },
    )
}

/// Defines a program for a hook that takes a privilege whatever its arguments.
macro_rules! privileged {
    ($($(#[$doc:meta])* $hook:ident: $privilege:ident,)*) => {
        $($(#[$doc])*
        #[lsm]
        fn $hook(_context: LsmContext) -> i32 {
            need(Privilege::$privilege)
        })*
    };
}

privileged! {
    /// `mount(2)`, whatever it does.
    sb_mount: MOUNT,
    /// A file system is mounted anew with other options.
    sb_remount: MOUNT,
    /// `umount(2)`.
    sb_umount: MOUNT,
    /// `pivot_root(2)`.
    sb_pivotroot: MOUNT,
    /// `move_mount(2)`.
    move_mount: MOUNT,
    /// A user namespace is made; from 6.1.
    userns_create: USERNS,
    /// `bpf(2)`.
    bpf: BPF,
    /// `perf_event_open(2)`.
    perf_event_open: PERFMON,
    /// `syslog(2)` and `/dev/kmsg`.
    syslog: SYSLOG,
    /// The kernel would load a module on demand.
    kernel_module_request: SYS_MODULE,
    /// A key is made.
    key_alloc: KEYS,
    /// A key is used.
    key_permission: KEYS,
    /// A System V object is used.
    ipc_permission: SYSV_IPC,
    /// A kernel thread is to poll an `io_uring`; from 5.16.
    uring_sqpoll: URING_SQPOLL,
    /// An `io_uring` acts with registered credentials; from 5.16.
    uring_override_creds: URING_OVERRIDE_CREDS,
}
