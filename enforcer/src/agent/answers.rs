//! Answers as lines, none of which is longer than the protocol has it.

use serde::Serialize;

use super::server::Answer;
use crate::protocol::{
    Failure, FailureKind, Reply,
    line::{self, LINE_LEN},
    views::Part,
};

/// Bytes of a page, and of a part of a list. One that is too long by itself has the rest of a
/// line: a detection, an object or a plan has not half of it.
const PART_LEN: usize = LINE_LEN / 2;

/// Returns an answer, if a line can hold it.
pub(super) fn ok<T: Serialize>(value: &T) -> Result<Answer, Failure> {
    Ok(Answer::Lines(vec![line_of(value)?]))
}

/// Returns a list as an answer, whatever its length.
pub(super) fn list<T: Serialize>(all: &[T]) -> Result<Answer, Failure> {
    Ok(Answer::Lines(parts(all)?))
}

/// Returns the lines of a list: one at least.
pub(super) fn parts<T: Serialize>(all: &[T]) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let mut rest = all;
    loop {
        let (now, later) = rest.split_at(fit(rest, PART_LEN)?);
        let more = !later.is_empty();
        let items: Vec<&T> = now.iter().collect();
        lines.push(line_of(&Part { items, more })?);
        if !more {
            return Ok(lines);
        }
        rest = later;
    }
}

/// Returns as much of what was found as a line holds, and whether there is more: `most` at
/// most were asked for.
pub(super) fn fitting<T: Serialize>(found: Vec<T>, most: u32) -> Result<(Vec<T>, bool), Failure> {
    let count = fit(&found, PART_LEN)?;
    let more = count < found.len() || found.len() == most as usize;
    let mut kept = found;
    kept.truncate(count);
    Ok((kept, more))
}

/// How many of the first have `room` bytes together; one, if that has more.
pub(super) fn fit<T: Serialize>(all: &[T], room: usize) -> Result<usize, Failure> {
    let mut len = 0;
    for (count, one) in all.iter().enumerate() {
        let line = line::of(one).map_err(|error| Failure::internal(&error))?;
        len += line.len();
        if len > room && count > 0 {
            return Ok(count);
        }
    }
    Ok(all.len())
}

/// Returns an answer's line.
pub(super) fn line_of<T: Serialize>(value: &T) -> Result<String, Failure> {
    let line = line::of(&Reply::Ok(value)).map_err(|error| Failure::internal(&error))?;
    if line.len() > LINE_LEN {
        return Err(Failure::new(
            FailureKind::Internal,
            format!(
                "the answer has {} bytes, and a line of the protocol at most {LINE_LEN}",
                line.len()
            ),
        ));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::{LINE_LEN, PART_LEN, fit, fitting, line_of, parts};
    use crate::protocol::{Reply, views::Part};

    /// A text that is as long as that on a line of its own.
    fn text(len: usize) -> String {
        // Two quotes and the end of the line.
        "x".repeat(len - 3)
    }

    #[test]
    fn as_many_fit_as_there_is_room_for() {
        #[rustfmt::skip]
        let cases: [(&str, &[usize], usize); 6] = [
            ("none",              &[],           0),
            ("one",               &[10],         1),
            ("one that is more",  &[101, 10],    1),
            ("all of the room",   &[50, 50],     2),
            ("a byte more",       &[50, 51],     1),
            ("no look beyond it", &[50, 51, 10], 1),
        ];
        for (name, lens, want) in cases {
            let texts: Vec<_> = lens.iter().map(|&len| text(len)).collect();
            assert_eq!(fit(&texts, 100).unwrap(), want, "{name}");
        }
    }

    #[test]
    fn pages_tell_whether_there_is_more() {
        let half = text(PART_LEN / 2);
        // Columns: what it shows, how many were found, were asked for, are kept, whether more.
        #[rustfmt::skip]
        let cases = [
            ("all there are",     1, 9, 1, false),
            ("all that fit",      2, 9, 2, false),
            ("all that were asked for", 2, 2, 2, true),
            ("more than fit",     3, 9, 2, true),
        ];
        for (name, found, most, kept, more) in cases {
            let (page, is_more) = fitting(vec![half.clone(); found], most).unwrap();
            assert_eq!((page.len(), is_more), (kept, more), "{name}");
        }
    }

    /// Whatever is in a list, all of it comes, and no line is too long.
    #[test]
    fn a_list_comes_whole() {
        let [half, most] = [PART_LEN / 2, LINE_LEN - 100].map(text);
        #[rustfmt::skip]
        let cases = [
            ("empty",           vec![],                            1),
            ("one part",        vec![half.clone(); 2],             1),
            ("another",         vec![half.clone(); 5],             3),
            ("one fills a line", vec![half.clone(), most, half],   3),
        ];
        for (name, all, want) in cases {
            let lines = parts(&all).unwrap();
            assert_eq!(lines.len(), want, "{name}");
            let mut items = Vec::new();
            let mut mores = Vec::new();
            for line in lines {
                assert!(line.len() <= LINE_LEN, "{name}");
                let Reply::Ok(part) = serde_json::from_str::<Reply<Part<String>>>(&line).unwrap()
                else {
                    panic!("{name}: a failure");
                };
                items.extend(part.items);
                mores.push(part.more);
            }
            assert_eq!(items, all, "{name}");
            assert_eq!(mores.pop(), Some(false), "{name}");
            assert!(mores.into_iter().all(|more| more), "{name}");
        }
    }

    #[test]
    fn a_line_has_its_limit() {
        // `{"ok":` and `}` are around it.
        let longest = text(LINE_LEN - 7);
        assert_eq!(line_of(&longest).unwrap().len(), LINE_LEN);
        let error = line_of(&(longest + "x")).unwrap_err();
        assert!(error.message.contains("1048577 bytes"), "{error}");
    }
}
