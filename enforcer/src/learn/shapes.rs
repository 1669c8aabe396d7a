//! What of a name another day is another: numbers of processes, random letters, dates.
//!
//! A name is taken apart into runs of letters and digits. Which of them are volatile depends
//! on the [`Evidence`]: what can be nothing else is at once (a UUID, a hash, a date, the
//! number of a process in /proc), a number or random letters where the program made the name
//! itself or where several names differ in it alone.

use std::fmt;

use crate::profile::literal;

/// What a volatile part of a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The number of a process.
    Pid,
    /// A UUID.
    Uuid,
    /// A hash in hexadecimal digits.
    Hash,
    /// A number.
    Digits,
    /// A date.
    Date,
    /// Random letters, as `mkstemp` makes them.
    TempName,
    /// The version of a library.
    Version,
}

/// What is known of a name besides its letters.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    /// The program made it, or took it away.
    pub(super) is_made: bool,
    /// The program took it away.
    pub(super) is_gone: bool,
    /// It is mapped as code.
    pub(super) is_mapped: bool,
    /// Others in its folder have the same shape.
    pub(super) is_several: bool,
}

/// A name with what stands for its volatile parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The pattern.
    pub(super) text: String,
    /// What is volatile in it; nothing: the pattern is the name.
    pub(super) kinds: Vec<Kind>,
}

/// Stands for a number: there is no shorter way to say that digits follow.
const NUMBER: &str = "[0-9]*";
const UUID: &str = "????????-????-????-????-????????????";
const DAY: &str = "[12][0-9][0-9][0-9]";
/// Digits of the hashes in use: MD5, SHA-1, SHA-256, SHA-512, and git's behind the first two.
const HASH_LENS: [usize; 6] = [32, 38, 40, 62, 64, 128];
/// Lengths of what `mkstemp` and its like make.
const RANDOM_LENS: std::ops::RangeInclusive<usize> = 6..=12;
/// Words that end in digits and are no numbered names.
const WORDS: [&str; 12] = [
    "sha224", "sha256", "sha384", "sha512", "md160", "aes128", "aes256", "utf16", "utf32",
    "iso8859", "ipv4", "ipv6",
];
/// Names before six random letters, whatever letters these are.
const TEMPLATES: [&str; 4] = ["tmp_obj_", "tmp_pack_", "tmp_idx_", "cc"];

/// The shape of `name` in `folder`, whose path is as it was seen.
pub(super) fn shape(folder: &str, name: &[u8], evidence: Evidence) -> Shape {
    if let Some(whole) = whole(folder, name, evidence) {
        return whole;
    }
    let mut shape = Shape {
        text: String::new(),
        kinds: Vec::new(),
    };
    let mut at = 0;
    while let Some(rest) = name.get(at..).filter(|rest| !rest.is_empty()) {
        let before = name.get(..at).unwrap_or_default();
        let len = if let Some((len, kind, text)) = part(before, rest, evidence) {
            shape.text.push_str(&text);
            shape.kinds.push(kind);
            len
        } else {
            let len = run(rest).max(1);
            let end = chars_end(rest, len);
            shape
                .text
                .push_str(&literal(rest.get(..end).unwrap_or(rest)));
            end
        };
        at += len;
    }
    shape
}

/// The end of what begins with `len` bytes, so that no letter is cut.
fn chars_end(rest: &[u8], len: usize) -> usize {
    let tail = rest.iter().skip(len);
    len + tail.take_while(|byte| (0x80..0xc0).contains(*byte)).count()
}

/// A name that is volatile as a whole, for where it is.
fn whole(folder: &str, name: &[u8], evidence: Evidence) -> Option<Shape> {
    let is_number = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
    let of = |kind, text: String| {
        Some(Shape {
            text,
            kinds: vec![kind],
        })
    };
    let is_in_proc = folder.starts_with("/proc/");
    // The first process is always the first.
    if is_number && (folder == "/proc" && name != b"1" || is_in_proc && folder.ends_with("/task")) {
        return of(Kind::Pid, NUMBER.to_owned());
    }
    if is_number && is_in_proc && (folder.ends_with("/fd") || folder.ends_with("/fdinfo")) {
        return of(Kind::Digits, NUMBER.to_owned());
    }
    if folder.ends_with("/objects") && name.len() == 2 && name.iter().copied().all(is_hex) {
        return of(Kind::Hash, "[0-9a-f][0-9a-f]".to_owned());
    }
    let text = str::from_utf8(name).ok()?;
    if evidence.is_mapped
        && let Some((stem, _)) = text.split_once(".so.")
    {
        return of(
            Kind::Version,
            format!("{}.so{{,.*}}", literal(stem.as_bytes())),
        );
    }
    None
}

/// A volatile part with which `rest` begins, behind `before`: its length, what it is, and
/// what stands for it.
fn part(before: &[u8], rest: &[u8], evidence: Evidence) -> Option<(usize, Kind, String)> {
    if before.last().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let ends = |len: usize| !rest.get(len).is_some_and(u8::is_ascii_alphanumeric);
    if is_uuid(rest) && ends(UUID.len()) {
        return Some((UUID.len(), Kind::Uuid, UUID.to_owned()));
    }
    if let Some(text) = dashed_date(rest)
        && ends(10)
    {
        return Some((10, Kind::Date, text));
    }
    if let Some(part) = python_part(before, rest, evidence) {
        return Some(part);
    }
    let len = run(rest);
    let letters = str::from_utf8(rest.get(..len)?).ok()?;
    if letters.is_empty() {
        return None;
    }
    let (kind, text) = run_part(before, letters, evidence)?;
    Some((len, kind, text))
}

