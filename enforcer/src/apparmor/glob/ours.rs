//! Patterns in our syntax.

use std::fmt::Write as _;

use super::{Least, Node, PatternFault, Sequence, written_out};
use crate::profile::{Edge, Pattern};

/// Our patterns for what `sequences` match, as few as can be.
pub(in crate::apparmor) fn patterns(sequences: &[Sequence]) -> Result<Vec<String>, PatternFault> {
    let mut flat = Vec::new();
    for sequence in sequences {
        if let Some(nodes) = stars(&merged(sequence), Edge::OUTSIDE, Edge::OUTSIDE) {
            flat.push(nodes);
            continue;
        }
        for sequence in written_out(sequence)? {
            let nodes = stars(&merged(&sequence), Edge::OUTSIDE, Edge::OUTSIDE);
            flat.push(nodes.ok_or(PatternFault::TooMany)?);
        }
    }
    flat.sort_unstable();
    flat.dedup();
    let is_valid = |text: &String| Pattern::parse(text).is_ok();
    let folded = text(&joined(flat.clone()));
    if is_valid(&folded) {
        return Ok(vec![folded]);
    }
    // Side by side they mean the same; what cannot be told there is told by itself.
    let texts: Vec<String> = flat.iter().map(|nodes| text(nodes)).collect();
    let side_by_side = format!("{{{}}}", texts.join(","));
    if texts.len() > 1 && is_valid(&side_by_side) {
        return Ok(vec![side_by_side]);
    }
    let valid: Vec<String> = texts.into_iter().filter(is_valid).collect();
    if valid.is_empty() {
        return Err(PatternFault::NeverMatches);
    }
    Ok(valid)
}

fn text(nodes: &[Node]) -> String {
    let mut text = String::new();
    write(nodes, &mut text);
    text
}

/// The same with one star where there are several side by side: in writing, two are `**`.
fn merged(nodes: &[Node]) -> Sequence {
    let mut out: Sequence = Vec::with_capacity(nodes.len());
    for node in nodes {
        let one = match (out.last(), node) {
            (Some(Node::Star(one)), Node::Star(other)) => Some(Node::Star(*one.max(other))),
            (Some(Node::Star(one) | Node::Stars(one)), Node::Star(other) | Node::Stars(other)) => {
                Some(Node::Stars(*one.max(other)))
            }
            _ => None,
        };
        if let Some(one) = one {
            out.pop();
            out.push(one);
            continue;
        }
        out.push(match node {
            Node::Either(alternatives) => {
                Node::Either(alternatives.iter().map(|nodes| merged(nodes)).collect())
            }
            node => node.clone(),
        });
    }
    out
}

/// Spells `**` as ours are understood, between `before` and `after`; `None` where that
/// depends on an alternative.
fn stars(nodes: &[Node], before: Edge, after: Edge) -> Option<Sequence> {
    let mut out = Vec::with_capacity(nodes.len());
    let mut before = before;
    let mut rest = nodes;
    while let [node, tail @ ..] = rest {
        rest = tail;
        let next = first(tail, after);
        match node {
            Node::Stars(least) => {
                if before == Edge::SLASH && next == Edge::SLASH {
                    // Ours may be no folder at all.
                    out.push(Node::Star(Least::One));
                    out.push(Node::Byte(b'/'));
                } else if before.may_be(Edge::SLASH) && next.may_be(Edge::SLASH) {
                    return None;
                }
                out.push(Node::Stars(*least));
            }
            Node::Either(alternatives) => {
                let spelled: Option<Vec<Sequence>> = alternatives
                    .iter()
                    .map(|alternative| stars(alternative, before, next))
                    .collect();
                out.push(Node::Either(spelled?));
            }
            node => out.push(node.clone()),
        }
        before = last(std::slice::from_ref(node), before);
    }
    Some(out)
}

/// What `nodes` can start with, where `after` is behind them.
fn first(nodes: &[Node], after: Edge) -> Edge {
    let [node, rest @ ..] = nodes else {
        return after;
    };
    match node {
        Node::Byte(b'/') => Edge::SLASH,
        Node::Byte(_) | Node::Class(_) => Edge::OTHER,
        Node::Star(_) => Edge::OTHER.or(first(rest, after)),
        Node::Stars(_) => Edge::OTHER.or(Edge::SLASH).or(first(rest, after)),
        Node::Either(alternatives) => {
            let behind = first(rest, after);
            let edges = alternatives.iter().map(|nodes| first(nodes, behind));
            edges.fold(Edge::NONE, Edge::or)
        }
    }
}

