//! What is other before Linux 5.12: the programs are those of an object of their
//! own, which uses nothing younger than 5.7.

use rustix::{
    process::{Resource, Rlimit, setrlimit},
    time::{ClockId, Timespec, clock_gettime},
};

use super::series::Series;

/// The first kernel for which the ordinary object is.
pub(super) const END: Series = Series(5, 12);

/// Lets this process have as much memory for maps as it needs: before 5.11 the
/// kernel counts it against a limit that is next to nothing.
///
/// Where that is refused, loading fails, and says for what.
pub(super) fn lift_memory_limit() {
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    let _refused = setrlimit(Resource::Memlock, unlimited);
}

/// By how much `CLOCK_BOOTTIME` is ahead of `CLOCK_MONOTONIC`, which is the only
/// clock that the programs have there, in nanoseconds: how long the machine slept.
pub(super) fn slept_ns() -> u64 {
    let ns = |Timespec { tv_sec, tv_nsec }: Timespec| {
        i128::from(tv_sec) * 1_000_000_000 + i128::from(tv_nsec)
    };
    // The monotonic clock first, so that it is never ahead.
    let monotonic = ns(clock_gettime(ClockId::Monotonic));
    let ahead = ns(clock_gettime(ClockId::Boottime)).saturating_sub(monotonic);
    u64::try_from(ahead).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::slept_ns;

    #[test]
    fn a_clock_that_counts_sleep_is_not_behind() {
        let first = slept_ns();
        let second = slept_ns();
        // Nobody sleeps for an hour between two lines.
        assert!(first.abs_diff(second) < 3_600_000_000_000);
    }
}
