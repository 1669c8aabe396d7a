//! Whom the kernel contained, and who is released.

use super::{Agent, clock, log};
use crate::{
    detection::{Detection, DetectionId},
    protocol::{Failure, FailureKind},
};

impl Agent {
    /// Releases whom a detection contained, and what they started. Returns the detection.
    pub(super) fn release(&mut self, id: DetectionId) -> Result<Detection, Failure> {
        self.catch_up();
        self.detection(id)?;
        let violations: Vec<_> = self.detector.containing(id).collect();
        if violations.is_empty() {
            return Err(Failure::new(
                FailureKind::Conflict,
                format!(
                    "{id} contained nobody since the agent was started; `enforcer detections show {id}` tells what it did"
                ),
            ));
        }
        self.kernel
            .release(&violations, clock::boot_time_ns())
            .map_err(|error| Failure::internal(&error))?;
        self.store.release(id)?;
        log::released(id);
        self.detection(id)
    }
}
