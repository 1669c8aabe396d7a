//! What nothing asks about, so that profiles need not name it: all rows pass, and
//! there is no detection.

use super::{
    case::{Case, Make},
    topic::Topic,
};

pub(super) const TOPIC: Topic = Topic {
    name: "unasked",
    metadata: false,
    rules: &[],
    cases: CASES,
};

const FREE: Case = Case {
    setup: &[Make::File("file"), Make::Link("file", "link")],
    ..Case::ACCESS
};

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    Case { name: "an identity without rights", attempt: &["name", "{dir}/file"], ..FREE },
    Case { name: "an identity that came along", before: &["holding-name", "{dir}/file"], attempt: &["name", "/proc/self/fd/9"], ..FREE },
    Case { name: "a pipe of its own", attempt: &["pipe-reopen"], ..FREE },
    Case { name: "a look, where the profile does not speak of it", attempt: &["stat", "{dir}/file"], ..FREE },
    Case { name: "a look at a link", attempt: &["readlink", "{dir}/link"], ..FREE },
    Case { name: "a child of the same domain, signalled", attempt: &["signal-child"], ..FREE },
    Case { name: "what was opened before for nothing", before: &["holding", "/dev/null"], attempt: &["name", "{dir}/file"], ..FREE },
];