/// What stands for a run of letters and digits, if it is volatile.
fn run_part(before: &[u8], run: &str, evidence: Evidence) -> Option<(Kind, String)> {
    let Evidence {
        is_made,
        is_gone,
        is_several,
        ..
    } = evidence;
    let is_hash = HASH_LENS.contains(&run.len()) && run.bytes().all(is_hex);
    if is_hash && run.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some((Kind::Hash, "[0-9a-f]*".to_owned()));
    }
    let stem = run.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = run.len() - stem.len();
    if stem.is_empty() {
        if is_date(run) {
            let more = if digits > 8 { NUMBER } else { "" };
            return Some((Kind::Date, format!("{DAY}[01][0-9][0-3][0-9]{more}")));
        }
        return (is_made || is_several).then(|| (Kind::Digits, NUMBER.to_owned()));
    }
    if is_made {
        let behind_template = |template: &&'static str| {
            let template = template.as_bytes();
            let whole = [before, run.as_bytes()].concat();
            whole.len() == template.len() + 6 && whole.starts_with(template)
        };
        if let Some(template) = TEMPLATES.into_iter().find(behind_template) {
            let known = template.len() - before.len();
            return Some((
                Kind::TempName,
                format!("{}??????", run.get(..known).unwrap_or_default()),
            ));
        }
        if is_random(run, is_gone) {
            return Some((Kind::TempName, "?".repeat(run.len())));
        }
    }
    let is_numbered = stem.bytes().all(|byte| byte.is_ascii_alphabetic()) && digits > 0;
    let is_word = WORDS.contains(&run.to_ascii_lowercase().as_str());
    // One letter or two of digits are as often part of a word.
    let is_number = is_several || is_made && digits >= 3;
    (is_numbered && !is_word && is_number).then(|| {
        (
            Kind::Digits,
            format!("{}{NUMBER}", literal(stem.as_bytes())),
        )
    })
}

/// A name of Python's `tempfile`, whose random letters may be `_`, too.
fn python_part(before: &[u8], rest: &[u8], evidence: Evidence) -> Option<(usize, Kind, String)> {
    let random = rest.strip_prefix(b"tmp")?.get(..8)?;
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let is_odd = random.iter().any(|byte| !byte.is_ascii_lowercase());
    let ends = !rest.get(11).is_some_and(u8::is_ascii_alphanumeric);
    let is = evidence.is_made && before.is_empty() && ends && is_odd;
    // `tmp_config` is a word behind a line.
    let is = is && random.first() != Some(&b'_') && random.iter().all(is_letter);
    is.then(|| (11, Kind::TempName, "tmp????????".to_owned()))
}

/// Whether letters are random, and no word: capitals or digits stand where no word has them.
/// Of what is gone again less is asked.
fn is_random(run: &str, is_gone: bool) -> bool {
    if !RANDOM_LENS.contains(&run.len()) {
        return false;
    }
    let class = |letter: u8| match letter {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    };
    let classes: Vec<u8> = run.bytes().map(class).collect();
    let changes = classes.windows(2).filter(|pair| match pair {
        [one, other] => one != other,
        _ => false,
    });
    let changes = changes.count();
    let has_digit = classes.contains(&0);
    // `Makefile2` changes twice: a capital, a word, a number.
    let is_title = classes.first() == Some(&2) && classes.get(1) == Some(&1);
    let words = usize::from(is_title);
    if has_digit {
        changes >= 2 + words
    } else {
        changes >= if is_gone { 2 } else { 3 } + words
    }
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_uuid(rest: &[u8]) -> bool {
    let is = |(byte, like): (&u8, u8)| match like {
        b'-' => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    rest.len() >= UUID.len() && rest.iter().zip(UUID.bytes()).all(is)
}

/// What stands for a date such as 2026-11-30 with which `rest` begins.
fn dashed_date(rest: &[u8]) -> Option<String> {
    let text = str::from_utf8(rest.get(..10)?).ok()?;
    let mark = *rest.get(4)?;
    let mark = matches!(mark, b'-' | b'_' | b'.').then_some(char::from(mark))?;
    let digits: String = text.split(mark).collect();
    let is = rest.get(7) == Some(&mark.try_into().ok()?) && digits.len() == 8;
    (is && is_date(&digits)).then(|| format!("{DAY}{mark}[01][0-9]{mark}[0-3][0-9]"))
}

/// Whether digits are a date such as 20261130, with a time behind it or not.
fn is_date(digits: &str) -> bool {
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u16>().ok();
    let is_day = |(year, month, day)| {
        (1990..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
    };
    let parts = number(0, 4).zip(number(4, 6)).zip(number(6, 8));
    matches!(digits.len(), 8 | 12 | 14)
        && parts.is_some_and(|((year, month), day)| is_day((year, month, day)))
}

/// How many letters and digits `rest` begins with.
fn run(rest: &[u8]) -> usize {
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric());
    letters.count()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pid => "{pid}",
            Self::Uuid => "{uuid}",
            Self::Hash => "{hash}",
            Self::Digits => "{digits}",
            Self::Date => "{date}",
            Self::TempName => "{tmpname}",
            Self::Version => "{version}",
        })
    }
}

#[cfg(test)]
mod tests;
