//! What is to be shown of a program and its profile.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use enforcer_tests::{Agent, EACCES, attempt_outside, errno, wait_for};
use serde_json::Value;

use super::{Service, scene};
use crate::background::skip;

/// How long a detection may take to appear.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// `EPERM`, the errno of a privilege that is refused.
const EPERM: i32 = 1;

/// What no program is granted by networks: to wait, and to call home.
pub(super) const BY_NETWORK: [Misuse; 2] = [
    Misuse::domain(&["tcp-bind", "0.0.0.0:4445"], ("bind", "tcp:0.0.0.0:4445")),
    Misuse::domain(
        &["tcp-connect", scene::LISTENER],
        ("connect", "tcp:127.0.0.1:4444"),
    ),
];

/// A program, and what is shown of its profile.
pub(super) struct Program {
    /// The profiles, its own first.
    pub(super) profiles: &'static [&'static str],
    /// Programs that its packages have.
    pub(super) needs: &'static [&'static str],
    /// What is done before there is a profile, as by its packages' scripts.
    pub(super) before: fn(),
    /// Configures it, and starts it as its service does.
    pub(super) start: fn() -> Service,
    /// Its normal work. Gives back what runs then.
    pub(super) work: fn(Service) -> Service,
    /// What it is refused.
    pub(super) misuses: &'static [Misuse],
}

/// Something that is refused.
pub(super) struct Misuse {
    /// What does it.
    pub(super) by: By,
    /// Its path in the detection; what follows a `*` at its end is all one. Or a privilege.
    pub(super) what: &'static str,
    /// The right that is missing; none for a privilege.
    pub(super) right: &'static str,
    /// Words for `attempt`: the same thing, which works for who is not confined.
    pub(super) outside: &'static [&'static str],
}

/// What does a misuse.
pub(super) enum By {
    /// The program itself. What comes of it has these words.
    Program(fn() -> String, &'static str),
    /// A process under the first profile, which does what works outside.
    Domain,
    /// The same under another profile.
    Other(&'static str),
    /// A process that does these words of `attempt` instead.
    User(&'static [&'static str]),
}

impl Misuse {
    /// The program does it, and says this.
    pub(super) const fn program(
        act: fn() -> String,
        says: &'static str,
        (right, what): (&'static str, &'static str),
        outside: &'static [&'static str],
    ) -> Self {
        Self {
            by: By::Program(act, says),
            what,
            right,
            outside,
        }
    }

    /// A process in its domain does it.
    pub(super) const fn domain(
        outside: &'static [&'static str],
        (right, what): (&'static str, &'static str),
    ) -> Self {
        Self {
            by: By::Domain,
            what,
            right,
            outside,
        }
    }

    /// A process under another of the profiles does it.
    pub(super) const fn under(
        profile: &'static str,
        outside: &'static [&'static str],
        what: (&'static str, &'static str),
    ) -> Self {
        let by = By::Other(profile);
        Self {
            by,
            ..Self::domain(outside, what)
        }
    }

    /// What does these words of `attempt`, by which it becomes the profile's user.
    pub(super) const fn user(
        words: &'static [&'static str],
        outside: &'static [&'static str],
        what: (&'static str, &'static str),
    ) -> Self {
        let by = By::User(words);
        Self {
            by,
            ..Self::domain(outside, what)
        }
    }

    /// Whether a detection is of this.
    fn is_of(&self, detection: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if self.right.is_empty() {
            return text(&detection["privilege"]) == self.what;
        }
        let path = text(&detection["path"]);
        let is_there = match self.what.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == self.what,
        };
        let missing = detection["missing"].as_array();
        is_there && missing.is_some_and(|rights| rights.iter().any(|right| right == self.right))
    }

    /// How often the agent knows of it.
    fn count(&self, agent: &Agent) -> u64 {
        let all = agent.detections();
        let these = all.iter().filter(|one| self.is_of(one));
        these.filter_map(|one| one["count"].as_u64()).sum()
    }

    /// Does it, outside and inside. Fails with what did not come of it as it should.
    pub(super) fn check(&self, agent: &Agent, profile: &str) -> Result<(), String> {
        let Self { right, what, .. } = self;
        let name = format!("{right} {what} by {}", self.by.name());
        let outside = attempt_outside(self.outside);
        scene::clean();
        if outside != 0 {
            return Err(format!("{name}: outside it fails, too, with {outside}"));
        }
        let before = self.count(agent);
        let want = if right.is_empty() { EPERM } else { EACCES };
        let got = match self.by {
            By::Program(act, says) => {
                let said = act();
                if !said.contains(says) {
                    return Err(format!("{name}: no {says:?} in {said:?}"));
                }
                want
            }
            By::Domain => in_domain(agent, profile, self.outside),
            By::Other(profile) => in_domain(agent, profile, self.outside),
            By::User(words) => attempt_outside(words),
        };
        scene::clean();
        if got != want {
            return Err(format!("{name}: fails with {got}"));
        }
        let told = wait_for(TOLD_WITHIN, || (self.count(agent) > before).then_some(()));
        told.ok_or_else(|| format!("{name}: no detection"))
    }
}

impl By {
    fn name(&self) -> &'static str {
        match self {
            Self::Program(..) => "the program",
            Self::Domain => "its domain",
            Self::Other(profile) => profile,
            Self::User(_) => "its user",
        }
    }
}

/// Runs `attempt` under a profile that need not grant it. It passes for a library.
fn in_domain(agent: &Agent, profile: &str, words: &[&str]) -> i32 {
    let mut command = vec![scene::ATTEMPT];
    command.extend(words);
    errno(&agent.exec(profile, &command))
}

/// A detection in a line.
pub(super) fn line(one: &Value) -> String {
    let missing = one["missing"].as_array().cloned().unwrap_or_default();
    let missing: Vec<_> = missing.iter().filter_map(Value::as_str).collect();
    let privilege = one["privilege"].as_str().unwrap_or_default();
    format!(
        "{} {} {}{privilege} {} by {} in {} ({}), {}x",
        one["verdict"],
        one["operation"],
        missing.join("+"),
        one["path"],
        one["who"]["exe"],
        one["profile"],
        one["reason"],
        one["count"]
    )
}

impl Program {
    /// Shows all that.
    pub(super) fn check(&self) {
        let missing = self.needs.iter().find(|need| !Path::new(need).exists());
        if let Some(missing) = missing {
            return skip(&format!("no {missing}"));
        }
        let start = Instant::now();
        scene::prepare();
        (self.before)();
        let agent = Agent::shipped(self.profiles);
        println!("profiles after {:.1} s", start.elapsed().as_secs_f32());
        let service = (self.start)();
        println!("started after {:.1} s", start.elapsed().as_secs_f32());
        let service = (self.work)(service);
        println!("worked after {:.1} s", start.elapsed().as_secs_f32());

        let refused = agent.counter("denied") + agent.counter("audited");
        let told: Vec<_> = agent.detections().iter().map(line).collect();
        let mut wrong = Vec::new();
        if refused > 0 || !told.is_empty() {
            wrong.push(format!("its work: {refused} refusals: {told:#?}"));
        }
        let checks = self.misuses.iter().chain(&BY_NETWORK);
        let checks = checks.map(|misuse| misuse.check(&agent, self.profiles[0]));
        wrong.extend(checks.filter_map(Result::err));
        println!("misused after {:.1} s", start.elapsed().as_secs_f32());
        drop(service);
        // Whoever is next has an agent that runs.
        drop(agent);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(self.misuses.len() >= 5, "too few misuses");
    }
}
