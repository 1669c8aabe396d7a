//! `/proc/PID`: AppArmor has the number of each process there, and we have `self` where it
//! is the task's own.
//!
//! Where `/proc/` is not spelled out, as in `/**/[0-9]*`, a number is that of another process.

use super::{Least, Node, PatternFault, SEQUENCES, Sequence, ours};
use crate::profile::Pattern;

/// Where processes are.
const FOLDER: &[u8] = b"/proc/";

/// The own process, as we spell it.
const OWN: &[u8] = b"/self";

/// Numbers that processes may have.
const NUMBERS: [&[u8]; 4] = [b"/1", b"/23", b"/4711", b"/123456"];

/// The pattern, and where it names processes by their numbers, the own one as well.
pub(super) fn own(nodes: Sequence) -> Result<Vec<Sequence>, PatternFault> {
    let Some((folder, rest)) = nodes.split_at_checked(FOLDER.len()) else {
        return Ok(vec![nodes]);
    };
    let is_folder = folder
        .iter()
        .zip(FOLDER)
        .all(|(node, byte)| *node == Node::Byte(*byte));
    if !is_folder {
        return Ok(vec![nodes]);
    }
    let end = rest.iter().position(|node| *node == Node::Byte(b'/'));
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    if let Some(at) = name.iter().position(has_slash)
        && let Some(Node::Either(alternatives)) = name.get(at)
    {
        let (before, tail) = (name.get(..at), name.get(at + 1..));
        let (before, tail) = (before.unwrap_or_default(), tail.unwrap_or_default());
        let mut all = Vec::new();
        for alternative in alternatives {
            all.extend(own([folder, before, alternative, tail, rest].concat())?);
        }
        if all.len() > SEQUENCES {
            return Err(PatternFault::TooMany);
        }
        return Ok(all);
    }
    // A number that is written out is that process, whoever asks.
    let is_number = name.iter().all(|node| matches!(node, Node::Byte(_)));
    if is_number || all_are(name, &[OWN]) {
        return Ok(vec![nodes]);
    }
    let stars = name.iter().position(|node| matches!(node, Node::Stars(_)));
    if let Some((before, [Node::Stars(least), tail @ ..])) = stars.map(|at| name.split_at(at)) {
        // They end within the name, or go on beneath it.
        let within = [folder, before, &[Node::Star(*least)], tail, rest].concat();
        let slash = [
            Node::Star(*least),
            Node::Byte(b'/'),
            Node::Stars(Least::None),
        ];
        let beneath = [folder, before, &slash, tail, rest].concat();
        return Ok([own(within)?, own(beneath)?].concat());
    }
    // Those of some length are processes of some kind, and not any.
    if !all_are(name, &NUMBERS) {
        return Ok(vec![nodes]);
    }
    let mut either = vec![b"self".map(Node::Byte).to_vec()];
    match name {
        [Node::Either(numbers)] => either.extend(numbers.iter().cloned()),
        name => either.push(name.to_vec()),
    }
    let mut with_own = folder.to_vec();
    with_own.push(Node::Either(either));
    with_own.extend_from_slice(rest);
    Ok(vec![with_own])
}

/// Whether a name stands for all of these.
fn all_are(name: &[Node], these: &[&[u8]]) -> bool {
    let mut text = "/".to_owned();
    ours::write(name, &mut text);
    let pattern = Pattern::parse(&text);
    pattern.is_ok_and(|pattern| these.iter().all(|one| pattern.matches(one)))
}

/// Whether a name goes on beneath a `/` in its braces.
fn has_slash(node: &Node) -> bool {
    match node {
        Node::Either(alternatives) => alternatives.iter().flatten().any(|node| match node {
            Node::Byte(byte) => *byte == b'/',
            Node::Stars(_) => true,
            node => has_slash(node),
        }),
        _ => false,
    }
}
