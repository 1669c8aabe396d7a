//! When a rule ends by itself.

use std::{fmt, time::Duration};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::text;

/// When a rule ends: at a time, or for each process some time after it came under the
/// profile, whichever is first. The kernel does not grant by it from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ends {
    /// The time, in seconds since 1970, UTC. 0: never.
    pub until: u32,
    /// Seconds that a process has it. 0: for ever.
    pub within: u32,
}

impl Ends {
    /// It does not end.
    pub const NEVER: Self = Self {
        until: 0,
        within: 0,
    };

    /// Whether it ends at all.
    pub const fn is_never(self) -> bool {
        self.until == 0 && self.within == 0
    }

    /// Whether it has ended for everybody by `now`, in seconds since 1970, UTC.
    pub const fn has_ended(self, now: u32) -> bool {
        self.until != 0 && now >= self.until
    }
}

impl fmt::Display for Ends {
    /// As a profile says it: `until 2026-12-01T00:00:00Z, for 30s`; nothing for
    /// [`Ends::NEVER`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.until != 0 {
            let until = Timestamp::from_second(self.until.into()).map_err(|_error| fmt::Error)?;
            write!(f, "until {until}")?;
        }
        if self.within != 0 {
            let comma = if self.until == 0 { "" } else { ", " };
            write!(
                f,
                "{comma}for {}",
                text::time(Duration::from_secs(self.within.into()))
            )?;
        }
        Ok(())
    }
}

/// Now, in seconds since 1970, UTC.
pub fn now() -> u32 {
    seconds(Timestamp::now()).unwrap_or(0)
}

/// A time in seconds since 1970, if it is one that a table holds: up to the year 2106.
pub fn seconds(time: Timestamp) -> Option<u32> {
    u32::try_from(time.as_second()).ok()
}

/// Reads a time: `2026-12-01T09:30:00Z`, with another offset, or a day, which begins at
/// midnight, UTC.
pub(super) fn until(text: &str) -> Option<u32> {
    let time = match text.parse::<Date>() {
        Ok(day) if !text.contains('T') => TimeZone::UTC.to_timestamp(day.into()).ok()?,
        _ => text.parse().ok()?,
    };
    seconds(time).filter(|&seconds| seconds != 0)
}

/// Reads for how long: `90s`, `10m`, `2h`, `1h30m` or `30d`.
pub(super) fn within(text: &str) -> Option<u32> {
    let seconds = text::duration(text)?.as_secs();
    u32::try_from(seconds).ok().filter(|&seconds| seconds != 0)
}

#[cfg(test)]
mod tests {
    use super::{Ends, until, within};

    #[test]
    fn times() {
        #[rustfmt::skip]
        let cases = [
            ("2026-12-01T00:00:00Z",      Some(1_796_083_200)),
            ("2026-12-01T01:00:00+01:00", Some(1_796_083_200)),
            ("2026-12-01",                Some(1_796_083_200)),
            ("2026-12-01T00:00:00",       None),
            ("1969-12-31",                None),
            ("1970-01-01",                None),
            ("2106-02-07T06:28:15Z",      Some(u32::MAX)),
            ("2106-02-07T06:28:16Z",      None),
            ("tomorrow",                  None),
            ("",                          None),
        ];
        for (text, want) in cases {
            assert_eq!(until(text), want, "{text}");
        }
    }

    #[test]
    fn spans() {
        #[rustfmt::skip]
        let cases = [
            ("1h30m", Some(5400)),
            ("0s", None),
            ("999999999d", None),
        ];
        for (text, want) in cases {
            assert_eq!(within(text), want, "{text}");
        }
    }

    #[test]
    fn it_is_shown_as_it_is_written() {
        let ends = Ends {
            until: 1_796_083_200,
            within: 5400,
        };
        assert_eq!(ends.to_string(), "until 2026-12-01T00:00:00Z, for 1h 30m");
        assert_eq!(Ends::NEVER.to_string(), "");
        assert!(ends.has_ended(1_796_083_200));
        assert!(!ends.has_ended(1_796_083_199));
        assert!(!Ends { until: 0, ..ends }.has_ended(u32::MAX));
    }
}
