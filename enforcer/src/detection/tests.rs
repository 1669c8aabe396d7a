//! Sentences.

use enforcer_abi::{Access, Privilege};

use super::{Detection, Who, privilege_name, sample};

fn detection() -> Detection {
    Detection {
        path: b"/etc/x\n".to_vec(),
        ..sample::detection()
    }
}

#[test]
fn sentences() {
    let verdict = |verdict: &str| Detection {
        verdict: verdict.to_owned(),
        ..detection()
    };
    let privilege = Detection {
        operation: "privilege".to_owned(),
        privilege: Some("sys_admin".to_owned()),
        missing: Access::NONE,
        path: vec![],
        count: 3,
        ..detection()
    };
    let grown = Detection {
        operation: "rename".to_owned(),
        missing: Access::NONE,
        reason: "rights-grow".to_owned(),
        ..detection()
    };
    let nameless = Detection {
        path: vec![],
        ..detection()
    };
    let sum = Detection {
        who: Who::default(),
        count: 9,
        ..nameless.clone()
    };
    #[rustfmt::skip]
    let cases = [
        (sum,                "a lineage of processes was refused open of objects that are not told apart (write) by the profile nginx, 9 times"),
        (detection(),        "nginx (pid 8) was refused open of /etc/x\\n (write) by the profile nginx"),
        (verdict("audited"), "nginx (pid 8) would have been refused open of /etc/x\\n (write) by the profile nginx"),
        (verdict("learned"), "nginx (pid 8) was let through, to be learnt, open of /etc/x\\n (write) by the profile nginx"),
        (verdict("allowed"), "nginx (pid 8) was granted open of /etc/x\\n (write) by the profile nginx"),
        (privilege,          "nginx (pid 8) was refused the privilege sys_admin by the profile nginx, 3 times"),
        (grown,              "nginx (pid 8) was refused rename of /etc/x\\n (rights-grow) by the profile nginx"),
        (nameless,           "nginx (pid 8) was refused open of an object without a name (write) by the profile nginx"),
    ];
    for (detection, want) in cases {
        assert_eq!(detection.sentence(), want);
    }
}

#[test]
fn privilege_names() {
    #[rustfmt::skip]
    let cases = [
        (Privilege::NONE,      None),
        (Privilege::SYS_ADMIN, Some("sys_admin")),
        (Privilege::MOUNT,     Some("mount")),
        (Privilege(41),        Some("capability-41")),
    ];
    for (privilege, want) in cases {
        assert_eq!(privilege_name(privilege).as_deref(), want);
    }
}
