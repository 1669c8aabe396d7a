//! A profile, an agent that only notes what it is asked for, and decisions.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::bail;
use enforcer_abi::Access;
use jiff::Timestamp;

use super::{
    Outcome,
    agent::{Agent, Tighten},
    desk::{Desk, Known},
    dialogue::Dialogue,
    scripted::{Decisions, Report},
};
use crate::{
    detection::{Detection, DetectionId, State, TighteningId, Who, sample},
    draft::Root,
    profile::Removal,
    protocol::views::{Plan, Reloaded},
    tighten::{Overlay, OverlayState},
};

mod dialogue;
mod scripted;

/// A profile as its author formats it.
const PROFILE: &str = "\
name: nginx
mode:   enforce    # as it was written
paths:
    - {path: /srv/www/**, allow: [ read]}
    - {path: /srv/secret/**, deny: [all], reason: never}
";

/// A folder of profiles, and a root with files.
struct Scene {
    dir: tempfile::TempDir,
    /// What the agent knows.
    detections: Vec<Detection>,
    proposals: Vec<Plan>,
}

/// An agent that notes what it is asked for.
#[derive(Default)]
struct Fake {
    asked: Vec<String>,
    /// Whether it loads nothing.
    refuses: bool,
    /// A file that somebody changes before anything is written to it.
    rival: Option<PathBuf>,
}

impl Agent for Fake {
    fn settle(&mut self, ids: &[DetectionId], state: State) -> anyhow::Result<()> {
        if let Some(rival) = self.rival.take() {
            fs::write(rival, "name: nginx\nmode: audit\n").unwrap();
        }
        let ids: Vec<String> = ids.iter().map(DetectionId::to_string).collect();
        self.asked
            .push(format!("{} {}", state.name(), ids.join(" ")));
        Ok(())
    }

    fn tighten(&mut self, id: TighteningId, how: Tighten) -> anyhow::Result<Vec<Overlay>> {
        self.asked.push(format!("{how:?} {id}"));
        Ok(Vec::new())
    }

    fn reload(&mut self) -> anyhow::Result<Reloaded> {
        self.load("", Path::new("folder"))
    }

    fn load(&mut self, _: &str, file: &Path) -> anyhow::Result<Reloaded> {
        if self.refuses {
            bail!("other.yaml:1:1: it has an error");
        }
        let name = file.file_name().unwrap().to_str().unwrap();
        self.asked.push(format!("load {name}"));
        Ok(Reloaded {
            loaded: Vec::new(),
            removed: Vec::new(),
            stuck: Vec::new(),
        })
    }
}

impl Scene {
    /// With these detections of `nginx`: name, lineage, operation, right, object.
    fn new(detections: &[(i64, u64, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("profiles/abstractions")).unwrap();
        fs::create_dir_all(dir.path().join("root/srv/d")).unwrap();
        for number in 0..12 {
            fs::write(dir.path().join(format!("root/srv/d/{number:02}")), "").unwrap();
        }
        fs::write(dir.path().join("profiles/nginx.yaml"), PROFILE).unwrap();
        let detections = detections.iter();
        let detections = detections.map(|&(id, lineage, words)| detection(id, lineage, words));
        Self {
            detections: detections.collect(),
            proposals: Vec::new(),
            dir,
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("profiles/nginx.yaml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Lines of the profile that were not there.
    fn added(&self) -> Vec<String> {
        let text = self.text();
        let kept = PROFILE
            .lines()
            .all(|own| text.lines().any(|line| line == own));
        assert!(kept, "{text}");
        let new = text.lines().filter(|line| !PROFILE.contains(line));
        // The day is another each time.
        let new = new.map(|line| match line.split_once(" on 20") {
            Some((before, after)) => format!("{before}{}", after.get(8..).unwrap()),
            None => line.to_owned(),
        });
        new.map(|line| line.trim().to_owned()).collect()
    }

    fn known(&self) -> Known {
        let overlay = |plan: &Plan| Overlay {
            id: plan.id.unwrap(),
            profile: plan.profile.clone(),
            created: Timestamp::UNIX_EPOCH,
            state: OverlayState::Proposed,
            trial: plan.trial,
            since: None,
            detections: plan.detections.clone(),
            removals: plan.removals.clone(),
            reason: "not used for 30 days".to_owned(),
        };
        Known {
            detections: self.detections.clone(),
            tightenings: self.proposals.iter().map(overlay).collect(),
            proposals: self.proposals.clone(),
            files: [("nginx".to_owned(), self.file())].into(),
            folder: self.dir.path().join("profiles"),
        }
    }

    fn root(&self) -> Root {
        Root::at(&self.dir.path().join("root")).unwrap()
    }

    /// What is said and done when these lines are typed.
    fn typed(&self, lines: &str, agent: &mut Fake) -> (String, Outcome) {
        let root = self.root();
        let mut desk = Desk::new(self.known(), None, &root);
        let mut said = Vec::new();
        let outcome = Dialogue::new(lines.as_bytes(), &mut said).run(&mut desk, agent);
        (String::from_utf8(said).unwrap(), outcome.unwrap())
    }

    fn decided(&self, decisions: &Decisions, agent: &mut Fake) -> Report {
        let root = self.root();
        decisions.carry_out(&mut Desk::new(self.known(), None, &root), agent)
    }
}

fn detection(id: i64, lineage: u64, words: &str) -> Detection {
    let mut words = words.split(' ');
    let mut next = || words.next().unwrap();
    let operation = next().to_owned();
    let right = next();
    let of_right = Access::from_name(right).unwrap_or_default();
    Detection {
        id: DetectionId(id),
        lineage,
        privilege: (operation == "privilege").then(|| right.to_owned()),
        path: words.next().unwrap_or_default().as_bytes().to_vec(),
        operation,
        requested: of_right,
        missing: of_right,
        first_seen: Timestamp::from_second(id).unwrap(),
        who: Who {
            exe: Some(b"/usr/sbin/nginx".to_vec()),
            ..Who::default()
        },
        ..sample::detection()
    }
}

fn plan(id: i64) -> Plan {
    Plan {
        id: Some(TighteningId(id)),
        profile: "nginx".to_owned(),
        detections: vec![DetectionId(1)],
        removals: vec![Removal {
            pattern: "/srv/www/**".to_owned(),
            access: Access::READ,
            except: Vec::new(),
        }],
        trial: None,
        in_use: Vec::new(),
        lost: Vec::new(),
        lost_count: 0,
    }
}
