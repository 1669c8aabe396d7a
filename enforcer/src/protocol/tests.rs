//! Requests and replies as they are written.

use super::{
    FailureKind, ProfileChoice, ProfileMode, Reply, Request, TightenTarget, parse_request,
    request_line,
};
use crate::detection::{DetectionId, State, TighteningId};

#[test]
fn requests_are_read_as_they_were_written() {
    let requests = [
        Request::Status,
        Request::Detections {
            after: DetectionId(0),
            profile: Some("p".to_owned()),
        },
        Request::Detection { id: DetectionId(3) },
        Request::Recent {
            profile: "p".to_owned(),
        },
        Request::Follow { profile: None },
        Request::Explain {
            detection: DetectionId(3),
        },
        Request::Watch {
            text: "a\nb".to_owned(),
            file: "/p.yaml".to_owned(),
        },
        Request::Enrol {
            profile: ProfileChoice::Loaded {
                name: "p".to_owned(),
            },
            mode: Some(ProfileMode::Audit),
        },
        Request::Enrol {
            profile: ProfileChoice::Text {
                text: "a\nb".to_owned(),
                file: "/p.yaml".to_owned(),
            },
            mode: None,
        },
        Request::Adopt {
            profile: ProfileChoice::Loaded {
                name: "p".to_owned(),
            },
            mode: None,
            pid: 7,
        },
        Request::TightenPlan { detection: None },
        Request::TightenApply {
            target: TightenTarget::Tightening(TighteningId(1)),
        },
        Request::TightenApply {
            target: TightenTarget::Detection(DetectionId(1)),
        },
        Request::TightenRevert {
            id: TighteningId(1),
        },
        Request::TightenDecline {
            id: TighteningId(1),
        },
        Request::TightenLog,
        Request::TightenList,
        Request::Settle {
            detections: vec![DetectionId(3), DetectionId(4)],
            state: State::Resolved,
        },
        Request::Reload,
        Request::Load {
            text: "a\nb".to_owned(),
            file: "/p.yaml".to_owned(),
        },
    ];
    for request in requests {
        let line = request_line(&request).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert_eq!(parse_request(line.as_bytes()), Ok(request), "{line}");
    }
}

#[test]
fn senseless_requests() {
    #[rustfmt::skip]
    let cases = [
        ("no json",         "status",                                   "expected value"),
        ("no version",      r#"{"command":"status"}"#,                  "missing field `v`"),
        ("later version",   r#"{"v":2,"command":"new"}"#,               "version 2"),
        ("unknown command", r#"{"v":1,"command":"stop"}"#,              "unknown variant `stop`"),
        ("no command",      r#"{"v":1}"#,                               "missing field `command`"),
        ("a bad name",      r#"{"v":1,"command":"detection","id":"9"}"#, "is no detection"),
        ("nothing",         "",                                         "EOF"),
    ];
    for (name, line, want) in cases {
        let failure = parse_request(line.as_bytes()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::BadRequest, "{name}");
        assert!(
            failure.message.contains(want),
            "{name}: {}",
            failure.message
        );
    }
}

#[test]
fn form_of_replies() {
    let ok = serde_json::to_string(&Reply::Ok(1)).unwrap();
    assert_eq!(ok, r#"{"ok":1}"#);
    let error: Reply<u8> = Reply::Error(super::Failure::new(
        FailureKind::NotFound,
        "there is no detection D9",
    ));
    let error = serde_json::to_string(&error).unwrap();
    assert_eq!(
        error,
        r#"{"error":{"kind":"not-found","message":"there is no detection D9"}}"#
    );
}
