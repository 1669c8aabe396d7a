//! Runs the cases of topics under one agent.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use enforcer_tests::{Agent, BASE_RULES, EACCES, program, rule, series, wait_for};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::{Value, json};

use super::{
    case::{Case, Rule},
    site::{self, Site},
};

/// How long one thing may take, on an emulated machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long what a row did may take to show.
const SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// How long detections may take after the last row.
const TOLD_WITHIN: Duration = Duration::from_secs(3);

/// Cases that belong together.
#[derive(Debug)]
pub(super) struct Topic {
    /// The name of the test.
    pub(super) name: &'static str,
    /// Whether the profiles speak of `metadata`.
    pub(super) metadata: bool,
    /// What every profile of the topic grants besides.
    pub(super) rules: &'static [Rule],
    /// They.
    pub(super) cases: &'static [Case],
}

/// Who does what a case says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Granted,
    Denied,
    Audited,
    Outsider,
}

impl Row {
    const CONFINED: [Self; 3] = [Self::Granted, Self::Denied, Self::Audited];

    const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Audited => "audited",
            Self::Outsider => "outsider",
        }
    }

    /// Whether a case is to be refused.
    const fn is_refused(self, case: &Case) -> bool {
        case.is_mediated()
            && match self {
                Self::Denied => true,
                Self::Granted => case.never,
                Self::Audited | Self::Outsider => false,
            }
    }
}

/// Runs topics, and tells all that is wrong at once.
pub(super) fn run(topics: &[Topic]) {
    let profiles: Vec<(String, String)> = topics.iter().flat_map(profiles).collect();
    let profiles: Vec<(&str, &str)> = profiles
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    // Before 5.11 all maps of a user count, whoever makes one more.
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    setrlimit(Resource::Memlock, unlimited).expect("lift a limit");
    let agent = Agent::start(&profiles);
    let wrong: usize = topics.iter().map(|topic| run_one(topic, &agent)).sum();
    assert_eq!(wrong, 0, "things are wrong, as told above");
}

/// Runs a topic, and returns how many things are wrong.
fn run_one(topic: &Topic, agent: &Agent) -> usize {
    let start = Instant::now();
    let series = series();
    let mut wrong = Vec::new();
    let mut expected = Vec::new();
    let mut skipped = Vec::new();
    for case in topic.cases {
        let problems = wrong.len();
        let errno = row(topic, case, Row::Outsider, &mut wrong, &mut expected);
        if let Some((since, unknown)) = case.since
            && series < since
        {
            wrong.truncate(problems);
            if errno != unknown {
                wrong.push(format!(
                    "{}: outsider: {errno} where {unknown} says that the kernel is too old",
                    case.name
                ));
            }
            skipped.push(format!("{} (unknown: errno {errno})", case.name));
            continue;
        }
        for one in Row::CONFINED {
            if one != Row::Granted && case.is_mediated() && !case.is_asked_on(series) {
                continue;
            }
            row(topic, case, one, &mut wrong, &mut expected);
        }
        if case.is_mediated() && !case.is_asked_on(series) {
            skipped.push(format!("{} (not asked about)", case.name));
        }
    }
    // Detections come a little later than what they are about.
    let mut about = Vec::new();
    let _all_are_there = wait_for(TOLD_WITHIN, || {
        about = check(&agent.detections(), &expected);
        about.is_empty().then_some(())
    });
    wrong.extend(about);
    tell(topic, start.elapsed(), &skipped, &wrong);
    wrong.len()
}

/// Says what was covered, past the harness, which keeps to itself what a test
/// that passes prints.
fn tell(topic: &Topic, took: Duration, skipped: &[String], wrong: &[String]) {
    let mut text = format!(
        "conformance: {}: {} cases in {:.1} s",
        topic.name,
        topic.cases.len(),
        took.as_secs_f32()
    );
    for case in skipped {
        write!(text, "\n  not in full: {case}").expect("text takes text");
    }
    for what in wrong {
        write!(text, "\n  WRONG: {what}").expect("text takes text");
    }
    let _told = writeln!(std::io::stderr(), "{text}");
}

/// What the detection of a row has to say.
struct Expected {
    case: &'static Case,
    row: Row,
    profile: String,
    folder: String,
    path: String,
}

