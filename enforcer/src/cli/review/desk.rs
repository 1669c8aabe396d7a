//! What is to be decided, and what was decided so far.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

use crate::{
    cli::client,
    detection::{Detection, DetectionId, TighteningId},
    learn::{Evidence, Existing, found},
    profile::{ABSTRACTIONS, Escaped},
    protocol::{
        Request,
        views::{Plan, RuleView},
    },
    review::{Draft, Item, Lineages, Offer, Standing, comment, items, seen, standing},
    tighten::Overlay,
};

/// What the agent knows.
#[derive(Debug)]
pub(super) struct Known {
    /// All detections.
    pub(super) detections: Vec<Detection>,
    /// Proposals of tightenings, and those on trial.
    pub(super) proposals: Vec<Plan>,
    /// All tightenings.
    pub(super) tightenings: Vec<Overlay>,
    /// The files of the profiles that are loaded, by name.
    pub(super) files: BTreeMap<String, PathBuf>,
    /// Its folder of profiles.
    pub(super) folder: PathBuf,
}

impl Known {
    /// Asks the agent.
    ///
    /// # Errors
    ///
    /// If it does not tell.
    pub(super) fn ask(socket: &Path) -> Result<Self, client::CallError> {
        let status = client::status(socket)?;
        let proposals: Vec<Plan> = client::list(socket, &Request::TightenPlan { detection: None })?;
        let loaded = status.profiles.into_iter().filter(|one| !one.removed);
        Ok(Self {
            detections: client::detections(socket, DetectionId(0), None)?,
            proposals: proposals
                .into_iter()
                .filter(|one| one.id.is_some())
                .collect(),
            tightenings: client::list(socket, &Request::TightenList)?,
            files: loaded.map(|one| (one.name, one.source.into())).collect(),
            folder: status.agent.profiles.into(),
        })
    }
}

/// What is to be decided, and what was decided so far.
pub(super) struct Desk<'a> {
    known: Known,
    items: Vec<Item>,
    /// How many items are left out: what was only learned under profiles that are gone.
    left_out: usize,
    existing: &'a dyn Existing,
    lineages: Lineages,
    sheets: BTreeMap<String, Result<Sheet, String>>,
    /// What is known of programs, by profile.
    evidence: HashMap<(String, Vec<u8>), Rc<Evidence>>,
}

/// A profile that is decided about.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) draft: Draft,
    /// Detections that are settled once it is loaded.
    pub(super) granted: Vec<DetectionId>,
    /// Whether the file is one of the agent's folder.
    pub(super) is_in_folder: bool,
}

/// How things stand with an item.
pub(super) struct Position {
    /// What can be decided. `Err`: there is no profile to write to, and why.
    pub(super) standing: Result<Standing, String>,
    /// What else was refused to its processes.
    pub(super) others: BTreeSet<DetectionId>,
    /// The rules that come nearest to granting it.
    pub(super) nearest: Vec<RuleView>,
}

impl<'a> Desk<'a> {
    /// With what is open; only what is about a profile, if one is named.
    pub(super) fn new(known: Known, profile: Option<&str>, existing: &'a dyn Existing) -> Self {
        let is_meant = |name: &str| profile.is_none_or(|wanted| wanted == name);
        let mut known = known;
        known.proposals.retain(|plan| is_meant(&plan.profile));
        let mut items = items(&known.detections);
        items.retain(|item| is_meant(item.profile()));
        let all = items.len();
        items.retain(|item| {
            known.files.contains_key(item.profile()) || item.detections().any(Detection::is_refused)
        });
        Self {
            left_out: all - items.len(),
            items,
            lineages: Lineages::of(&known.detections),
            known,
            existing,
            sheets: BTreeMap::new(),
            evidence: HashMap::new(),
        }
    }

    /// What was refused, one question each.
    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The proposals of tightenings.
    pub(super) fn proposals(&self) -> &[Plan] {
        &self.known.proposals
    }

    /// Why a tightening was proposed.
    pub(super) fn reason(&self, id: TighteningId) -> Option<&str> {
        let mut tightenings = self.known.tightenings.iter();
        let one = tightenings.find(|one| one.id == id)?;
        Some(&one.reason)
    }

