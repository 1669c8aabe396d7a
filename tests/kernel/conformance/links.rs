//! Giving a file another name: its rights must not grow.

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "links",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Gives a file a name where none may be made.
const LINK: Case = Case {
    attempt: &["link", "{dir}/old", "{dir}/new"],
    setup: &[Make::File("old")],
    needs: &[("old", "create, read")],
    grants: &[("new", "create, read")],
    operation: Some("link"),
    path: "new",
    missing: &["create"],
    changes: true,
    ..Case::ACCESS
};

/// Gives a file a name under which it could be read.
const GROWTH: Case = Case {
    needs: &[("old", "create"), ("new", "create, read")],
    grants: &[("old", "read")],
    missing: &["read"],
    reason: "rights-grow",
    ..LINK
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "linkat", ..LINK },
    #[cfg(target_arch = "x86_64")]
    Case { name: "link", attempt: &["link-call", "{dir}/old", "{dir}/new"], ..LINK },
    Case { name: "of a descriptor", attempt: &["link-descriptor", "{dir}/old", "{dir}/new"], privileges: &["dac_read_search"], ..LINK },
    Case { name: "of a descriptor by proc", attempt: &["link-by-proc", "{dir}/old", "{dir}/new"], ..LINK },
    Case { name: "of a symbolic link", attempt: &["link", "{dir}/link", "{dir}/new"], setup: &[Make::File("old"), Make::Link("old", "link")], needs: &[("link", "create")], grants: &[("new", "create")], ..LINK },
    Case { name: "of what a link leads to", attempt: &["link-followed", "{dir}/link", "{dir}/new"], setup: &[Make::File("old"), Make::Link("old", "link")], ..LINK },
    Case { name: "of a file without a name", attempt: &["link-tmpfile", "{dir}/in", "{dir}/new"], setup: &[Make::Folder("in")], needs: &[("in/#*", "write, create")], grants: &[("new", "create")], ..LINK },
    Case { name: "more to read", ..GROWTH },
    Case { name: "more to read, of a descriptor", attempt: &["link-descriptor", "{dir}/old", "{dir}/new"], privileges: &["dac_read_search"], ..GROWTH },
    Case { name: "more to read, of a descriptor by proc", attempt: &["link-by-proc", "{dir}/old", "{dir}/new"], ..GROWTH },
    Case { name: "more to read, of what a link leads to", attempt: &["link-followed", "{dir}/link", "{dir}/new"], setup: &[Make::File("old"), Make::Link("old", "link")], ..GROWTH },
    Case { name: "more to run, of a file without a name", attempt: &["link-tmpfile", "{dir}/in", "{dir}/new"], setup: &[Make::Folder("in")], needs: &[("in/#*", "write, create"), ("new", "create, execute")], grants: &[("in/#*", "execute")], missing: &["execute", "map"], ..GROWTH },
];
