//! The first profile: hooks are attached when it comes, and not before.

use std::{fs, process::Command, thread, time::Duration};

use enforcer_tests::{Agent, EACCES, Folder, profile, program, rule, wait_for};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

use crate::{
    background::Told,
    subject::{applies_to, tell},
};

/// A user of these tests alone.
const USER: u32 = 7004;

/// Descriptors that the agent may open besides those that it has, where it is to find no
/// room for many links.
const FEW: usize = 12;

/// How long loading profiles may take.
const RELOADED_WITHIN: Duration = Duration::from_mins(1);

/// After so long without a change there will be none.
const SETTLED: Duration = Duration::from_millis(500);

/// What `enforcer status` says of the kernel.
fn kernel(agent: &Agent) -> Value {
    agent.json(&["status", "--json"])["kernel"].clone()
}

/// The names of a list of hooks.
fn names(kernel: &Value, list: &str) -> Vec<String> {
    let names = kernel[list].as_array().expect("a list").iter();
    names
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

fn agents_id(agent: &Agent) -> u64 {
    let status = agent.json(&["status", "--json"]);
    status["agent"]["pid"].as_u64().expect("a process id")
}

/// The hooks that are attached, which have to be as many as the kernel says that the agent
/// holds links to programs.
fn attached(agent: &Agent) -> Vec<String> {
    let hooks = names(&kernel(agent), "hooks");
    assert_eq!(links(agents_id(agent)), hooks.len(), "{hooks:?}");
    hooks
}

/// How many links to programs a process holds, as the kernel tells.
fn links(id: u64) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{id}/fdinfo")).unwrap();
    let texts = descriptors.filter_map(|one| fs::read_to_string(one.unwrap().path()).ok());
    texts
        .filter(|text| text.lines().any(|line| line.starts_with("link_type:")))
        .count()
}

/// How many descriptors a process holds.
fn descriptors(id: u64) -> usize {
    fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
}

fn has(hooks: &[String], hook: &str) -> bool {
    hooks.iter().any(|name| name == hook)
}

/// A copy of `edge`, which runs.
fn start(named: &str) -> Told {
    fs::copy(program("edge"), named).unwrap();
    Told::start(Command::new(named).arg("obey"))
}

/// Without a profile nothing is attached. With the first that is added, what runs already
/// is confined, and so is what comes.
#[test]
fn nothing_is_attached_before_it() {
    let folder = Folder::new("first");
    let named = folder.join("named");
    let secret = folder.write("secret", "x");
    let read = format!("read {secret}");
    let agent = Agent::alone(&[]);
    assert_eq!(attached(&agent), [""; 0]);
    let idle = names(&kernel(&agent), "idle_hooks");
    assert!(has(&idle, "file_open") && has(&idle, "inode_getattr"));
    assert_eq!(kernel(&agent)["gaps"].to_string().find("file_open"), None);
    let mut running = start(&named);
    assert_eq!(tell(&mut running, "bear"), 0);
    assert_eq!(tell(&mut running, &read), 0, "nothing confines it yet");

    let text = profile("enforce", &rule(&named, "execute, read, map"));
    assert!(agent.reload("p", &applies_to(&named, &text)));
    let mut after = Told::start(Command::new(&named).arg("obey"));
    for (name, process) in [("it runs", &mut running), ("it comes", &mut after)] {
        assert_eq!(tell(process, &read), EACCES, "{name}");
        assert_eq!(tell(process, &format!("thread {read}")), EACCES, "{name}");
    }
    assert_eq!(tell(&mut after, "bear"), 0);
    for (name, process) in [("before", &mut running), ("after", &mut after)] {
        let child = format!("child {read}");
        assert_eq!(tell(process, &child), EACCES, "a child from {name}");
    }
    let hooks = attached(&agent);
    for hook in ["file_open", "task_alloc", "task_free", "d_instantiate"] {
        assert!(has(&hooks, hook), "{hook}");
    }
    for hook in ["task_fix_setuid", "inode_getattr"] {
        assert!(!has(&hooks, hook), "{hook}");
        assert!(has(&names(&kernel(&agent), "idle_hooks"), hook), "{hook}");
    }
    the_first_of_a_user(&agent);
}

