//! What a case says.

use rustix::fs::OFlags;

/// A number of a kernel series.
pub(super) type Series = (u32, u32);

/// A rule: a path, and the rights that are allowed on it.
pub(super) type Rule = (&'static str, &'static str);

/// One thing to do.
///
/// In its texts, `{dir}` stands for the row's folder, and names without `/` at
/// their beginning are in it; `{pid}`, `{fd}` and `{address}` are of the process
/// that [`Make::Outsider`] starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// What it shows; no other case of the topic has this name.
    pub(super) name: &'static str,
    /// The arguments of `attempt`.
    pub(super) attempt: &'static [&'static str],
    /// What an outsider does first that then becomes the row's process: arguments
    /// of `attempt` before the command.
    pub(super) before: &'static [&'static str],
    /// What there is in the folder.
    pub(super) setup: &'static [Make],
    /// What it takes to get as far as the operation.
    pub(super) needs: &'static [Rule],
    /// What it takes besides to succeed.
    pub(super) grants: &'static [Rule],
    /// Whether no rule at all grants it.
    pub(super) never: bool,
    /// Privileges that it takes to get as far as the operation.
    pub(super) privileges: &'static [&'static str],
    /// The privilege that is missing, if it is one.
    pub(super) privilege: Option<&'static str>,
    /// The operation of the detection; `None` for what nothing asks about.
    pub(super) operation: Option<&'static str>,
    /// The path of the detection; a `*` at its end stands for anything, and
    /// nothing for what has no name.
    pub(super) path: &'static str,
    /// The rights of the detection that are missing.
    pub(super) missing: &'static [&'static str],
    /// The reason of the detection.
    pub(super) reason: &'static str,
    /// Privileges that the kernel asks for as well, and may not get, in the row
    /// that is denied.
    pub(super) besides: &'static [&'static str],
    /// The errno where it is refused.
    pub(super) denied: i32,
    /// The errno where it is not.
    pub(super) passes: i32,
    /// Whether it then changes something in the folder.
    pub(super) changes: bool,
    /// Whether something changes in the folder on the way to the operation.
    pub(super) changes_before: bool,
    /// The first series whose kernels know it, and the errno of those before.
    pub(super) since: Option<(Series, i32)>,
    /// The first series whose kernels ask about it.
    pub(super) asked_since: Option<Series>,
    /// The first series whose kernels ask about it no longer.
    pub(super) asked_until: Option<Series>,
    /// The first series whose kernels do it by a mount of their own, which has no
    /// place in any namespace: it is then refused whatever is granted.
    pub(super) closed_since: Option<Series>,
}

/// Something in the folder, or beside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Make {
    /// A file with some contents.
    File(&'static str),
    /// A file of user 1000 that is nobody else's business.
    Private(&'static str),
    /// A folder.
    Folder(&'static str),
    /// A symbolic link with this target.
    Link(&'static str, &'static str),
    /// Another name of a file.
    HardLink(&'static str, &'static str),
    /// A fifo.
    Fifo(&'static str),
    /// A device that is `/dev/null`.
    Device(&'static str),
    /// A copy of `attempt`.
    Program(&'static str),
    /// A script: `#!INTERPRETER ARGUMENT`.
    Script(&'static str, &'static str, &'static str),
    /// A bind mount, from and to.
    Bind(&'static str, &'static str),
    /// A folder with a tmpfs on it.
    Tmpfs(&'static str),
    /// An extended attribute of a file.
    Attribute(&'static str),
    /// An access control list of a file.
    Acl(&'static str),
    /// A socket that listens.
    Stream(&'static str),
    /// The same for packets.
    Packets(&'static str),
    /// A socket that takes datagrams.
    Datagrams(&'static str),
    /// An abstract socket that listens; its name is the folder's path.
    AbstractStream,
    /// An abstract socket that takes datagrams.
    AbstractDatagrams,
    /// A socket by which everybody gets a descriptor of the file.
    Giver(&'static str, &'static str, OFlags),
    /// A process that stays in the folder and holds the file open.
    Outsider(&'static str),
}

/// The errno of a refused access.
pub(super) const EACCES: i32 = enforcer_tests::EACCES;
/// The errno of a refused privilege.
pub(super) const EPERM: i32 = 1;
/// The errno of a refused move, so that who moves things copies them.
pub(super) const EXDEV: i32 = 18;
/// The errno of a system call that the kernel does not know.
pub(super) const ENOSYS: i32 = 38;
/// The errno of a flag that the kernel does not know.
pub(super) const EINVAL: i32 = 22;
/// The errno of an `ioctl` that the kernel does not know.
pub(super) const ENOTTY: i32 = 25;

impl Case {
    /// The base of all cases: an access that is not granted.
    pub(super) const ACCESS: Self = Self {
        name: "",
        attempt: &[],
        before: &[],
        setup: &[],
        needs: &[],
        grants: &[],
        never: false,
        privileges: &[],
        privilege: None,
        operation: None,
        path: "",
        missing: &[],
        reason: "not-granted",
        besides: &[],
        denied: EACCES,
        passes: 0,
        changes: false,
        changes_before: false,
        since: None,
        asked_since: None,
        asked_until: None,
        closed_since: None,
    };

    /// The base of those that take a privilege.
    pub(super) const PRIVILEGE: Self = Self {
        operation: Some("privilege"),
        denied: EPERM,
        ..Self::ACCESS
    };

    /// Whether anything is asked at all.
    pub(super) const fn is_mediated(&self) -> bool {
        self.operation.is_some()
    }

    /// Whether kernels of this series ask about it.
    pub(super) fn is_asked_on(&self, series: Series) -> bool {
        self.is_mediated()
            && self.asked_since.is_none_or(|first| series >= first)
            && self.asked_until.is_none_or(|first| series < first)
    }

    /// Whether kernels of this series do it in a way that is always refused.
    pub(super) fn is_closed_on(&self, series: Series) -> bool {
        self.closed_since.is_some_and(|first| series >= first)
    }

    /// Its name as that of a folder.
    pub(super) fn folder(&self) -> String {
        enforcer_tests::folder_name(self.name)
    }
}
