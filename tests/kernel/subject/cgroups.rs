//! The process' layer by cgroup or unit, and what a container finds.

use std::{fs, path::PathBuf};

use enforcer_tests::{Agent, EACCES, Folder, profile, program, rule};

use crate::{
    background::Told,
    mounts::Mount,
    subject::{start, tell},
};

/// Where cgroup v2 is.
const CGROUPS: &str = "/sys/fs/cgroup";

/// A cgroup of the test's own, with those above it. What is in it has to end first.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(path: &str) -> Self {
        let path = PathBuf::from(format!("{CGROUPS}{path}"));
        fs::create_dir_all(&path).expect("make a cgroup");
        Self(path)
    }

    /// The file that moves who is named in it.
    fn members(&self) -> String {
        self.0.join("cgroup.procs").to_str().unwrap().to_owned()
    }

    fn add(&self, process: &Told) {
        fs::write(self.members(), process.id().to_string()).expect("move a process");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir(&self.0);
    }
}

/// Has it become a program that obeys as well.
fn exec(process: &mut Told, program: &str) {
    assert_eq!(process.tell(&format!("exec {program} obey")), "ready");
}

fn edge() -> String {
    program("edge").to_str().unwrap().to_owned()
}

fn applies_to(whom: &str, rules: &str) -> String {
    format!("applies_to: {{ {whom} }}\n{}", profile("enforce", rules))
}

/// What runs in a cgroup has its profile, from an exec there on, or from when the
/// profile comes. So has what runs beneath.
#[test]
fn a_cgroup_is_confined() {
    let folder = Folder::new("cgroup");
    let open = folder.write("open", "x");
    // Columns: what it shows, whom the profile names, the cgroup, errno.
    #[rustfmt::skip]
    let cases = [
        ("by its path",          "cgroups: [/e2e/web]",        "/e2e/web",              EACCES),
        ("beneath it",           "cgroups: [/e2e/web]",        "/e2e/web/worker/one",   EACCES),
        ("by a glob",            "cgroups: [\"/e2e/**\"]",     "/e2e/db",               EACCES),
        ("its sibling",          "cgroups: [/e2e/web]",        "/e2e/db",               0),
        ("one that begins so",   "cgroups: [/e2e/web]",        "/e2e/web2",             0),
        ("above it",             "cgroups: [/e2e/web/worker]", "/e2e/web",              0),
        ("a unit",               "units: [e2e.service]",       "/s.slice/e2e.service",  EACCES),
        ("beneath a unit",       "units: [e2e.service]",       "/e2e.service/payload",  EACCES),
        ("a slice",              "units: [e2e.slice]",         "/e2e.slice/a.service",  EACCES),
        ("another unit",         "units: [e2e.service]",       "/s.slice/e3e.service",  0),
    ];
    for (number, (name, whom, path, want)) in cases.into_iter().enumerate() {
        let [secret, other] =
            ["exec", "running"].map(|when| folder.write(&format!("{when}-{number}"), "x"));
        let cgroup = Cgroup::new(path);
        let text = applies_to(whom, &rule(&open, "read"));
        let nobody_yet = Agent::start(&[]);
        let mut running = start();
        cgroup.add(&running);
        assert_eq!(
            tell(&mut running, &format!("read {other}")),
            0,
            "{name}: no profile"
        );
        drop(nobody_yet);

        let agent = Agent::start(&[("p", &text)]);
        let mut process = start();
        cgroup.add(&process);
        exec(&mut process, &edge());
        for (process, file) in [(&mut process, &secret), (&mut running, &other)] {
            assert_eq!(
                tell(process, &format!("read {file}")),
                want,
                "{name}: {file}"
            );
            assert_eq!(tell(process, &format!("read {open}")), 0, "{name}: granted");
            let found = agent.detection(file);
            assert_eq!(found.is_some(), want != 0, "{name}: {file}");
            if let Some(found) = found {
                assert_eq!(found["layer"], "process", "{name}: {found}");
                assert_eq!(found["profile"], "p", "{name}: {found}");
            }
        }
        let mut outsider = start();
        assert_eq!(
            tell(&mut outsider, &format!("read {secret}")),
            0,
            "{name}: outside"
        );
    }
}