/// The first profile of a user has `task_fix_setuid` attached, and that counts at once.
fn the_first_of_a_user(agent: &Agent) {
    let folder = Folder::new("first-user");
    let secret = folder.write("secret", "x");
    let read = format!("read {secret}");
    let [mut is_user, mut becomes] = ["is", "becomes"].map(|name| start(&folder.join(name)));
    let become_user = format!("users {USER} {USER} {USER}");
    assert_eq!(tell(&mut is_user, &become_user), 0);
    assert_eq!(tell(&mut is_user, &read), 0, "before");

    let of_user = format!("applies_to: {{ users: [\"{USER}\"] }}\n");
    assert!(agent.reload("user", &(of_user + &profile("enforce", ""))));
    assert!(has(&attached(agent), "task_fix_setuid"));
    assert_eq!(tell(&mut is_user, &read), EACCES, "who is the user already");
    assert_eq!(tell(&mut becomes, &read), 0, "who is not yet");
    assert_eq!(tell(&mut becomes, &become_user), 0);
    assert_eq!(tell(&mut becomes, &read), EACCES, "who has become it");
}

/// `enforcer exec` with a file may be the first that anybody wants.
#[test]
fn it_may_be_that_of_a_command() {
    let folder = Folder::new("first-command");
    let secret = folder.write("secret", "x");
    let run = rule(program("edge").to_str().unwrap(), "execute");
    for (name, pid) in [("its next exec", false), ("a process that runs", true)] {
        let file = folder.write("p.yaml", &format!("name: p\n{}", profile("enforce", &run)));
        let agent = Agent::alone(&[]);
        assert_eq!(attached(&agent), [""; 0], "{name}");
        let read = format!("read {secret}");
        let mut process = if pid {
            let process = start(&folder.join("named"));
            let id = process.id().to_string();
            let output = agent.cli(&["exec", "--profile", &file, "--pid", &id]);
            assert!(output.status.success(), "{name}: {output:?}");
            process
        } else {
            let mut command = Command::new("enforcer");
            command.args(["exec", "--profile", &file, "--"]);
            Told::start(command.arg(program("edge")).arg("obey"))
        };
        assert_eq!(tell(&mut process, &read), EACCES, "{name}");
        assert!(has(&attached(&agent), "file_open"), "{name}");
    }
}

/// Where a hook cannot be attached the profile is not loaded, and nobody is confined by
/// half of it. Once there is room, all is.
#[test]
fn where_there_is_no_room_for_it() {
    let folder = Folder::new("first-room");
    let named = folder.join("named");
    let secret = folder.write("secret", "x");
    let read = format!("read {secret}");
    let text = applies_to(&named, &profile("enforce", ""));
    let its_own = Folder::new("first-room-agent");
    let file = its_own.join("profiles/p.yaml");
    let agent = Agent::start_in(its_own);
    let mut running = start(&named);

    let id = agents_id(&agent);
    let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    let few = Some((descriptors(id) + FEW) as u64);
    let few = Rlimit {
        current: few,
        maximum: few,
    };
    let before = prlimit(Some(pid), Resource::Nofile, few).expect("limit the agent");
    fs::write(&file, format!("name: p\n{text}")).unwrap();
    kill_process(pid, Signal::HUP).expect("signal the agent");
    // It cannot tell that it is done, having no descriptor for that.
    let mut last = 0;
    let settled = wait_for(RELOADED_WITHIN, || {
        thread::sleep(SETTLED);
        let count = links(id);
        let same = count > 0 && count == last;
        last = count;
        same.then_some(())
    });
    prlimit(Some(pid), Resource::Nofile, before).expect("limit it no more");
    assert!(settled.is_some(), "nothing was attached");
    assert!(
        attached(&agent).len() >= last && last < 50,
        "{last}: not all"
    );
    assert_eq!(agent.profile("p"), Value::Null, "it is not loaded");
    assert_eq!(tell(&mut running, &read), 0, "it confines nobody");
    let mut after = Told::start(Command::new(&named).arg("obey"));
    assert_eq!(tell(&mut after, &read), 0, "whoever comes");

    kill_process(pid, Signal::HUP).expect("signal the agent");
    let loaded = wait_for(RELOADED_WITHIN, || {
        Some(()).filter(|()| agent.profile("p") != Value::Null)
    });
    assert!(loaded.is_some(), "it is loaded now");
    assert!(attached(&agent).len() > last);
    for process in [&mut running, &mut after] {
        assert_eq!(tell(process, &read), EACCES);
    }
}

/// What only keeps the memory right is not needed without it.
#[test]
fn without_memory_less_is_attached() {
    let agent = Agent::without_cache(&[("p", &profile("enforce", ""))]);
    let hooks = attached(&agent);
    assert!(has(&hooks, "file_open") && !has(&hooks, "d_instantiate"));
    let idle = names(&kernel(&agent), "idle_hooks");
    assert!(!has(&idle, "d_instantiate"), "nothing will need it");
}
