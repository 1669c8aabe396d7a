//! Who it is, whatever is left of the process.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use enforcer_abi::{Adopted, Event};

use super::{ANCESTRY_LEN, Processes, procfs::Procfs};
use crate::kernel::events::sample;

/// An event of a process with this id and parent, at a time in clock ticks.
fn event(pid: u32, parent: u32, ticks: u64) -> Event {
    Event {
        time_ns: ticks * Adopted::TICK_NS,
        tgid: pid,
        tid: pid,
        parent,
        ..sample()
    }
}

/// What is known from the proc file system at `root`, however busy this machine.
fn processes(root: &Path) -> Processes {
    let mut processes = Processes::new(Procfs::at(root));
    processes.arguments.patience = Duration::from_mins(1);
    processes
}

/// Adds a process to the proc file system at `root`.
fn start(root: &Path, pid: u32, parent: u32, start: u64, exe: &str) {
    let process = root.join(pid.to_string());
    fs::create_dir(&process).unwrap();
    symlink(exe, process.join("exe")).unwrap();
    fs::write(process.join("cmdline"), format!("{exe}\0-x\0")).unwrap();
    fs::write(process.join("cgroup"), "0::/system.slice/nginx.service\n").unwrap();
    let text = format!("{pid} (x) S {parent} 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 {start} 0");
    fs::write(process.join("stat"), text).unwrap();
}

fn end(root: &Path, pid: u32) {
    fs::remove_dir_all(root.join(pid.to_string())).unwrap();
}

#[test]
fn a_process_that_lives() {
    let base = tempfile::tempdir().unwrap();
    start(base.path(), 1, 0, 0, "/sbin/init");
    start(base.path(), 5, 1, 10, "/usr/sbin/nginx");
    let mut processes = processes(base.path());
    let who = processes.who(&event(5, 1, 100));
    assert_eq!(who.exe.as_deref(), Some(&b"/usr/sbin/nginx"[..]));
    assert_eq!(who.cmdline.unwrap(), [&b"/usr/sbin/nginx"[..], b"-x"]);
    assert_eq!((who.uid, who.gid, who.cgroup), (33, 34, 9));
    assert_eq!(who.comm, b"nginx");
    assert_eq!(who.ancestry.len(), 1);
    assert_eq!(who.ancestry[0].exe.as_deref(), Some(&b"/sbin/init"[..]));
}

#[test]
fn a_process_that_is_gone() {
    let base = tempfile::tempdir().unwrap();
    start(base.path(), 1, 0, 0, "/sbin/init");
    start(base.path(), 5, 1, 10, "/usr/sbin/nginx");
    let mut processes = processes(base.path());
    processes.executed(&event(5, 1, 50), b"/usr/sbin/nginx");
    end(base.path(), 5);

    #[rustfmt::skip]
    let cases: [(&str, Event, Option<&[u8]>); 4] = [
        ("itself",               event(5, 1, 100),                          Some(b"/usr/sbin/nginx")),
        ("a fork of it",         event(6, 5, 100),                          Some(b"/usr/sbin/nginx")),
        ("another lineage's id", Event { lineage: 2, ..event(5, 1, 100) },  None),
        ("before it ran that",   event(5, 1, 40),                           None),
    ];
    for (name, event, want) in cases {
        let who = processes.who(&event);
        assert_eq!(who.exe.as_deref(), want, "{name}");
        assert_eq!(who.cmdline.is_some(), want.is_some(), "{name}");
    }
    let who = processes.who(&event(6, 5, 100));
    let ancestors: Vec<_> = who.ancestry.iter().map(|ancestor| ancestor.pid).collect();
    assert_eq!(ancestors, [5, 1]);
    assert_eq!(who.unit().as_deref(), Some("nginx.service"));
    let other = processes.who(&Event {
        lineage: 7,
        ..event(9, 8, 100)
    });
    assert_eq!(
        other.unit().as_deref(),
        Some("nginx.service"),
        "by the cgroup alone"
    );
}

