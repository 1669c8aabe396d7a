//! The meaning of globs: from a tree to a regular expression over bytes.
//!
//! Paths are judged in one spelling: from the root, no `//`, no `.` or `..`, no
//! `/` at the end but in `/` itself. Two stars depend on what is around them, as
//! if every alternative were written out:
//!
//! - `/**/` is `/`, or any whole directories between two `/`: zero or more;
//! - `/**` at the end is everything beneath, and not the directory itself;
//! - a `*` that is a whole name has at least one byte, since every name has.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};

use super::glob::{GlobError, GlobFault, Node};

/// What can stand next to a part of a pattern: a set of a `/`, another byte, and the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge(u8);

impl Edge {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const SLASH: Self = Self(1);
    pub(crate) const OTHER: Self = Self(2);
    pub(crate) const OUTSIDE: Self = Self(4);

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn may_be(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Turns the glob `nodes` into an expression that matches whole paths.
pub(super) fn lower(nodes: &[Node]) -> Result<Hir, GlobError> {
    check_spelling(nodes)?;
    sequence(nodes, Edge::OUTSIDE, Edge::OUTSIDE)
}

/// The bytes with which every path of the glob starts.
pub(super) fn literal_prefix(nodes: &[Node]) -> Vec<u8> {
    nodes
        .iter()
        .map_while(|node| match node {
            Node::Byte(byte) => Some(*byte),
            Node::Class(_) | Node::Star | Node::Stars { .. } | Node::Alternatives(_) => None,
        })
        .collect()
}

/// Refuses what matches no path that is ever judged, where it can be seen.
fn check_spelling(nodes: &[Node]) -> Result<(), GlobError> {
    if !is_absolute(nodes) {
        return Err(GlobError {
            offset: 0,
            fault: GlobFault::Relative,
        });
    }
    let never = |remedy| {
        Err(GlobError {
            offset: 0,
            fault: GlobFault::NeverMatches { remedy },
        })
    };
    let slash = Node::Byte(b'/');
    if nodes.len() > 1 && nodes.last() == Some(&slash) {
        return never(
            "leave out the `/` at the end to mean the directory, or end in `/**` to mean what is beneath it",
        );
    }
    if nodes
        .windows(2)
        .any(|pair| pair == [slash.clone(), slash.clone()])
    {
        return never("write one `/`, not two");
    }
    let dot = Node::Byte(b'.');
    let mut names = nodes.split(|node| *node == slash);
    if names.any(|name| *name == [dot.clone()] || *name == [dot.clone(), dot.clone()]) {
        return never("leave out the names `.` and `..`");
    }
    Ok(())
}

fn is_absolute(nodes: &[Node]) -> bool {
    match nodes.first() {
        Some(Node::Byte(b'/')) => true,
        Some(Node::Alternatives(alternatives)) => alternatives.iter().all(|alternative| {
            is_absolute(alternative)
                || alternative.is_empty() && nodes.get(1..).is_some_and(is_absolute)
        }),
        _ => false,
    }
}

/// Lowers `nodes`, with `before` and `after` next to them.
fn sequence(nodes: &[Node], before: Edge, after: Edge) -> Result<Hir, GlobError> {
    let mut out = Output::default();
    let mut before = before;
    let mut rest = nodes;
    // From the last on, so that what may be empty is not looked at again for each.
    let mut nexts = vec![after];
    for node in nodes.iter().skip(1).rev() {
        let behind = nexts.last().copied().unwrap_or(after);
        nexts.push(first_of(node, behind));
    }
    while let [node, tail @ ..] = rest {
        rest = tail;
        let next = nexts.get(tail.len()).copied().unwrap_or(after);
        match node {
            Node::Byte(byte) => out.literal.push(*byte),
            Node::Class(ranges) => out.push(class(ranges)),
            Node::Star => {
                let whole_name = before == Edge::SLASH && !next.may_be(Edge::OTHER);
                out.push(repeat(u32::from(whole_name), not_slash()));
            }
            Node::Stars { offset } => {
                if before == Edge::SLASH && next == Edge::SLASH {
                    // One of the two `/` goes where the directories go.
                    if out.literal.last() == Some(&b'/') {
                        out.literal.pop();
                        out.push(optional(vec![Hir::literal(*b"/"), repeat(0, any())]));
                    } else if let [Node::Byte(b'/'), tail @ ..] = tail {
                        out.push(optional(vec![repeat(0, any()), Hir::literal(*b"/")]));
                        rest = tail;
                        // Still behind a `/`.
                        continue;
                    } else {
                        return Err(ambiguous(*offset));
                    }
                } else if before.may_be(Edge::SLASH) && next.may_be(Edge::SLASH) {
                    return Err(ambiguous(*offset));
                } else {
                    let beneath = before == Edge::SLASH && next == Edge::OUTSIDE;
                    out.push(repeat(u32::from(beneath), any()));
                }
            }
            Node::Alternatives(alternatives) => {
                let lowered = alternatives
                    .iter()
                    .map(|alternative| sequence(alternative, before, next))
                    .collect::<Result<_, _>>()?;
                out.push(Hir::alternation(lowered));
            }
        }
        before = last_edge(std::slice::from_ref(node), before);
    }
    Ok(out.finish())
}

fn ambiguous(offset: usize) -> GlobError {
    GlobError {
        offset,
        fault: GlobFault::AmbiguousStars,
    }
}

/// What `node` can start with, where `behind` is behind it.
fn first_of(node: &Node, behind: Edge) -> Edge {
    match node {
        Node::Byte(b'/') => Edge::SLASH,
        Node::Byte(_) | Node::Class(_) => Edge::OTHER,
        Node::Star => Edge::OTHER.or(behind),
        Node::Stars { .. } => Edge::OTHER.or(Edge::SLASH).or(behind),
        Node::Alternatives(alternatives) => {
            alternatives.iter().fold(Edge::NONE, |edge, alternative| {
                let nodes = alternative.iter().rev();
                edge.or(nodes.fold(behind, |behind, node| first_of(node, behind)))
            })
        }
    }
}

/// What `nodes` can end with, where `before` is in front of them.
fn last_edge(nodes: &[Node], before: Edge) -> Edge {
    nodes.iter().fold(before, |before, node| match node {
        Node::Byte(b'/') => Edge::SLASH,
        Node::Byte(_) | Node::Class(_) => Edge::OTHER,
        Node::Star => Edge::OTHER.or(before),
        Node::Stars { .. } => Edge::OTHER.or(Edge::SLASH).or(before),
        Node::Alternatives(alternatives) => {
            alternatives.iter().fold(Edge::NONE, |edge, alternative| {
                edge.or(last_edge(alternative, before))
            })
        }
    })
}

/// The expression so far, its last literal still open.
#[derive(Default)]
struct Output {
    done: Vec<Hir>,
    literal: Vec<u8>,
}

impl Output {
    fn push(&mut self, piece: Hir) {
        self.close();
        self.done.push(piece);
    }

    fn close(&mut self) {
        if !self.literal.is_empty() {
            self.done
                .push(Hir::literal(std::mem::take(&mut self.literal)));
        }
    }

    fn finish(mut self) -> Hir {
        self.close();
        Hir::concat(self.done)
    }
}

fn class(ranges: &[(u8, u8)]) -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new(
        ranges
            .iter()
            .map(|&(start, end)| ClassBytesRange::new(start, end)),
    )))
}

/// Any byte.
pub(super) fn any() -> Hir {
    class(&[(0, u8::MAX)])
}

fn not_slash() -> Hir {
    class(&[(0, b'/' - 1), (b'/' + 1, u8::MAX)])
}

/// `sub` at least `min` times.
pub(super) fn repeat(min: u32, sub: Hir) -> Hir {
    Hir::repetition(Repetition {
        min,
        max: None,
        greedy: true,
        sub: Box::new(sub),
    })
}

pub(super) fn optional(parts: Vec<Hir>) -> Hir {
    Hir::repetition(Repetition {
        min: 0,
        max: Some(1),
        greedy: true,
        sub: Box::new(Hir::concat(parts)),
    })
}
