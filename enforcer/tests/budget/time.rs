//! What something takes of the processor's time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How much longer a build takes that is not optimised.
pub(crate) const UNOPTIMISED: u32 = if cfg!(debug_assertions) { 10 } else { 1 };

/// Does something, and tells what of the processor's time that took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let start = now();
    let done = work();
    (done, now().saturating_sub(start))
}
