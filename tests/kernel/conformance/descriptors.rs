//! Descriptors that come from other processes, or from before an exec.

use rustix::fs::OFlags;

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "descriptors",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// The message comes without the descriptor.
const EBADF: i32 = 9;

/// `enforcer exec` could not run the command: the exec was refused.
const NOT_RUN: i32 = 126;

/// Receives a descriptor to read from.
const RECEIVE: Case = Case {
    attempt: &["receive", "{dir}/socket"],
    setup: &[
        Make::File("file"),
        Make::Giver("socket", "file", OFlags::RDONLY),
    ],
    needs: &[("socket", "connect")],
    grants: &[("file", "read")],
    operation: Some("receive"),
    path: "file",
    missing: &["read"],
    denied: EBADF,
    ..Case::ACCESS
};

/// Keeps a descriptor over the exec by which it comes under a profile.
const INHERIT: Case = Case {
    before: &["holding", "{dir}/file"],
    attempt: &["use-inherited", "9"],
    setup: &[Make::File("file")],
    needs: &[],
    operation: Some("inherit"),
    denied: NOT_RUN,
    ..RECEIVE
};

/// A ring, whose registered files come along with it.
const RING: Case = Case {
    before: &["holding-ring"],
    attempt: &["name", "{dir}/file"],
    grants: &[],
    never: true,
    path: "",
    missing: &["read", "write"],
    reason: "nameless",
    ..INHERIT
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "received", ..RECEIVE },
    Case { name: "received to write to", setup: &[Make::File("file"), Make::Giver("socket", "file", OFlags::WRONLY)], needs: &[("socket", "connect"), ("file", "read, append")], grants: &[("file", "write")], missing: &["write"], ..RECEIVE },
    Case { name: "received to append to", setup: &[Make::File("file"), Make::Giver("socket", "file", OFlags::WRONLY.union(OFlags::APPEND))], needs: &[("socket", "connect"), ("file", "read")], grants: &[("file", "append")], missing: &["append"], ..RECEIVE },
    Case { name: "received, of a folder", setup: &[Make::Folder("in"), Make::Giver("socket", "in", OFlags::RDONLY)], grants: &[("in", "read")], path: "in", ..RECEIVE },
    Case { name: "taken out of a process", attempt: &["take", "{pid}", "{fd}"], setup: &[Make::File("file"), Make::Outsider("file")], needs: &[], privileges: &["ptrace"], denied: super::case::EACCES, ..RECEIVE },
    Case { name: "inherited", ..INHERIT },
    Case { name: "inherited to write to", before: &["holding-to-write", "{dir}/file"], attempt: &["add-to-inherited", "9"], needs: &[("file", "read, append")], grants: &[("file", "write")], missing: &["write"], changes: true, ..INHERIT },
    Case { name: "inherited to append to", before: &["holding-to-append", "{dir}/file"], attempt: &["add-to-inherited", "9"], needs: &[("file", "read")], grants: &[("file", "append")], missing: &["append"], changes: true, ..INHERIT },
    Case { name: "inherited, of a folder", before: &["holding", "{dir}/in"], attempt: &["name", "{dir}/in"], setup: &[Make::Folder("in")], grants: &[("in", "read")], path: "in", ..INHERIT },
    Case { name: "inherited, a ring", ..RING },
];
