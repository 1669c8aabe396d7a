//! A pattern without some paths: AppArmor lets a rule for one path win over patterns.

use super::{Class, Least, Node, PatternFault, SEQUENCES, Sequence, written_out};

/// What `sequences` match and `paths` are not.
pub(in crate::apparmor) fn without(
    sequences: &[Sequence],
    paths: &[&[u8]],
) -> Result<Vec<Sequence>, PatternFault> {
    let mut all = Vec::new();
    for sequence in sequences {
        for flat in written_out(sequence)? {
            minus(&flat, Vec::new(), paths, &mut all)?;
        }
    }
    Ok(all)
}

/// Adds what `rest` matches behind `start`, without what `ends` are there.
fn minus(
    rest: &[Node],
    start: Sequence,
    ends: &[&[u8]],
    all: &mut Vec<Sequence>,
) -> Result<(), PatternFault> {
    if all.len() >= SEQUENCES {
        return Err(PatternFault::TooMany);
    }
    let mut add = |middle: &[Node], tail: &[Node]| {
        let sequence = [start.as_slice(), middle, tail].concat();
        if !all.contains(&sequence) {
            all.push(sequence);
        }
    };
    if ends.is_empty() {
        add(&[], rest);
        return Ok(());
    }
    let Some((node, tail)) = rest.split_first() else {
        if !ends.iter().any(|end| end.is_empty()) {
            add(&[], &[]);
        }
        return Ok(());
    };
    let mut heads: Vec<u8> = ends.iter().filter_map(|end| end.first().copied()).collect();
    heads.sort_unstable();
    heads.dedup();
    let behind_slash = start.last() == Some(&Node::Byte(b'/'));
    // What follows a byte, which bytes there are, and what follows if there is none.
    let (again, class, slash, nothing) = match node {
        Node::Byte(b'/') => (tail.to_vec(), None, true, false),
        Node::Byte(byte) => (
            tail.to_vec(),
            Some(Class::of(|other| other == *byte)),
            false,
            false,
        ),
        Node::Class(class) => (tail.to_vec(), Some(class.clone()), false, false),
        Node::Star(least) => {
            let again = [&[Node::Star(Least::None)], tail].concat();
            (again, Some(Class::any()), false, *least == Least::None)
        }
        Node::Stars(least) => {
            let again = [&[Node::Stars(Least::None)], tail].concat();
            (
                again,
                Some(Class::any()),
                !behind_slash,
                *least == Least::None,
            )
        }
        // Written out before.
        Node::Either(_) => return Err(PatternFault::TooMany),
    };
    if let Some(class) = &class {
        let others = class.minus(&heads);
        if !others.is_empty() {
            let byte = match node {
                Node::Byte(byte) => Node::Byte(*byte),
                _ => Node::Class(others),
            };
            add(&[byte], &again);
        }
    }
    if slash && !heads.contains(&b'/') {
        add(&[Node::Byte(b'/')], &again);
    }
    for head in heads {
        let fits = if head == b'/' {
            slash
        } else {
            class.as_ref().is_some_and(|class| class.contains(head))
        };
        if fits {
            let mut start = start.clone();
            start.push(Node::Byte(head));
            let ends: Vec<&[u8]> = ends
                .iter()
                .filter_map(|end| end.strip_prefix(&[head]))
                .collect();
            minus(&again, start, &ends, all)?;
        }
    }
    if nothing {
        minus(tail, start, ends, all)?;
    }
    Ok(())
}
