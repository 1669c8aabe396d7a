//! Running programs, in all forms.

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "exec",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Runs a program that reads what all may read.
const RUN: Case = Case {
    setup: &[Make::Program("program")],
    needs: &[("program", "read, map")],
    grants: &[("program", "execute")],
    operation: Some("execute"),
    path: "program",
    missing: &["execute"],
    ..Case::ACCESS
};

/// Runs a script by an interpreter of its own.
const SCRIPT: Case = Case {
    attempt: &["fork-exec", "{dir}/script"],
    setup: &[
        Make::Program("interpreter"),
        Make::Script("script", "interpreter", "read"),
    ],
    needs: &[("script", "read"), ("interpreter", "read, execute")],
    grants: &[("script", "execute")],
    path: "script",
    ..RUN
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "execve", attempt: &["exec", "{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "execve by a child", attempt: &["fork-exec", "{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "execve by a child that borrows memory", attempt: &["spawn", "{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "execve by a thread", attempt: &["exec-by-thread", "{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "execveat", attempt: &["execveat", "{dir}", "program", "read", "/dev/null"], ..RUN },
    Case { name: "execveat of an identity", attempt: &["exec-descriptor", "{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "execve of an identity by proc", attempt: &["exec-by-proc", "{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "execve of itself", attempt: &["exec-self", "read", "/dev/null"], setup: &[], needs: &[], grants: &[("/usr/lib/enforcer/attempt", "execute")], path: "/usr/lib/enforcer/attempt", ..RUN },
    Case { name: "by a symbolic link", attempt: &["fork-exec", "{dir}/link", "read", "/dev/null"], setup: &[Make::Program("program"), Make::Link("program", "link")], needs: &[("program", "read, map"), ("link", "execute")], ..RUN },
    Case { name: "by a hard link", attempt: &["fork-exec", "{dir}/other", "read", "/dev/null"], setup: &[Make::Program("program"), Make::HardLink("program", "other")], needs: &[("program", "execute"), ("other", "read, map")], grants: &[("other", "execute")], path: "other", ..RUN },
    Case { name: "by a bind mount", attempt: &["fork-exec", "{dir}/bound/program", "read", "/dev/null"], setup: &[Make::Folder("in"), Make::Program("in/program"), Make::Bind("in", "bound")], needs: &[("in/program", "execute")], grants: &[("bound/program", "execute")], path: "bound/program", ..RUN },
    Case { name: "by the process' root", attempt: &["fork-exec", "/proc/self/root{dir}/program", "read", "/dev/null"], ..RUN },
    Case { name: "in a chroot", attempt: &["in-root", "{dir}", "fork-exec", "/program", "name", "/"], privileges: &["sys_chroot"], ..RUN },
    Case { name: "a script", ..SCRIPT },
    Case { name: "a script's interpreter", needs: &[("script", "read, execute"), ("interpreter", "read, map")], grants: &[("interpreter", "execute")], path: "interpreter", ..SCRIPT },
    Case { name: "execveat of a script", attempt: &["execveat", "{dir}", "script"], ..SCRIPT },
    Case { name: "a file without a name", never: true, attempt: &["memfd-exec-descriptor", "/usr/lib/enforcer/attempt", "read", "/dev/null"], setup: &[], needs: &[], grants: &[("/**", "execute")], path: "", reason: "nameless", ..RUN },
    Case { name: "a file without a name by proc", never: true, attempt: &["memfd-exec", "/usr/lib/enforcer/attempt"], setup: &[], needs: &[], grants: &[("/**", "execute")], path: "", reason: "nameless", passes: 125, ..RUN },
];
