//! What is proposed to go, and what would be.

use std::collections::BTreeMap;

use super::{Agent, TightenError, Usages};
use crate::{
    agent::answers::fit,
    detection::{DetectionId, base_name},
    history::Use,
    protocol::{Failure, line::LINE_LEN, views::Plan},
    tighten::{self, Overlay, OverlayState},
};

/// Objects at most that a plan names as those that would be lost.
const LISTED: usize = 32;
/// Bytes of them at most, as they are told. A process chooses their paths, and a byte of one
/// can take eight.
const LISTED_LEN: usize = LINE_LEN / 8;

impl Agent {
    /// Returns what would be taken away after one detection.
    pub(in crate::agent) fn plan_after(&self, id: DetectionId) -> Result<Vec<Plan>, Failure> {
        let detection = self
            .store
            .detection(id)?
            .ok_or(TightenError::NoDetection { id })?;
        let profile = base_name(&detection.profile);
        let planned = self.planned(&detection, &mut Usages::new())?;
        let unproposed = self.overlays.unproposed(profile, &planned);
        let mut plans = Vec::new();
        for id in unproposed.joined {
            plans.push(self.proposal(&self.tightening(id)?)?);
        }
        if !unproposed.fresh.is_empty() {
            plans.push(Plan {
                id: None,
                profile: profile.to_owned(),
                detections: vec![id],
                removals: unproposed.fresh,
                trial: None,
                in_use: Vec::new(),
                lost: Vec::new(),
                lost_count: 0,
            });
        }
        Ok(plans)
    }

    /// Returns all proposals, and what would be proposed after the detections
    /// that have none.
    pub(in crate::agent) fn plan_all(&self) -> Result<Vec<Plan>, Failure> {
        let mut plans = Vec::new();
        for overlay in self.overlays.iter() {
            if matches!(
                overlay.state,
                OverlayState::Proposed | OverlayState::OnTrial
            ) {
                plans.push(self.proposal(overlay)?);
            }
        }
        let mut fresh: BTreeMap<String, Plan> = BTreeMap::new();
        let mut usages = Usages::new();
        for detection in self.last_detections()? {
            let profile = base_name(&detection.profile).to_owned();
            let planned = self.planned(&detection, &mut usages)?;
            let unproposed = self.overlays.unproposed(&profile, &planned).fresh;
            let known = fresh.get(&profile).map_or(&[][..], |plan| &plan.removals);
            let removals = tighten::beyond(&unproposed, known);
            if removals.is_empty() {
                continue;
            }
            let plan = fresh.entry(profile.clone()).or_insert_with(|| Plan {
                id: None,
                profile,
                detections: Vec::new(),
                removals: Vec::new(),
                trial: None,
                in_use: Vec::new(),
                lost: Vec::new(),
                lost_count: 0,
            });
            plan.detections.push(detection.id);
            plan.removals.extend(removals);
        }
        plans.extend(fresh.into_values());
        Ok(plans)
    }

    fn proposal(&self, overlay: &Overlay) -> Result<Plan, Failure> {
        let lost = match self.lost(overlay) {
            // Of what is not loaded nothing is lost now.
            Err(TightenError::NotLoaded { .. }) => Vec::new(),
            lost => lost?,
        };
        let lost_count = lost.len();
        Ok(Plan {
            id: Some(overlay.id),
            profile: overlay.profile.clone(),
            detections: overlay.detections.clone(),
            removals: overlay.removals.clone(),
            trial: (overlay.state == OverlayState::OnTrial)
                .then_some(overlay.trial)
                .flatten(),
            in_use: self.counted(overlay)?,
            lost: listed(lost)?,
            lost_count,
        })
    }
}

/// Returns those of the objects that would be lost that a plan names: the first.
fn listed(lost: Vec<Use>) -> Result<Vec<Use>, Failure> {
    let mut listed = lost;
    listed.truncate(LISTED);
    listed.truncate(fit(&listed, LISTED_LEN)?);
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use enforcer_abi::{Access, Operation, limits::PATH_LEN};
    use jiff::Timestamp;

    use super::{LISTED, LISTED_LEN, Use, listed};
    use crate::protocol::line;

    fn used(path: Vec<u8>) -> Use {
        Use {
            profile: "p".repeat(64),
            program: path.clone(),
            build: Some("ab".repeat(32)),
            lineage: u64::MAX,
            path,
            operations: Operation::ALL.iter().copied().collect(),
            access: Access::ALL,
            is_granted: true,
            first: Timestamp::MAX,
            last: Timestamp::MAX,
            told: u64::MAX,
        }
    }

    #[test]
    fn a_plan_names_the_first_that_are_lost() {
        for (name, count, want) in [("all", LISTED, LISTED), ("more", LISTED + 1, LISTED)] {
            let lost = vec![used(b"/srv/a".to_vec()); count];
            assert_eq!(listed(lost).unwrap().len(), want, "{name}");
        }
    }

    /// Whatever paths a process chooses, some are named, and there is room for the rest.
    #[test]
    fn a_plan_has_room_for_the_longest_paths() {
        let mut worst = vec![1; PATH_LEN];
        worst[0] = 0xff;
        let control = vec![1; PATH_LEN];
        for (name, path) in [("no text", worst), ("control characters", control)] {
            let named = listed(vec![used(path); LISTED]).unwrap();
            assert!(!named.is_empty(), "{name}");
            let len = line::of(&named).unwrap().len();
            assert!(len <= LISTED_LEN, "{name}: {len}");
        }
    }
}
