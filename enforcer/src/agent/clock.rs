//! The kernel's clock and the wall's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// Turns the kernel's times into times of day.
///
/// Made for each batch of events: the wall clock may be set in between.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The time of day at which the machine's boot clock was 0.
    boot: Timestamp,
}

impl Clock {
    /// Reads both clocks.
    pub fn now() -> Self {
        Self::at(boot_time(), Timestamp::now())
    }

    fn at(since_boot: Duration, now: Timestamp) -> Self {
        let since_boot = SignedDuration::try_from(since_boot).unwrap_or(SignedDuration::ZERO);
        Self {
            boot: now.saturating_sub(since_boot).unwrap_or(now),
        }
    }

    /// Returns the time of day at `time_ns` nanoseconds of `CLOCK_BOOTTIME`.
    pub fn time(&self, time_ns: u64) -> Timestamp {
        let since_boot =
            SignedDuration::try_from(Duration::from_nanos(time_ns)).unwrap_or(SignedDuration::ZERO);
        self.boot.saturating_add(since_boot).unwrap_or(self.boot)
    }
}

/// Returns nanoseconds of `CLOCK_BOOTTIME`, as the kernel programs have them.
pub fn boot_time_ns() -> u64 {
    u64::try_from(boot_time().as_nanos()).unwrap_or(u64::MAX)
}

/// Returns how long the machine has been up, sleep included.
fn boot_time() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Returns when a clock was 0, in seconds since 1970, UTC, and no earlier.
pub fn booted(clock: ClockId) -> u32 {
    // The clock first, so that it is not ahead.
    let time = clock_gettime(clock);
    let now = Timestamp::now().as_nanosecond();
    let since = i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
    let seconds = (now - since + 999_999_999).div_euclid(1_000_000_000);
    u32::try_from(seconds).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::Clock;

    #[test]
    fn times_of_day() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let clock = Clock::at(Duration::from_secs(100), now);
        #[rustfmt::skip]
        let cases = [
            ("now",        100_000_000_000, 1_700_000_000_000_000_000),
            ("at boot",    0,               1_699_999_900_000_000_000),
            ("in between", 40_000_000_001,  1_699_999_940_000_000_001),
        ];
        for (name, time_ns, want) in cases {
            assert_eq!(clock.time(time_ns).as_nanosecond(), want, "{name}");
        }
    }
}