/// Does what a case says, and returns the errno.
fn row(
    topic: &Topic,
    case: &'static Case,
    row: Row,
    wrong: &mut Vec<String>,
    expected: &mut Vec<Expected>,
) -> i32 {
    let folder = folder(topic, case, row);
    let mut site = Site::new(&folder, case.setup);
    let before = site.tree();
    let profile = profile(topic, case, row);
    let command = command(&site, case, &profile, row);
    let (errno, said) = status(&command);
    let closed = row == Row::Granted && case.is_closed_on(series());
    let passes = !row.is_refused(case) && !closed;
    let want = match (passes, closed) {
        (true, _) => case.passes,
        (false, true) => EACCES,
        (false, false) => case.denied,
    };
    let name = format!("{}: {}", case.name, row.name());
    if errno != want {
        wrong.push(format!("{name}: errno {errno}, not {want} {said}"));
    }
    let changes = case.changes_before || passes && case.changes;
    let limit = if changes {
        SHOWS_WITHIN
    } else {
        Duration::ZERO
    };
    let differs = wait_for(limit, || (site.tree() != before).then_some(())).is_some();
    if differs != changes && errno == want {
        wrong.push(format!(
            "{name}: {}\nbefore {before:#?}\nafter {:#?}",
            if differs {
                "has changed"
            } else {
                "has not changed anything"
            },
            site.tree()
        ));
    }
    expected.push(Expected {
        case,
        row,
        profile,
        path: absolute(&site.fill(case.path), &folder),
        folder,
    });
    errno
}

/// The command of a row, word by word.
fn command(site: &Site, case: &Case, profile: &str, row: Row) -> Vec<String> {
    let attempt = program("attempt").to_str().expect("text").to_owned();
    let mut words = Vec::new();
    if !case.before.is_empty() {
        words.push(attempt.clone());
        words.extend(case.before.iter().map(|word| site.fill(word)));
    }
    if row != Row::Outsider {
        let enter = ["enforcer", "exec", "--profile", profile, "--"];
        words.extend(enter.map(str::to_owned));
    }
    words.push(attempt);
    words.extend(case.attempt.iter().map(|word| site.fill(word)));
    words
}

/// Runs a command, and returns its exit status and what it complained about.
fn status(words: &[String]) -> (i32, String) {
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run a program");
    let ended = ended(&mut child);
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    let _as_far_as_it_goes = stderr.read_to_string(&mut said);
    (ended, said.trim().to_owned())
}

