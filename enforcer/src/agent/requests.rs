//! What the agent answers.

use std::{collections::BTreeMap, mem, path::Path, time::Duration};

use enforcer_abi::{Adopted, Counter, Privilege, Reason};
use jiff::Timestamp;

use super::{
    Agent,
    answers::{fitting, line_of, list, ok, parts},
    loaded::{ChangeError, Instance},
    log,
    server::{Answer, Ask, failure_line},
};
use crate::{
    detection::{Detection, DetectionId},
    kernel::AccessError,
    profile::{ABSTRACTIONS, Owner, Profile, ProfileMode, Rule, explain, object_name},
    protocol::{
        Failure, FailureKind, ProfileChoice, Request, TightenTarget,
        status::{AgentStatus, DetectionTotals, KernelStatus, ProfileStatus, Status},
        views::{Explained, Judged, LogEntry, Page, RuleView},
    },
    store::{Change, StoreError},
    tighten::OverlayState,
};

/// Detections of a page at most; the length of a line may allow fewer.
const PAGE: u32 = 500;
/// What happened just now: so long ago at most.
const RECENT: Duration = Duration::from_secs(2);

impl Agent {
    /// Answers one request.
    pub(super) fn reply(&mut self, ask: Ask) {
        let Ask {
            request,
            process,
            answer,
        } = ask;
        let reply = self.handle(request, process).unwrap_or_else(failure_line);
        // A client that is gone needs no answer.
        let _sent = answer.send(reply);
    }

    fn handle(&mut self, request: Request, process: Option<Adopted>) -> Result<Answer, Failure> {
        match request {
            Request::Status => {
                self.catch_up();
                let status = self.status().map_err(|error| Failure::internal(&error))?;
                in_lines(status)
            }
            Request::Detections { after, profile } => {
                self.catch_up();
                ok(&self.page(after, profile.as_deref())?)
            }
            Request::Detection { id } => {
                self.catch_up();
                ok(&self.detection(id)?)
            }
            Request::Recent { profile } => {
                self.catch_up();
                let since = Timestamp::now() - RECENT;
                let found = self.store.recent_detections(&profile, since, PAGE)?;
                ok(&first_page(found)?)
            }
            Request::History { after, profile } => {
                self.catch_up();
                ok(&self.history(after, profile.as_deref())?)
            }
            Request::Follow { profile } => Ok(Answer::Follow(self.followers.subscribe(), profile)),
            Request::Explain { detection } => {
                self.catch_up();
                ok(&self.explained(detection)?)
            }
            Request::Watch { text, file } => self.watch(&text, Path::new(&file)),
            Request::Enrol { profile, mode } => ok(&self.enrol(profile, mode, process)?),
            Request::Adopt { profile, mode, pid } => ok(&self.adopt(profile, mode, pid)?),
            Request::Settle { detections, state } => ok(&self.settle(detections, state)?),
            Request::Reload => ok(&self.load_folder()?),
            Request::Load { text, file } => ok(&self.load_file(&text, Path::new(&file))?),
            Request::Release { detection } => ok(&self.release(detection)?),
            Request::Permit {
                profile,
                seconds,
                reason,
                rules,
            } => ok(&self.permit(&profile, Duration::from_secs(seconds), reason, rules)?),
            Request::PermitEnd { id } => ok(&self.end_permit(id)?),
            Request::PermitList => list(&self.permits()),
            Request::TightenPlan {
                detection: Some(id),
            } => list(&self.plan_after(id)?),
            Request::TightenPlan { detection: None } => list(&self.plan_all()?),
            Request::TightenApply {
                target: TightenTarget::Tightening(id),
            } => ok(&[self.apply(id, "applied by command")?]),
            Request::TightenApply {
                target: TightenTarget::Detection(id),
            } => ok(&self.apply_after(id, "applied by command")?),
            Request::TightenTry { id } => ok(&[self.try_out(id, "on trial by command")?]),
            Request::TightenRevert { id } => ok(&[self.revert(id, "reverted by command")?]),
            Request::TightenDecline { id } => ok(&[self.decline(id, "declined by command")?]),
            Request::TightenLog => list(&self.log_entries()?),
            Request::TightenList => list(&self.overlays.iter().collect::<Vec<_>>()),
        }
    }

    fn status(&self) -> Result<Status, StatusError> {
        let numbers = self.kernel.counters()?;
        let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
        let reasons: BTreeMap<_, _> = Reason::ALL
            .into_iter()
            .map(|reason| (reason.name().to_owned(), number(reason as usize)))
            .filter(|&(_, count)| count > 0)
            .collect();
        let counters = Counter::NAMED
            .into_iter()
            .map(|(counter, name)| (name.to_owned(), number(counter as usize)))
            .collect();
        let mut profiles = Vec::new();
        for (name, instance) in self.registry.iter() {
            let base = &instance.written.name;
            let tightenings = self.overlays.of(base, OverlayState::Applied);
            profiles.push(ProfileStatus {
                name: name.to_owned(),
                source: shown(&instance.written.source),
                slot: instance.slot.0,
                mode: instance.mode(),
                removed: instance.removed,
                generation: instance.current.generation,
                digest: instance.current.compiled.digest(),
                words: instance.current.compiled.words.len(),
                rules: instance.current.effective.rules.len(),
                outcomes: instance.current.compiled.outcomes.len(),
                tightenings: tightenings.map(|overlay| overlay.id).collect(),
                hits: instance.hits(&self.kernel)?,
            });
        }
        let facts = self.kernel.facts();
        let totals = self.store.totals()?;
        Ok(Status {
            enforced: !facts.hooks.is_empty()
                && profiles
                    .iter()
                    .any(|profile| !profile.removed && profile.mode == ProfileMode::Enforce),
            agent: AgentStatus {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                profiles: shown(&self.options.profiles),
                uptime_seconds: self.started.elapsed().as_secs(),
            },
            kernel: KernelStatus {
                release: facts.kernel_release.clone(),
                lsm: facts.lsm.clone(),
                hooks: facts.hooks.iter().map(|&hook| hook.to_owned()).collect(),
                idle_hooks: self.kernel.idle_hooks().map(str::to_owned).collect(),
                gaps: facts.gaps.clone(),
            },
            profiles,
            permits: self.permits_in_force(),
            reasons,
            counters,
            detections: DetectionTotals {
                total: totals.total,
                open: totals.open,
                learned: totals.learned,
            },
        })
    }