/// What `nodes` can end with, where `before` is in front of them.
fn last(nodes: &[Node], before: Edge) -> Edge {
    nodes.iter().fold(before, |before, node| match node {
        Node::Byte(b'/') => Edge::SLASH,
        Node::Byte(_) | Node::Class(_) => Edge::OTHER,
        Node::Star(_) => Edge::OTHER.or(before),
        Node::Stars(_) => Edge::OTHER.or(Edge::SLASH).or(before),
        Node::Either(alternatives) => {
            let edges = alternatives.iter().map(|nodes| last(nodes, before));
            edges.fold(Edge::NONE, Edge::or)
        }
    })
}

/// One sequence for several: the names that they begin and end with stand once.
fn joined(mut sequences: Vec<Sequence>) -> Sequence {
    if sequences.len() < 2 {
        return sequences.pop().unwrap_or_default();
    }
    let slash = Node::Byte(b'/');
    let mut start = common(&sequences, |sequence, at| sequence.get(at));
    // What is shared of the beginnings of names stays with them.
    let is_between = |at: usize| {
        let mut next = sequences.iter().map(|sequence| sequence.get(at));
        next.all(|node| node.is_none_or(|node| *node == slash))
    };
    while !start.is_empty() && start.last() != Some(&slash) && !is_between(start.len()) {
        start.pop();
    }
    for sequence in &mut sequences {
        sequence.drain(..start.len());
    }
    let mut end = common(&sequences, |sequence, at| sequence.iter().nth_back(at));
    while end.last().is_some_and(|node| *node != slash) {
        end.pop();
    }
    for sequence in &mut sequences {
        sequence.truncate(sequence.len().saturating_sub(end.len()));
    }
    end.reverse();
    // Those that go on alike are told together.
    let mut groups: Vec<Vec<Sequence>> = Vec::new();
    for sequence in sequences {
        let same = groups
            .iter_mut()
            .find(|group| group.first().and_then(|other| other.first()) == sequence.first());
        match same {
            Some(group) => group.push(sequence),
            None => groups.push(vec![sequence]),
        }
    }
    let either = if let [group] = groups.as_mut_slice() {
        std::mem::take(group)
    } else {
        groups.into_iter().flat_map(spread).collect()
    };
    let mut whole = start;
    whole.push(Node::Either(either));
    whole.extend(end);
    whole
}

/// One sequence for several if they share names, else those.
fn spread(sequences: Vec<Sequence>) -> Vec<Sequence> {
    let mut whole = joined(sequences);
    match whole.as_mut_slice() {
        [Node::Either(either)] => std::mem::take(either),
        _ => vec![whole],
    }
}

/// The nodes that all sequences have in common, as `get` counts them.
fn common<'a>(
    sequences: &'a [Sequence],
    get: impl Fn(&'a Sequence, usize) -> Option<&'a Node>,
) -> Sequence {
    let Some((one, others)) = sequences.split_first() else {
        return Vec::new();
    };
    let is_shared = |&at: &usize| {
        let node = get(one, at);
        node.is_some() && others.iter().all(|other| get(other, at) == node)
    };
    let shared = (0..one.len()).take_while(is_shared);
    shared.filter_map(|at| get(one, at).cloned()).collect()
}

/// Writes nodes in our syntax.
pub(super) fn write(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Byte(byte) => match byte {
                b'*' | b'?' | b'[' | b']' | b'{' | b'}' | b',' | b'\\' | b'$' => {
                    out.push('\\');
                    out.push(char::from(*byte));
                }
                b' '..=b'~' => out.push(char::from(*byte)),
                _ => {
                    // Writing to a string does not fail.
                    let _written = write!(out, "\\x{byte:02x}");
                }
            },
            Node::Class(class) => class.write(out),
            Node::Star(_) => out.push('*'),
            Node::Stars(_) => out.push_str("**"),
            Node::Either(alternatives) => {
                for (at, alternative) in alternatives.iter().enumerate() {
                    out.push(if at == 0 { '{' } else { ',' });
                    write(alternative, out);
                }
                out.push('}');
            }
        }
    }
}
