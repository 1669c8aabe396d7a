//! Releasing who is contained.

use super::{AccessError, Kernel, failed};

impl Kernel {
    /// Releases whom these violations contained until `now_ns`, nanoseconds of
    /// `CLOCK_BOOTTIME`, and what they started: [`enforcer_abi::ViolationKey::number`].
    ///
    /// # Errors
    ///
    /// If the kernel refuses; some of them may be released then.
    pub fn release(&mut self, violations: &[u64], now_ns: u64) -> Result<(), AccessError> {
        let until_ns = now_ns.saturating_sub(self.behind_ns());
        for violation in violations {
            self.released
                .insert(violation, until_ns, 0)
                .map_err(failed("write", "RELEASED"))?;
        }
        // Only now: who looks finds all of them.
        self.change_subjects(|subjects| subjects.releases = subjects.releases.wrapping_add(1))
    }
}
