//! Paths without the `/` that AppArmor puts at the end of folders.

use super::{Least, Node, PatternFault, SEQUENCES, Sequence, without};

/// The paths of `nodes`, without the `/` that some end in; only the root keeps it.
pub(super) fn without_slash(nodes: Sequence) -> Result<Vec<Sequence>, PatternFault> {
    let mut all = Vec::new();
    strip(nodes, &mut all)?;
    Ok(all)
}

fn strip(mut nodes: Sequence, all: &mut Vec<Sequence>) -> Result<(), PatternFault> {
    if all.len() >= SEQUENCES {
        return Err(PatternFault::TooMany);
    }
    let Some(last) = nodes.pop() else {
        return Ok(());
    };
    match last {
        Node::Either(alternatives)
            if !alternatives.iter().any(|end| ends_in_slash(&nodes, end)) =>
        {
            nodes.push(Node::Either(alternatives));
            all.push(nodes);
        }
        Node::Byte(b'/') if nodes.is_empty() => all.push(vec![Node::Byte(b'/')]),
        // What is left of `//` is no root.
        Node::Byte(b'/') if may_be_root(&nodes) => all.extend(without(&[nodes], &[b"/"])?),
        Node::Byte(b'/') => all.push(nodes),
        Node::Either(alternatives) => {
            for alternative in alternatives {
                strip([nodes.as_slice(), &alternative].concat(), all)?;
            }
        }
        // Where it stands for nothing, what is before it ends the path.
        Node::Star(Least::None) if may_end_in_slash(&nodes) => {
            strip(nodes.clone(), all)?;
            nodes.push(Node::Star(Least::One));
            all.push(nodes);
        }
        Node::Stars(Least::None) if may_end_in_slash(&nodes) => {
            strip(nodes.clone(), all)?;
            nodes.push(Node::Stars(Least::One));
            all.push(nodes);
        }
        last => {
            nodes.push(last);
            all.push(nodes);
        }
    }
    Ok(())
}

/// Whether `end` behind `before` matches paths with a `/` at the end and not those without.
fn ends_in_slash(before: &[Node], end: &[Node]) -> bool {
    let Some((last, rest)) = end.split_last() else {
        return may_end_in_slash(before);
    };
    let before = [before, rest].concat();
    match last {
        Node::Byte(byte) => *byte == b'/',
        Node::Class(_) | Node::Star(Least::One) | Node::Stars(Least::One) => false,
        Node::Star(Least::None) | Node::Stars(Least::None) => may_end_in_slash(&before),
        Node::Either(alternatives) => alternatives.iter().any(|end| ends_in_slash(&before, end)),
    }
}

/// Whether `/` is one of the paths.
fn may_be_root(nodes: &[Node]) -> bool {
    let is_nothing = |node: &Node| match node {
        Node::Star(least) | Node::Stars(least) => *least == Least::None,
        Node::Either(alternatives) => alternatives.iter().any(Vec::is_empty),
        Node::Byte(_) | Node::Class(_) => false,
    };
    matches!(nodes, [Node::Byte(b'/'), rest @ ..] if rest.iter().all(is_nothing))
}

fn may_end_in_slash(nodes: &[Node]) -> bool {
    let [before @ .., last] = nodes else {
        return false;
    };
    match last {
        Node::Byte(byte) => *byte == b'/',
        Node::Class(_) | Node::Star(Least::One) => false,
        Node::Star(Least::None) => may_end_in_slash(before),
        Node::Stars(_) => true,
        Node::Either(alternatives) => {
            alternatives
                .iter()
                .any(|alternative| match alternative.as_slice() {
                    [] => may_end_in_slash(before),
                    alternative => may_end_in_slash(alternative),
                })
        }
    }
}
