//! The form in which programs read a detection.
//!
//! Byte strings are given as text; where that loses something, a field
//! `…_bytes` gives them in hexadecimal.

use enforcer_abi::Access;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ancestor, DetectionId, State, TighteningId, Who, who};
use crate::text::{lossy, lost, restore};

/// A field that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// A right that is none.
    #[error("{name:?} is no access")]
    Access {
        /// What it says.
        name: String,
    },
    /// A time that is none.
    #[error("{text:?} is no time")]
    Time {
        /// What it says.
        text: String,
        /// Why.
        source: jiff::Error,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Detection {
    id: DetectionId,
    lineage: u64,
    state: State,
    verdict: String,
    profile: String,
    layer: String,
    operation: String,
    privilege: Option<String>,
    requested: Vec<String>,
    missing: Vec<String>,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    reason: String,
    response: String,
    rule: Option<String>,
    count: u64,
    first_seen: String,
    last_seen: String,
    who: WireWho,
    tightenings: Vec<TighteningId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireWho {
    pid: u32,
    tid: u32,
    ppid: u32,
    uid: u32,
    gid: u32,
    comm: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_bytes: Option<String>,
    exe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe_bytes: Option<String>,
    cmdline: Option<Vec<String>>,
    /// The arguments with a NUL after each.
    #[serde(skip_serializing_if = "Option::is_none")]
    cmdline_bytes: Option<String>,
    ancestry: Vec<WireAncestor>,
    cgroup: u64,
    cgroup_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup_path_bytes: Option<String>,
    unit: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireAncestor {
    pid: u32,
    exe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe_bytes: Option<String>,
}

impl From<super::Detection> for Detection {
    fn from(detection: super::Detection) -> Self {
        Self {
            id: detection.id,
            lineage: detection.lineage,
            state: detection.state,
            verdict: detection.verdict,
            profile: detection.profile,
            layer: detection.layer,
            operation: detection.operation,
            privilege: detection.privilege,
            requested: names(detection.requested),
            missing: names(detection.missing),
            path: lossy(&detection.path),
            path_bytes: lost(&detection.path),
            reason: detection.reason,
            response: detection.response,
            rule: detection.rule,
            count: detection.count,
            first_seen: detection.first_seen.to_string(),
            last_seen: detection.last_seen.to_string(),
            who: detection.who.into(),
            tightenings: detection.tightenings,
        }
    }
}

impl TryFrom<Detection> for super::Detection {
    type Error = WireError;

    fn try_from(wire: Detection) -> Result<Self, WireError> {
        Ok(Self {
            id: wire.id,
            lineage: wire.lineage,
            profile: wire.profile,
            layer: wire.layer,
            operation: wire.operation,
            privilege: wire.privilege,
            requested: access(wire.requested)?,
            missing: access(wire.missing)?,
            path: restore(wire.path, wire.path_bytes.as_deref()),
            reason: wire.reason,
            verdict: wire.verdict,
            response: wire.response,
            rule: wire.rule,
            who: wire.who.into(),
            first_seen: time(wire.first_seen)?,
            last_seen: time(wire.last_seen)?,
            count: wire.count,
            state: wire.state,
            tightenings: wire.tightenings,
        })
    }
}

impl From<Who> for WireWho {
    fn from(who: Who) -> Self {
        let unit = who.unit();
        let joined = who.cmdline.as_ref().map(|arguments| {
            let mut joined = arguments.join(&0);
            joined.push(0);
            joined
        });
        Self {
            pid: who.pid,
            tid: who.tid,
            ppid: who.parent,
            uid: who.uid,
            gid: who.gid,
            comm: lossy(&who.comm),
            comm_bytes: lost(&who.comm),
            exe: who.exe.as_deref().map(lossy),
            exe_bytes: who.exe.as_deref().and_then(lost),
            cmdline: who
                .cmdline
                .map(|arguments| arguments.iter().map(|argument| lossy(argument)).collect()),
            cmdline_bytes: joined.as_deref().and_then(lost),
            ancestry: who
                .ancestry
                .into_iter()
                .map(|Ancestor { pid, exe }| WireAncestor {
                    pid,
                    exe: exe.as_deref().map(lossy),
                    exe_bytes: exe.as_deref().and_then(lost),
                })
                .collect(),
            cgroup: who.cgroup,
            cgroup_path: who.cgroup_path.as_deref().map(lossy),
            cgroup_path_bytes: who.cgroup_path.as_deref().and_then(lost),
            unit,
        }
    }
}

impl From<WireWho> for Who {
    fn from(wire: WireWho) -> Self {
        let cmdline = match (wire.cmdline, wire.cmdline_bytes) {
            (None, _) => None,
            (Some(arguments), None) => {
                Some(arguments.into_iter().map(String::into_bytes).collect())
            }
            (Some(arguments), Some(bytes)) => {
                let joined = restore(arguments.join("\0"), Some(&bytes));
                Some(who::split_arguments(&joined))
            }
        };
        Self {
            pid: wire.pid,
            tid: wire.tid,
            parent: wire.ppid,
            uid: wire.uid,
            gid: wire.gid,
            comm: restore(wire.comm, wire.comm_bytes.as_deref()),
            exe: wire.exe.map(|exe| restore(exe, wire.exe_bytes.as_deref())),
            cmdline,
            ancestry: wire
                .ancestry
                .into_iter()
                .map(
                    |WireAncestor {
                         pid,
                         exe,
                         exe_bytes,
                     }| Ancestor {
                        pid,
                        exe: exe.map(|exe| restore(exe, exe_bytes.as_deref())),
                    },
                )
                .collect(),
            cgroup: wire.cgroup,
            cgroup_path: wire
                .cgroup_path
                .map(|path| restore(path, wire.cgroup_path_bytes.as_deref())),
        }
    }
}

/// Returns the names of the rights in `access`.
fn names(access: Access) -> Vec<String> {
    access.names().map(str::to_owned).collect()
}

/// Returns the rights with these names.
fn access(names: Vec<String>) -> Result<Access, WireError> {
    names.into_iter().try_fold(Access::NONE, |all, name| {
        Access::from_name(&name)
            .map(|right| all | right)
            .ok_or(WireError::Access { name })
    })
}

/// Returns the time that `text` spells.
fn time(text: String) -> Result<Timestamp, WireError> {
    text.parse()
        .map_err(|source| WireError::Time { text, source })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{Ancestor, Detection, TighteningId, Who, sample};
    use jiff::Timestamp;

    fn detection(path: &[u8], argument: &[u8]) -> Detection {
        Detection {
            path: path.to_owned(),
            who: Who {
                pid: 8,
                tid: 9,
                parent: 1,
                uid: 33,
                gid: 33,
                comm: b"nginx".to_vec(),
                exe: Some(path.to_owned()),
                cmdline: Some(vec![b"nginx".to_vec(), argument.to_owned()]),
                ancestry: vec![Ancestor { pid: 1, exe: None }],
                cgroup: 77,
                cgroup_path: Some(b"/system.slice/nginx.service".to_vec()),
            },
            first_seen: Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap(),
            last_seen: Timestamp::from_nanosecond(1_700_000_001_000_000_000).unwrap(),
            count: 3,
            tightenings: vec![TighteningId(2)],
            ..sample::detection()
        }
    }

    #[test]
    fn json_form() {
        let value = serde_json::to_value(detection(b"/a\xff", b"-g")).unwrap();
        #[rustfmt::skip]
        let cases = [
            ("id",         "/id",            json!("D7")),
            ("path",       "/path",          json!("/a\u{fffd}")),
            ("bytes",      "/path_bytes",    json!("2f61ff")),
            ("rights",     "/requested",     json!(["read", "write"])),
            ("time",       "/first_seen",    json!("2023-11-14T22:13:20.123456789Z")),
            ("unit",       "/who/unit",      json!("nginx.service")),
            ("parent",     "/who/ppid",      json!(1)),
            ("arguments",  "/who/cmdline",   json!(["nginx", "-g"])),
            ("tightening", "/tightenings/0", json!("T2")),
        ];
        for (name, pointer, want) in cases {
            assert_eq!(value.pointer(pointer), Some(&want), "{name}");
        }
        let plain = serde_json::to_value(detection(b"/a", b"-g")).unwrap();
        assert_eq!(plain.pointer("/path_bytes"), None);
        assert_eq!(plain.pointer("/privilege"), Some(&json!(null)));
        let privileged = Detection {
            privilege: Some("mount".to_owned()),
            ..detection(b"", b"-g")
        };
        let privileged = serde_json::to_value(privileged).unwrap();
        assert_eq!(privileged.pointer("/privilege"), Some(&json!("mount")));
    }

    proptest! {
        /// What is written is read back as it was, whatever the bytes.
        #[test]
        fn round_trip(path in prop::collection::vec(1_u8.., 0..20), raw: Vec<u8>) {
            let argument: Vec<u8> = raw.into_iter().filter(|&byte| byte != 0).collect();
            let before = detection(&path, &argument);
            let text = serde_json::to_string(&before).unwrap();
            let after: Detection = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(before, after);
        }
    }
}
