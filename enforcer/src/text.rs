//! Text from tasks and paths on its way to people and programs.
//!
//! A path may hold any byte but NUL. People get it with escapes
//! ([`crate::profile::Escaped`]), from which the bytes can be told; programs get
//! it as a string, and where it is no UTF-8 its bytes in hexadecimal besides.

use std::time::Duration;

/// Reads a time such as `90s`, `10m`, `2h`, `1h30m` or `30d`.
pub fn duration(text: &str) -> Option<Duration> {
    if let Some(days) = text.strip_suffix('d')
        && let Ok(days) = days.parse::<u32>()
    {
        return Some(Duration::from_hours(24 * u64::from(days)));
    }
    let span: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(span).ok()
}

/// Writes a time as [`duration`] reads it.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds > 0 && seconds.is_multiple_of(86_400) {
        return format!("{}d", seconds / 86_400);
    }
    match jiff::SignedDuration::try_from(time) {
        Ok(time) => format!("{time:#}"),
        Err(_too_long) => format!("{seconds}s"),
    }
}

/// Returns `bytes` as a string, with every part that is no UTF-8 replaced.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns `bytes` in hexadecimal if [`lossy`] would lose some of them.
pub fn lost(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| hex(bytes))
}

/// Returns the bytes that were given away as [`lossy`] and [`lost`].
///
/// Hexadecimal that is none is left out of account: the readable form is then
/// all there is.
pub fn restore(text: String, bytes: Option<&str>) -> Vec<u8> {
    bytes.and_then(unhex).unwrap_or_else(|| text.into_bytes())
}

/// Returns `bytes` in hexadecimal, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// Returns the bytes that `text` spells in hexadecimal.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|pair| {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            u8::try_from(high? * 16 + low?).ok()
        })
        .collect()
}

/// Returns `argument` as a shell would need it to be typed.
pub fn shell_quoted(argument: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !argument.is_empty() && argument.bytes().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{duration, lossy, lost, restore, shell_quoted, time};

    #[test]
    fn times() {
        // Columns: what is read, its seconds, how it is written.
        #[rustfmt::skip]
        let cases = [
            ("90s",   Some((90,        "1m 30s"))),
            ("10m",   Some((600,       "10m"))),
            ("2h",    Some((7200,      "2h"))),
            ("1h30m", Some((5400,      "1h 30m"))),
            ("30d",   Some((2_592_000, "30d"))),
            ("0s",    Some((0,         "0s"))),
            ("-1s",   None),
            ("10",    None),
            ("soon",  None),
        ];
        for (text, want) in cases {
            let got = duration(text).map(|read| (read.as_secs(), time(read)));
            let want = want.map(|(seconds, written)| (seconds, written.to_owned()));
            assert_eq!(got, want, "{text}");
            if let Some((seconds, written)) = want {
                assert_eq!(
                    duration(&written),
                    Some(Duration::from_secs(seconds)),
                    "{written}"
                );
            }
        }
    }

    #[test]
    fn shell_quotes() {
        #[rustfmt::skip]
        let cases = [
            ("plain",       "/etc/shadow", "/etc/shadow"),
            ("a space",     "/a b",        "'/a b'"),
            ("a quote",     "it's",        r"'it'\''s'"),
            ("nothing",     "",            "''"),
            ("a variable",  "$HOME",       "'$HOME'"),
        ];
        for (name, text, want) in cases {
            assert_eq!(shell_quoted(text), want, "{name}");
        }
    }

    proptest! {
        /// What a program reads gives the bytes back, whatever they are.
        #[test]
        fn bytes_survive(bytes: Vec<u8>) {
            prop_assert_eq!(restore(lossy(&bytes), lost(&bytes).as_deref()), bytes);
        }
    }
}
