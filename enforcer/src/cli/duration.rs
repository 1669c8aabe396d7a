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
    fn times() {
        #[rustfmt::skip]
        let cases = [
            ("90s",   Some(90)),
            ("10m",   Some(600)),
            ("2h",    Some(7200)),
            ("1h30m", Some(5400)),
            ("30d",   Some(2_592_000)),
            ("0s",    None),
            ("-1s",   None),
            ("10",    None),
            ("soon",  None),
        ];
        for (text, want) in cases {
            let got = duration(text);
            assert_eq!(got.ok(), want.map(Duration::from_secs), "{text}");
        }
        assert_eq!(any_duration("0s"), Ok(Duration::ZERO));
        assert!(any_duration("-1s").is_err());
    }
}