    fn page(&self, after: DetectionId, profile: Option<&str>) -> Result<Page, Failure> {
        first_page(self.store.detections(after, profile, PAGE)?)
    }

    pub(super) fn detection(&self, id: DetectionId) -> Result<Detection, Failure> {
        self.store.detection(id)?.ok_or_else(|| {
            Failure::new(FailureKind::NotFound, format!("there is no detection {id}"))
        })
    }

    fn explained(&self, id: DetectionId) -> Result<Explained, Failure> {
        let detection = self.detection(id)?;
        let now = self
            .registry
            .get(&detection.profile)
            .and_then(|instance| judged(&detection, instance));
        let tightenings = detection.tightenings.iter();
        Ok(Explained {
            sentence: detection.sentence(),
            now,
            tightenings: tightenings
                .filter_map(|&id| self.overlays.get(id).cloned())
                .collect(),
            detection,
        })
    }

    /// Returns the instance that a client means, which is loaded then.
    pub(super) fn instance(
        &mut self,
        choice: ProfileChoice,
        mode: Option<ProfileMode>,
    ) -> Result<String, Failure> {
        let name = match choice {
            ProfileChoice::Loaded { name } => name,
            ProfileChoice::Text { text, file } => self.load_text(&text, Path::new(&file))?,
        };
        if self.registry.get(&name).is_none() {
            return Err(ChangeError::NotLoaded { name }.into());
        }
        let Some(mode) = mode else {
            return Ok(name);
        };
        let (instance, staged) = self.registry.stage_mode(&name, mode, &self.overlays)?;
        log::changed(&self.registry.commit(staged, &mut self.kernel)?);
        Ok(instance)
    }

    pub(super) fn parse(&self, text: &str, file: &Path) -> Result<Profile, Failure> {
        let abstractions = self.options.profiles.join(ABSTRACTIONS);
        Profile::parse(text, file, &abstractions)
            .map_err(|error| Failure::new(FailureKind::InvalidProfile, error.to_string()))
    }

    /// Loads a profile that a client has read, and returns its name.
    fn load_text(&mut self, text: &str, file: &Path) -> Result<String, Failure> {
        let profile = self.parse(text, file)?;
        let name = profile.name.clone();
        self.load_profile(profile)?;
        Ok(name)
    }

    fn log_entries(&self) -> Result<Vec<LogEntry>, Failure> {
        let changes = self.store.tightening_log()?;
        let entry = |change: Change| LogEntry {
            at: change.at.to_string(),
            tightening: change.tightening,
            profile: change.profile,
            state: change.state,
            cause: change.cause,
        };
        Ok(changes.into_iter().map(entry).collect())
    }

    /// Returns the last detections there are, the oldest first.
    pub(super) fn last_detections(&self) -> Result<Vec<Detection>, StoreError> {
        let last = self.store.last_detection()?;
        let after = DetectionId(last.0.saturating_sub(i64::from(PAGE)));
        self.store.detections(after, None, PAGE)
    }
}

/// Returns the status as an answer: what grows with the profiles and permits follows as lists.
fn in_lines(status: Status) -> Result<Answer, Failure> {
    let mut head = status;
    let profiles = mem::take(&mut head.profiles);
    let permits = mem::take(&mut head.permits);
    let mut lines = vec![line_of(&head)?];
    lines.extend(parts(&profiles)?);
    lines.extend(parts(&permits)?);
    Ok(Answer::Lines(lines))
}

/// Returns as many detections as a line holds.
fn first_page(found: Vec<Detection>) -> Result<Page, Failure> {
    let (detections, more) = fitting(found, PAGE)?;
    Ok(Page { detections, more })
}

/// Returns what an instance says now of what a detection is about.
fn judged(detection: &Detection, instance: &Instance) -> Option<Judged> {
    let version = &instance.current;
    let profile = &version.effective;
    if let Some(name) = &detection.privilege {
        let privilege = Privilege::from_name(name)?;
        return Some(Judged {
            granted: profile.privileges.contains(privilege),
            ..Judged::default()
        });
    }
    if detection.path.is_empty() {
        return None;
    }
    let requested = detection.requested;
    let name = object_name(&detection.path);
    // Who owned it is not told.
    let explanation = explain(profile, &version.compiled, requested, &name, Owner::Other);
    let views = |rules: &[&Rule]| rules.iter().map(|rule| RuleView::new(rule)).collect();
    Some(Judged {
        granted: explanation.missing.is_empty(),
        granting: views(&explanation.granting),
        denying: views(&explanation.denying),
        nearest: views(&explanation.nearest),
    })
}

/// A file or folder as who runs elsewhere finds it.
fn shown(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.display().to_string()
}

/// Why the status cannot be told.
#[derive(Debug, thiserror::Error)]
enum StatusError {
    /// The kernel does not tell.
    #[error(transparent)]
    Kernel(#[from] AccessError),
    /// The store does not tell.
    #[error(transparent)]
    Store(#[from] StoreError),
}
