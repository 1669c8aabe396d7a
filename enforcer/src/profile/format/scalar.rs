//! Words, and which of them need quotes.

use std::fmt::Write as _;

use super::tree::Scalar;

/// Where a word stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// On a line of its own, or behind a key.
    Block,
    /// In brackets, where more has a meaning.
    Flow,
}

/// The word on one line.
pub(super) fn inline(scalar: &Scalar, around: Around) -> String {
    let text = &scalar.text;
    if text.is_empty() && scalar.plain {
        return String::new();
    }
    let plain = can_be_plain(text, around) && (scalar.plain || !may_be_no_text(text));
    if plain { text.clone() } else { quoted(text) }
}

/// Whether a text without quotes is the text.
fn can_be_plain(text: &str, around: Around) -> bool {
    let mut letters = text.chars();
    let (Some(first), second) = (letters.next(), letters.next()) else {
        return false;
    };
    let starts = match first {
        '-' => second.is_some_and(|second| second != ' '),
        '?' | ':' => around == Around::Block && second.is_some_and(|second| second != ' '),
        _ => !",[]{}#&*!|>'\"%@`".contains(first),
    };
    let is_document_mark = text == "---" || text == "...";
    starts
        && !is_document_mark
        && !text.starts_with(' ')
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(is_printable)
        && (around == Around::Block || !text.contains([',', '[', ']', '{', '}']))
}

/// Whether a text without quotes might be taken for something else than text: a number, a
/// date, `true`, nothing; by this parser or by others.
pub(super) fn may_be_no_text(text: &str) -> bool {
    const WORDS: [&str; 13] = [
        "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "=",
    ];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) {
        return true;
    }
    let unsigned = lower.trim_start_matches(['-', '+']);
    let begins = unsigned.strip_prefix('.').unwrap_or(unsigned);
    matches!(unsigned, ".inf" | ".nan")
        || begins.starts_with(|first: char| first.is_ascii_digit())
            && lower
                .chars()
                .all(|letter| letter.is_ascii_hexdigit() || "_+-.:xotz ".contains(letter))
}

/// Whether a letter is shown as it is.
fn is_printable(letter: char) -> bool {
    !letter.is_control()
        && !matches!(
            letter,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// The text in quotes: double ones, but where single ones save escapes.
fn quoted(text: &str) -> String {
    let printable = text.chars().all(is_printable);
    if printable && text.contains(['"', '\\']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if is_printable(letter) => quoted.push(letter),
            _ => {
                let code = u32::from(letter);
                // Writing to a string does not fail.
                let _written = match code {
                    ..=0xff => write!(quoted, "\\x{code:02x}"),
                    0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// A text as lines of no more than `width` letters, where it has words enough for that and
/// line ends alone make the difference.
pub(super) fn folded(text: &str, width: usize) -> Option<Vec<String>> {
    let foldable = text.chars().all(is_printable)
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.contains("  ")
        && text.contains(' ')
        && !may_be_no_text(text);
    if !foldable {
        return None;
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    Some(lines)
}