/// A process that leaves the cgroup stays in the profile, also in what it runs.
#[test]
fn to_leave_a_cgroup_frees_nobody() {
    let folder = Folder::new("leave");
    let secret = folder.write("secret", "x");
    let read = format!("read {secret}");
    let inside = Cgroup::new("/e2e/inside");
    let outside = Cgroup::new("/e2e/outside");
    let members = outside.members();
    let rules = rule(&members, "write") + &rule(&edge(), "execute");
    let [bound, may_leave] =
        ["", rules.as_str()].map(|rules| applies_to("cgroups: [/e2e/inside]", rules));

    let agent = Agent::start(&[("p", &bound)]);
    let mut process = start();
    inside.add(&process);
    exec(&mut process, &edge());
    let leave = format!("write {members} 0");
    assert_eq!(tell(&mut process, &leave), EACCES, "not granted");
    assert_eq!(
        agent.detection(&members).expect("a detection")["layer"],
        "process"
    );

    assert!(agent.reload("p", &may_leave));
    assert_eq!(tell(&mut process, &leave), 0, "granted");
    let stays = fs::read_to_string(&members).unwrap();
    assert_eq!(stays.trim(), process.id().to_string(), "it left");
    assert_eq!(tell(&mut process, &read), EACCES, "it left");
    exec(&mut process, &edge());
    assert_eq!(tell(&mut process, &read), EACCES, "and ran something");
    let elsewhere = may_leave.replace("/e2e/inside", "/e2e/elsewhere");
    let elsewhere = elsewhere + &rule(&folder.join("other"), "read");
    assert!(agent.reload("p", &elsewhere));
    assert_eq!(
        tell(&mut process, &read),
        EACCES,
        "and another cgroup is confined"
    );
    assert!(agent.reload("p", &may_leave));

    // Somebody else moves it.
    let mut process = start();
    inside.add(&process);
    exec(&mut process, &edge());
    outside.add(&process);
    assert_eq!(tell(&mut process, &read), EACCES, "it was moved");
    let mut outsider = start();
    outside.add(&outsider);
    exec(&mut outsider, &edge());
    assert_eq!(tell(&mut outsider, &read), 0, "who never was in it");
}

/// A container's program is judged by the paths that it sees; on the host the same
/// names, and the names of the same files, mean nothing to it.
#[test]
fn a_container_sees_its_own_paths() {
    let folder = Folder::new("container");
    let root = folder.join("root");
    let _memory = Mount::of_memory(root.clone());
    for name in ["data/file", "data/other", "data/host"] {
        folder.write(&format!("root/{name}"), "x");
    }
    fs::copy(program("edge"), folder.join("root/edge")).unwrap();
    let cgroup = Cgroup::new("/e2e/container");
    let rules = rule("/edge", "read, map, execute") + &rule("/data/file", "read");
    // What the host calls it.
    let rules = rules + &rule(&folder.join("root/data/host"), "read");
    let agent = Agent::start(&[("p", &applies_to("cgroups: [/e2e/container]", &rules))]);
    for how in ["moved", "pivoted"] {
        let mut process = start();
        cgroup.add(&process);
        assert_eq!(
            tell(&mut process, &format!("own-root {root} {how}")),
            0,
            "{how}"
        );
        exec(&mut process, "/edge");
        // Columns: what it shows, the path, errno.
        let cases = [
            ("granted", "/data/file", 0),
            ("denied", "/data/other", EACCES),
            ("by another way", "/data/../data/other", EACCES),
            ("granted by the host's name", "/data/host", EACCES),
        ];
        for (name, path, want) in cases {
            assert_eq!(
                tell(&mut process, &format!("read {path}")),
                want,
                "{how}: {name}"
            );
        }
        for path in ["/data/other", "/data/host"] {
            let found = agent
                .detection(path)
                .expect("a detection, as the container has it");
            assert_eq!(found["layer"], "process", "{how}: {found}");
            assert_eq!(found["reason"], "not-granted", "{how}: {found}");
        }

        // The same root, and another cgroup.
        let mut outsider = start();
        assert_eq!(
            tell(&mut outsider, &format!("own-root {root} {how}")),
            0,
            "{how}"
        );
        exec(&mut outsider, "/edge");
        assert_eq!(tell(&mut outsider, "read /data/other"), 0, "{how}: outside");
    }
}
