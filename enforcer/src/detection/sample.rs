//! A detection for tests.

use enforcer_abi::Access;
use jiff::Timestamp;

use super::{Detection, DetectionId, State, Who};

/// nginx, process 8, was refused to write to `/etc/x`, once.
pub(crate) fn detection() -> Detection {
    Detection {
        id: DetectionId(7),
        lineage: 1,
        profile: "nginx".to_owned(),
        layer: "application".to_owned(),
        operation: "open".to_owned(),
        privilege: None,
        requested: Access::READ | Access::WRITE,
        missing: Access::WRITE,
        path: b"/etc/x".to_vec(),
        reason: "not-granted".to_owned(),
        verdict: "denied".to_owned(),
        response: "none".to_owned(),
        rule: None,
        who: Who {
            pid: 8,
            comm: b"nginx".to_vec(),
            ..Who::default()
        },
        first_seen: Timestamp::UNIX_EPOCH,
        last_seen: Timestamp::UNIX_EPOCH,
        count: 1,
        state: State::Open,
        tightenings: vec![],
    }
}