    /// How many items are left out: what was only learned under profiles that are gone.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// The detection with this name, be it open or not.
    pub(super) fn detection(&self, id: DetectionId) -> Option<&Detection> {
        self.known.detections.iter().find(|one| one.id == id)
    }

    /// The file of a profile, if it is loaded.
    pub(super) fn file(&self, profile: &str) -> Option<&Path> {
        self.known.files.get(profile).map(PathBuf::as_path)
    }

    /// The profiles that something was decided about, by name.
    pub(super) fn sheets(&self) -> impl Iterator<Item = (&str, &Sheet)> {
        let sheets = self.sheets.iter();
        sheets.filter_map(|(name, sheet)| Some((name.as_str(), sheet.as_ref().ok()?)))
    }

    /// Says how things stand with an item.
    pub(super) fn position(&mut self, item: &Item) -> Position {
        let others = self.lineages.others(item);
        let evidence = self.evidence(item);
        let existing = self.existing;
        let sheet = match self.sheet(item.profile()) {
            Ok(sheet) => sheet,
            Err(error) => {
                return Position {
                    standing: Err(error),
                    others,
                    nearest: Vec::new(),
                };
            }
        };
        let draft = &sheet.draft;
        let detection = item.first();
        let nearest = if detection.privilege.is_some() || detection.path.is_empty() {
            Vec::new()
        } else {
            let rules = draft.policy().explained(detection).nearest;
            rules.into_iter().map(RuleView::new).collect()
        };
        Position {
            standing: Ok(standing(item, draft, &evidence, existing)),
            others,
            nearest,
        }
    }

    /// Allows an item.
    ///
    /// # Errors
    ///
    /// If there is no such profile; nothing is allowed then.
    pub(super) fn allow(&mut self, item: &Item, offer: &Offer, reason: &str) -> anyhow::Result<()> {
        let sheet = self.sheet(item.profile()).map_err(|error| anyhow!(error))?;
        let comment = comment(Timestamp::now(), item.first().id, reason);
        sheet.draft.accept(offer.addition.clone(), comment)?;
        sheet.granted.extend(item.ids());
        self.settled(item);
        Ok(())
    }

    /// Takes in that nobody needs to decide of an item, since its profile grants it. Returns
    /// whether that is so only once the profile is written.
    pub(super) fn take_as_granted(&mut self, item: &Item) -> bool {
        self.settled(item);
        match self.sheet(item.profile()) {
            Ok(sheet) if sheet.draft.is_changed() => {
                sheet.granted.extend(item.ids());
                true
            }
            _ => false,
        }
    }

    /// Takes in that an item is settled: it makes nobody suspect any more.
    pub(super) fn settled(&mut self, item: &Item) {
        self.lineages.settle(item.ids());
    }

    /// What was seen of the program of an item, looked up once for all of its items.
    fn evidence(&mut self, item: &Item) -> Rc<Evidence> {
        let of = || {
            let seen = seen(item, &self.known.detections, &found);
            Rc::new(Evidence::of(&seen, self.existing))
        };
        match item.origin() {
            Some((profile, program)) => {
                let key = (profile.to_owned(), program.to_owned());
                Rc::clone(self.evidence.entry(key).or_insert_with(of))
            }
            None => of(),
        }
    }

    /// The profile with this name, from its file.
    fn sheet(&mut self, profile: &str) -> Result<&mut Sheet, String> {
        let sheet = match self.sheets.entry(profile.to_owned()) {
            Entry::Occupied(sheet) => sheet.into_mut(),
            Entry::Vacant(place) => {
                let sheet = sheet(&self.known, profile);
                place.insert(sheet.map_err(|error| format!("{error:#}")))
            }
        };
        sheet.as_mut().map_err(|error| error.clone())
    }
}

/// Reads a profile's file.
fn sheet(known: &Known, profile: &str) -> anyhow::Result<Sheet> {
    let file = known.files.get(profile).with_context(|| {
        format!("the profile {profile} is not loaded, so there is no file to write to")
    })?;
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the profile's file {}", Escaped::path(file)))?;
    let abstractions = known.folder.join(ABSTRACTIONS);
    let draft = Draft::new(text, file.clone(), abstractions, &known.tightenings)?;
    Ok(Sheet {
        draft,
        granted: Vec::new(),
        is_in_folder: file.parent() == Some(&known.folder),
    })
}
