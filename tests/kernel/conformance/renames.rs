//! Moving objects: their rights must not grow.

use super::{
    case::{Case, EXDEV, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "renames",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Moves a file away from where it may not be taken.
const AWAY: Case = Case {
    attempt: &["rename", "{dir}/old", "{dir}/new"],
    setup: &[Make::File("old")],
    needs: &[("new", "create")],
    grants: &[("old", "remove, create"), ("new", "create")],
    operation: Some("rename"),
    path: "old",
    missing: &["remove"],
    changes: true,
    ..Case::ACCESS
};

/// Moves a file to where nothing may be made.
const TO: Case = Case {
    needs: &[("old", "remove")],
    grants: &[("old", "remove, create"), ("new", "create")],
    path: "new",
    missing: &["create"],
    ..AWAY
};

/// Moves a file to where it could then be read.
const GROWTH: Case = Case {
    needs: &[("old", "remove, create"), ("new", "create, read")],
    grants: &[("old", "read")],
    path: "new",
    missing: &["read"],
    reason: "rights-grow",
    denied: EXDEV,
    ..AWAY
};

/// Moves a folder.
const FOLDER: Case = Case {
    setup: &[Make::File("old/file")],
    // All rights have to be the same, so that nothing beneath has more.
    grants: &[("old", "remove, create"), ("new", "remove")],
    ..AWAY
};

/// Exchanges two files.
const EXCHANGE: Case = Case {
    attempt: &["exchange", "{dir}/old", "{dir}/new"],
    setup: &[Make::File("old"), Make::File("new")],
    needs: &[],
    grants: &[("old", "remove, create"), ("new", "remove, create")],
    ..AWAY
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "away", ..AWAY },
    Case { name: "to", ..TO },
    #[cfg(target_arch = "x86_64")]
    Case { name: "by the old call", attempt: &["rename-call", "{dir}/old", "{dir}/new"], ..AWAY },
    #[cfg(target_arch = "x86_64")]
    Case { name: "to, by the old call", attempt: &["rename-call", "{dir}/old", "{dir}/new"], ..TO },
    Case { name: "from a descriptor", attempt: &["renameat", "{dir}", "old", "new"], ..AWAY },
    Case { name: "to, from a descriptor", attempt: &["renameat", "{dir}", "old", "new"], ..TO },
    Case { name: "to a new name only", attempt: &["rename-new", "{dir}/old", "{dir}/new"], ..TO },
    Case { name: "leaving a whiteout", attempt: &["rename-whiteout", "{dir}/old", "{dir}/new"], privileges: &["mknod"], needs: &[("old", "remove, create")], ..TO },
    Case { name: "leaving a whiteout where nothing may be made", attempt: &["rename-whiteout", "{dir}/old", "{dir}/new"], privileges: &["mknod"], needs: &[("old", "remove"), ("new", "create")], path: "old", missing: &["create"], asked_since: Some((5, 19)), ..AWAY },
    Case { name: "over a file", setup: &[Make::File("old"), Make::File("new")], needs: &[("old", "remove"), ("new", "create")], grants: &[("old", "create"), ("new", "remove")], missing: &["remove"], ..TO },
    Case { name: "by a bind mount", attempt: &["rename", "{dir}/bound/old", "{dir}/bound/new"], setup: &[Make::File("in/old"), Make::Bind("in", "bound")], needs: &[("in/*", "remove, create"), ("bound/new", "create")], grants: &[("bound/old", "remove, create")], path: "bound/old", ..AWAY },
    Case { name: "a symbolic link", setup: &[Make::Link("nowhere", "old")], ..TO },
    Case { name: "a fifo", setup: &[Make::Fifo("old")], ..TO },
    Case { name: "a folder", ..FOLDER },
    Case { name: "a folder, to", needs: &[("old", "remove")], grants: &[("old", "create"), ("new", "remove, create")], path: "new", missing: &["create"], ..FOLDER },
    Case { name: "more to read", ..GROWTH },
    Case { name: "more to write", needs: &[("old", "remove, create, read"), ("new", "create, read, write")], grants: &[("old", "write")], missing: &["write", "append"], ..GROWTH },
    Case { name: "more to run", needs: &[("old", "remove, create, map"), ("new", "create, execute")], grants: &[("old", "execute")], missing: &["execute"], ..GROWTH },
    Case { name: "more beneath a folder", setup: &[Make::File("old/file")], needs: &[("old", "remove, create"), ("new", "create, remove"), ("new/**", "read")], grants: &[("old/**", "read")], missing: &[], ..GROWTH },
    Case { name: "exchange, of the first", needs: &[("new", "remove, create")], missing: &["create", "remove"], asked_since: Some((5, 19)), ..EXCHANGE },
    Case { name: "exchange, of the second", needs: &[("old", "remove, create")], path: "new", missing: &["create", "remove"], asked_since: Some((5, 19)), ..EXCHANGE },
    Case { name: "exchange, and more to read", needs: &[("old", "remove, create"), ("new", "remove, create, read")], grants: &[("old", "read")], path: "new", missing: &["read"], reason: "rights-grow", denied: EXDEV, ..EXCHANGE },
    Case { name: "exchange, and more to read of the other", needs: &[("old", "remove, create, read"), ("new", "remove, create")], grants: &[("new", "read")], path: "new", missing: &["read"], reason: "rights-grow", denied: EXDEV, asked_since: Some((5, 19)), ..EXCHANGE },
];
