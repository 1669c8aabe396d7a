//! AppArmor's patterns, and ours for the same files.
//!
//! AppArmor matches the path of a folder with a `/` at its end; ours have none. A `*` or
//! `**` that is a whole name stands for at least one byte, as ours does; but `/**/` is at
//! least one folder, and ours may be none. So a pattern is read ([`parse`]), turned into
//! patterns of paths without a `/` at the end ([`ends`]), and written in our syntax
//! ([`ours`]).
//!
//! - [`class`]: sets of bytes
//! - [`process`]: `/proc/PID`, which is `/proc/self` where it is the task's own
//! - [`minus`]: a pattern without some paths

mod class;
mod ends;
mod minus;
mod ours;
mod parse;
mod process;

use self::class::Class;
pub(super) use self::{minus::without, ours::patterns};

/// Most sequences that one pattern may be taken apart into.
const SEQUENCES: usize = 1024;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node {
    /// This byte.
    Byte(u8),
    /// One of these bytes, none of which is `/`.
    Class(Class),
    /// Any bytes but `/`.
    Star(Least),
    /// Any bytes.
    Stars(Least),
    /// One of these.
    Either(Vec<Vec<Node>>),
}

/// How many bytes a star stands for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Least {
    None,
    One,
}

/// A pattern: what comes behind one another.
pub(super) type Sequence = Vec<Node>;

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PatternFault {
    #[error("it does not begin with `/`")]
    Relative,
    #[error("a `[` without its `]`")]
    OpenClass,
    #[error("a class of no byte")]
    EmptyClass,
    #[error("a `{{` without its `}}`")]
    OpenBrace,
    #[error("a `}}` without its `{{`")]
    StrayBrace,
    #[error("braces with one alternative")]
    OneAlternative,
    #[error("braces are nested too deep")]
    TooDeep,
    #[error("a `\\` at the end")]
    LoneEscape,
    #[error("it has too many alternatives")]
    TooMany,
    #[error("no path is ever spelled like this")]
    NeverMatches,
}

/// The files of a pattern, as sequences that each match some of them: without a `/` at
/// the end, and with the task's own process as `/proc/self`.
pub(super) fn files(text: &str) -> Result<Vec<Sequence>, PatternFault> {
    if !text.starts_with(['/', '{']) {
        return Err(PatternFault::Relative);
    }
    let nodes = parse::parse(text)?;
    let mut all = Vec::new();
    for nodes in process::own(nodes)? {
        for sequence in ends::without_slash(nodes)? {
            if !all.contains(&sequence) {
                all.push(sequence);
            }
        }
    }
    Ok(all)
}

/// The paths among what `sequences` match that are named without a pattern.
pub(super) fn literals(sequences: &[Sequence]) -> Vec<Vec<u8>> {
    let flat = sequences.iter().flat_map(|sequence| {
        let flat = written_out(sequence);
        flat.unwrap_or_default()
    });
    flat.filter(|sequence| is_literal(sequence))
        .map(|sequence| {
            let bytes = sequence.iter().filter_map(|node| match node {
                Node::Byte(byte) => Some(*byte),
                _ => None,
            });
            bytes.collect()
        })
        .collect()
}

/// Whether a sequence is one path.
pub(super) fn is_literal(sequence: &[Node]) -> bool {
    sequence.iter().all(|node| matches!(node, Node::Byte(_)))
}

/// Writes the alternatives out.
pub(super) fn written_out(nodes: &[Node]) -> Result<Vec<Sequence>, PatternFault> {
    let mut all: Vec<Sequence> = vec![Vec::new()];
    for node in nodes {
        let Node::Either(alternatives) = node else {
            for sequence in &mut all {
                sequence.push(node.clone());
            }
            continue;
        };
        let mut ends = Vec::new();
        for alternative in alternatives {
            ends.extend(written_out(alternative)?);
        }
        if all.len() * ends.len() > SEQUENCES {
            return Err(PatternFault::TooMany);
        }
        let with_ends = |start: &Sequence| {
            let with_end = |end: &Sequence| [start.as_slice(), end.as_slice()].concat();
            ends.iter().map(with_end).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with_ends).collect();
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
