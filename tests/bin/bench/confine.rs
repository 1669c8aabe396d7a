//! Set-ups: what is there besides the process that is measured, and what confines it.
//!
//! - [`apparmor`], [`landlock`], [`tomoyo`], [`enforcer`]: one each

mod apparmor;
mod enforcer;
pub(crate) mod landlock;
mod tomoyo;

pub(crate) use apparmor::exec as exec_apparmor;

use std::{
    ffi::OsString,
    io::Write as _,
    process::{Command, ExitCode, Output, Stdio},
};

use self::enforcer::{Agent, Set};
use crate::{nginx, place, rows};

/// Words before a command that have it run confined.
pub(crate) type Confiner = Vec<OsString>;

/// A set-up.
struct SetUp {
    confiner: Confiner,
    /// Whether what is not granted is refused.
    refuses: bool,
    /// Our agent, if it runs.
    agent: Option<Agent>,
}

/// Sets up what `name` says, and measures the rows that a filter names there.
pub(crate) fn measure(name: &str, filters: &[String]) -> ExitCode {
    place::prepare();
    let set_up = match set_up(name) {
        Ok(made) => made,
        Err(why) => {
            println!("{}", serde_json::json!({ "missing": why }));
            return ExitCode::SUCCESS;
        }
    };
    let output = set_up.run("rows", filters);
    std::io::stdout()
        .write_all(&output.stdout)
        .expect("hand on the figures");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        eprintln!("{name}: what measures ended with {}\n{said}", output.status);
        if let Some(agent) = &set_up.agent {
            agent.refused_nothing();
        }
        return ExitCode::FAILURE;
    }
    if rows::is_wanted(nginx::ROW, filters) {
        nginx::measure(&set_up.confiner);
    }
    if let Some(agent) = &set_up.agent {
        agent.refused_nothing();
    }
    // The proof that it was confined all the time.
    let status = set_up.run("forbidden", &[]).status.code();
    let want = i32::from(set_up.refuses);
    assert_eq!(status, Some(want), "{name}: a file that nobody grants");
    ExitCode::SUCCESS
}

impl SetUp {
    /// Nothing of ours.
    fn plain() -> Self {
        Self {
            confiner: Vec::new(),
            refuses: false,
            agent: None,
        }
    }

    /// Something of the kernel's own.
    fn of_kernel(confiner: Confiner) -> Self {
        Self {
            confiner,
            refuses: true,
            agent: None,
        }
    }

    /// Runs a command of this program's, confined.
    fn run(&self, command: &str, args: &[String]) -> Output {
        let mut words = self.confiner.clone();
        words.extend([place::BENCH, "as-user", place::BENCH, command].map(Into::into));
        words.extend(args.iter().map(Into::into));
        // Its output goes to pipes without a name, which nobody has to be granted.
        Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .output()
            .expect("run the program that measures")
    }
}

/// Returns the set-up, or why there is none.
fn set_up(name: &str) -> Result<SetUp, String> {
    Ok(match name {
        "none" => SetUp::plain(),
        "apparmor-unconfined" => apparmor::available().map(|()| SetUp::plain())?,
        "apparmor-6" => SetUp::of_kernel(apparmor::confiner(6)?),
        "apparmor-60" => SetUp::of_kernel(apparmor::confiner(60)?),
        "landlock-unused" => landlock::available().map(|()| SetUp::plain())?,
        "landlock-6" => SetUp::of_kernel(landlock::confiner(6)?),
        "landlock-60" => SetUp::of_kernel(landlock::confiner(60)?),
        "tomoyo-6" => SetUp::of_kernel(tomoyo::confiner(6)?),
        "tomoyo-60" => SetUp::of_kernel(tomoyo::confiner(60)?),
        "enforcer-empty" => enforcer::set_up(&Set::Empty),
        "enforcer-other" => enforcer::set_up(&Set::Other(60)),
        "enforcer-6" => enforcer::set_up(&Set::One(6)),
        "enforcer-60" => enforcer::set_up(&Set::One(60)),
        "enforcer-1000" => enforcer::set_up(&Set::One(1000)),
        "enforcer-layers" => enforcer::set_up(&Set::Layers(60)),
        "enforcer-audit" => enforcer::set_up(&Set::Audit(60)),
        _ => panic!("there is no set-up {name}"),
    })
}

/// Words that have this program confine a command.
fn this(how: &[&str]) -> Confiner {
    let bench = std::env::current_exe().expect("the path of this program");
    let how = how.iter().map(Into::into);
    std::iter::once(bench.into()).chain(how).collect()
}

/// The security modules that run.
fn modules() -> Vec<String> {
    let list = std::fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    list.trim().split(',').map(str::to_owned).collect()
}

/// Says why a security module cannot be measured, if it does not run.
fn running(module: &str) -> Result<(), String> {
    if modules().iter().any(|name| name == module) {
        Ok(())
    } else {
        Err(format!("this kernel does not start {module}"))
    }
}