fn ended(child: &mut Child) -> i32 {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            // A signal is no errno.
            return status.code().unwrap_or(-1);
        }
        if start.elapsed() > PATIENCE {
            let _gone = child.kill();
            let _status = child.wait();
            return -2;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn folder(topic: &Topic, case: &Case, row: Row) -> String {
    let case = case.folder();
    format!("{}/{}/{case}/{}", site::ROOT, topic.name, row.name())
}

/// The path that a case means by `name`.
fn absolute(name: &str, folder: &str) -> String {
    if name.is_empty() || name.starts_with('/') {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The index of the first case that shares a profile with this one. A privilege
/// has no path to tell cases apart by, so each has its own.
fn group(topic: &Topic, case: &Case) -> usize {
    let shared = |one: &Case| {
        one.name == case.name
            || one.privilege.is_none()
                && case.privilege.is_none()
                && one.privileges == case.privileges
    };
    topic.cases.iter().position(shared).expect("it is one")
}

fn profile(topic: &Topic, case: &Case, row: Row) -> String {
    format!("{}-{}-{}", row.name(), topic.name, group(topic, case))
}

/// The profiles of all rows, by name and text.
fn profiles(topic: &Topic) -> Vec<(String, String)> {
    let mut profiles: Vec<(String, String)> = Vec::new();
    for case in topic.cases {
        for row in Row::CONFINED {
            let name = profile(topic, case, row);
            if !profiles.iter().any(|(known, _text)| *known == name) {
                profiles.push((name.clone(), header(topic, case, row)));
            }
            let (_name, text) = profiles
                .iter_mut()
                .find(|(known, _text)| *known == name)
                .expect("it is there");
            let folder = folder(topic, case, row);
            let more = if row == Row::Granted {
                case.grants
            } else {
                &[]
            };
            for (path, rights) in case.needs.iter().chain(more) {
                let path = absolute(&path.replace("{dir}", &folder), &folder);
                *text += &rule(&path, rights);
            }
        }
    }
    profiles
}

fn header(topic: &Topic, case: &Case, row: Row) -> String {
    let mode = if row == Row::Audited {
        "audit"
    } else {
        "enforce"
    };
    let mut privileges = case.privileges.to_vec();
    if row == Row::Granted {
        privileges.extend(case.privilege);
    }
    // What is reached by networks is in `network.rs`; some privileges take a socket.
    let mut text = format!(
        "mode: {mode}\nmetadata: {}\nprivileges: [{}]\n\
         network: [{{ allow: [create, bind] }}, {{ family: [packet, x25], allow: [create] }}]\n\
         on_violation: {{ tighten: off }}\npaths:{BASE_RULES}",
        topic.metadata,
        privileges.join(", ")
    );
    for (path, rights) in topic.rules {
        text += &rule(path, rights);
    }
    text
}

/// Compares what was detected with what should be.
fn check(detections: &[Value], expected: &[Expected]) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in expected {
        let name = format!("{}: {}", one.case.name, one.row.name());
        let own: Vec<&Value> = detections
            .iter()
            .filter(|detection| one.is_about(detection))
            .collect();
        let asked = one.case.is_mediated();
        let refused = one.row.is_refused(one.case);
        if one.row == Row::Granted && one.case.is_closed_on(series()) {
            continue;
        }
        let silent = matches!(one.row, Row::Granted | Row::Outsider) && !refused;
        if !asked || silent {
            for detection in own {
                wrong.push(format!("{name}: a detection: {}", short(detection)));
            }
            continue;
        }
        let (right, other): (Vec<&Value>, Vec<&Value>) = own
            .into_iter()
            .partition(|detection| one.is_right(detection));
        let other: Vec<String> = other
            .into_iter()
            .filter(|detection| refused && !one.is_besides(detection))
            .map(short)
            .collect();
        if right.is_empty() {
            wrong.push(format!("{name}: not detected as {}", one.describe()));
        }
        for detection in other {
            wrong.push(format!("{name}: another detection: {detection}"));
        }
    }
    wrong
}

fn short(detection: &Value) -> String {
    let fields = [
        "profile",
        "operation",
        "privilege",
        "path",
        "requested",
        "missing",
        "reason",
        "verdict",
    ];
    fields
        .map(|field| format!("{field} {}", detection[field]))
        .join(", ")
}

impl Expected {
    /// Whether a detection comes from this row: it has the row's own profile, or
    /// is about something in the row's folder, or about what only this row does.
    fn is_about(&self, detection: &Value) -> bool {
        let path = detection["path"].as_str().unwrap_or_default();
        let within = path
            .strip_prefix(&self.folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if self.row == Row::Outsider {
            return within;
        }
        let by_this = detection["profile"] == self.profile.as_str();
        let only = self.case.privilege.is_some();
        let elsewhere = self.case.is_mediated() && self.is_path(path);
        by_this && (only || within || elsewhere)
    }

    fn is_path(&self, path: &str) -> bool {
        match self.path.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == self.path,
        }
    }

    fn is_right(&self, detection: &Value) -> bool {
        let case = self.case;
        let path = detection["path"].as_str().unwrap_or_default();
        detection["operation"].as_str() == case.operation
            && detection["privilege"].as_str() == case.privilege
            && detection["missing"] == json!(case.missing)
            && (case.privilege.is_some() || self.is_path(path))
            && detection["reason"] == case.reason
            && detection["verdict"]
                == if self.row == Row::Audited {
                    "audited"
                } else {
                    "denied"
                }
            && detection["profile"] == self.profile.as_str()
    }

    fn is_besides(&self, detection: &Value) -> bool {
        let privilege = detection["privilege"].as_str();
        privilege.is_some_and(|name| self.case.besides.contains(&name))
    }

    fn describe(&self) -> String {
        let Case {
            operation,
            privilege,
            missing,
            reason,
            ..
        } = self.case;
        format!(
            "{operation:?} of {} without {missing:?} {privilege:?}: {reason}",
            self.path
        )
    }
}
