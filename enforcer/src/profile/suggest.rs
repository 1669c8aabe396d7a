//! "Did you mean": the nearest of the words that would have been right.

/// Returns the word among `known` that is nearest to `typed`, if it is near
/// enough to be a slip.
pub(super) fn nearest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed: Vec<char> = typed.chars().collect();
    // Longer input is no slip, and costs its square.
    if typed.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|word| (distance(&typed, word), word))
        .min_by_key(|&(distance, _)| distance)
        .and_then(|(distance, word)| (distance <= 1 + word.len() / 4).then_some(word))
}

/// Counts the letters that must be changed, added, left out or swapped with
/// their neighbour to make `word` of `typed`.
fn distance(typed: &[char], word: &str) -> usize {
    let width = typed.len() + 1;
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..width).collect();
    let mut previous = None;
    for (row, letter) in word.chars().enumerate() {
        let mut line = Vec::with_capacity(width);
        line.push(row + 1);
        for (column, &here) in typed.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&last, column) + usize::from(here != letter);
            let added = at(&last, column + 1) + 1;
            let left_out = at(&line, column) + 1;
            let mut best = changed.min(added).min(left_out);
            let left = column.checked_sub(1);
            if let (Some(left), Some(previous)) = (left, previous)
                && here == previous
                && typed.get(left) == Some(&letter)
            {
                best = best.min(at(&before, left) + 1);
            }
            line.push(best);
        }
        previous = Some(letter);
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_table() {
        let words = ["read", "write", "append", "attributes", "applies_to"];
        #[rustfmt::skip]
        let cases = [
            ("a letter too much", "readd",      Some("read")),
            ("a letter missing",  "attribute",  Some("attributes")),
            ("swapped",           "wirte",      Some("write")),
            ("another letter",    "apply_to",   Some("applies_to")),
            ("nothing like it",   "frobnicate", None),
            ("empty",             "",           None),
        ];
        for (name, typed, want) in cases {
            assert_eq!(nearest(typed, words), want, "{name}");
        }
    }
}
