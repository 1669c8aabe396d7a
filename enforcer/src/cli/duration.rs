//! Times on the command line.

use std::time::Duration;

use crate::text;

/// Reads a time such as `90s`, `10m`, `2h`, `1h30m` or `30d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let time = any_duration(text)?;
    if time.is_zero() {
        return Err(wrong(text));
    }
    Ok(time)
}

/// As [`duration`], or none: `0s`.
pub(super) fn any_duration(text: &str) -> Result<Duration, String> {
    text::duration(text).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> String {
    format!("{text:?} is no time; write 90s, 10m, 2h or 30d")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{any_duration, duration};

    #[test]
    fn none_is_a_time_where_it_may_be() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert!(duration("0s").is_err());
        assert_eq!(any_duration("0s"), Ok(Duration::ZERO));
        assert!(any_duration("-1s").is_err());
    }
}