#[test]
fn an_id_that_came_back() {
    let base = tempfile::tempdir().unwrap();
    start(base.path(), 5, 1, 10, "/bin/first");
    let mut processes = processes(base.path());
    processes.executed(&event(5, 1, 50), b"/bin/first");
    end(base.path(), 5);
    start(base.path(), 5, 1, 70, "/bin/second");
    // Columns: when, what ran then, as it was told or as it is read.
    for (time, want) in [(69, "/bin/first"), (70, "/bin/second")] {
        let event = event(5, 1, time);
        let who = processes.who(&event);
        assert_eq!(who.exe.as_deref(), Some(want.as_bytes()), "{time}");
        assert_eq!(processes.program(&event).as_deref(), Some(want.as_bytes()));
        // Nobody has read the arguments of the first.
        let is_read = who.cmdline.is_some_and(|words| words[0] == want.as_bytes());
        assert!(is_read, "{time}");
    }
    let unknown = processes.who(&Event {
        lineage: 8,
        ..event(5, 3, 69)
    });
    assert_eq!(
        (unknown.exe, unknown.cmdline),
        (None, None),
        "it is another's"
    );
}

#[test]
fn an_exec_that_is_under_way() {
    let base = tempfile::tempdir().unwrap();
    start(base.path(), 5, 1, 10, "/bin/old");
    let mut processes = processes(base.path());
    processes.executed(&event(5, 1, 50), b"/bin/new");
    end(base.path(), 5);
    let who = processes.who(&event(5, 1, 100));
    assert_eq!(who.exe.as_deref(), Some(&b"/bin/new"[..]));
    assert_eq!(
        who.cmdline, None,
        "the old program's arguments are not the new one's"
    );
}

#[test]
fn what_an_ancestor_runs_now() {
    let base = tempfile::tempdir().unwrap();
    start(base.path(), 4, 1, 10, "/bin/now");
    start(base.path(), 5, 4, 10, "/bin/now");
    let mut processes = processes(base.path());
    for pid in [4, 5] {
        processes.executed(&event(pid, 4, 50), b"/bin/told");
    }
    let who = processes.who(&event(6, 5, 100));
    let programs: Vec<_> = who.ancestry.iter().map(|one| one.exe.as_deref()).collect();
    let [parent, older]: [&[u8]; 2] = [b"/bin/told", b"/bin/now"];
    assert_eq!(programs.get(..2), Some(&[Some(parent), Some(older)][..]));
}

#[test]
fn parents_in_a_circle() {
    let base = tempfile::tempdir().unwrap();
    start(base.path(), 5, 6, 10, "/bin/a");
    start(base.path(), 6, 5, 10, "/bin/b");
    let mut processes = processes(base.path());
    let who = processes.who(&event(7, 5, 100));
    let ancestors: Vec<_> = who.ancestry.iter().map(|ancestor| ancestor.pid).collect();
    assert_eq!(ancestors, [5, 6]);
}

#[test]
fn long_paths_of_ancestors_have_room_once() {
    let half = ANCESTRY_LEN / 2;
    // Columns: what it shows, the lengths from the parent on, which are recorded.
    #[rustfmt::skip]
    let cases = [
        ("all of the room", [half, half, 1],     [true, true, false]),
        ("beyond",          [half, half + 1, 1], [true, false, true]),
    ];
    for (name, lengths, want) in cases {
        let base = tempfile::tempdir().unwrap();
        for (pid, length) in (5..).zip(lengths) {
            let exe = format!("{:/<length$}", "");
            let parent = if pid == 7 { 0 } else { pid + 1 };
            start(base.path(), pid, parent, 10, &exe);
        }
        let who = processes(base.path()).who(&event(4, 5, 100));
        let recorded: Vec<_> = who.ancestry.iter().map(|one| one.exe.is_some()).collect();
        assert_eq!(recorded, want, "{name}");
    }
}
