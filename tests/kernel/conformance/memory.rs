//! Files and memory as code.

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "memory",
    metadata: false,
    rules: &[],
    cases: CASES,
};

/// Maps a file that may be read as code.
const MAP: Case = Case {
    setup: &[Make::File("file")],
    needs: &[("file", "read")],
    grants: &[("file", "map")],
    operation: Some("map"),
    path: "file",
    missing: &["map"],
    ..Case::ACCESS
};

/// Writes, by memory, to a file that may be added to.
const WRITE: Case = Case {
    needs: &[("file", "read, append")],
    grants: &[("file", "write")],
    missing: &["write"],
    ..MAP
};

/// Has memory as code that is no file's content.
const CODE: Case = Case {
    privilege: Some("execmem"),
    ..Case::PRIVILEGE
};

/// The same with a file that may be mapped as code.
const OF_A_FILE: Case = Case {
    setup: &[Make::File("file")],
    needs: &[("file", "read, map")],
    ..CODE
};

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "mmap as code", attempt: &["map-code", "{dir}/file"], ..MAP },
    Case { name: "mmap as code, shared", attempt: &["map-code-shared", "{dir}/file"], ..MAP },
    Case { name: "mprotect to code", attempt: &["map-code-later", "{dir}/file"], ..MAP },
    Case { name: "pkey_mprotect to code", attempt: &["map-code-by-key", "{dir}/file"], ..MAP },
    Case { name: "mmap where reading implies code", attempt: &["map-code-implied", "{dir}/file"], ..MAP },
    Case { name: "mmap to write to what is appended to", attempt: &["map-appended", "{dir}/file"], ..WRITE },
    Case { name: "mprotect to write to what is appended to", attempt: &["map-appended-later", "{dir}/file"], ..WRITE },
    Case { name: "anonymous", attempt: &["code"], ..CODE },
    Case { name: "anonymous and writable", attempt: &["code-writable"], ..CODE },
    Case { name: "anonymous, written before", attempt: &["code-written"], ..CODE },
    Case { name: "anonymous and shared", attempt: &["code-shared"], ..CODE },
    Case { name: "anonymous and shared, written before", attempt: &["code-shared-written"], ..CODE },
    Case { name: "anonymous, by pkey_mprotect", attempt: &["code-by-key"], ..CODE },
    Case { name: "of a file without a name", attempt: &["code-memfd"], ..CODE },
    Case { name: "of a file without a name, written before", attempt: &["code-memfd-written"], ..CODE },
    Case { name: "of attached memory", attempt: &["code-attached"], privileges: &["sysv_ipc"], ..CODE },
    Case { name: "of a file, and writable", attempt: &["map-code-writable", "{dir}/file"], ..OF_A_FILE },
    Case { name: "of a file, written before", attempt: &["map-code-written", "{dir}/file"], ..OF_A_FILE },
];
