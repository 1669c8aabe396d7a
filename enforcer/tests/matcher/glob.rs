//! Globs to try, and what they mean by definition: alternatives are written out, and
//! what is left is matched by trying everything.

use proptest::prelude::*;

/// A piece of a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// This byte.
    Byte(u8),
    /// `?`.
    One,
    /// `*`.
    Star,
    /// `**`.
    Stars,
    /// `[a-c]` or `[!a-c]`.
    Class { negated: bool, from: u8, to: u8 },
    /// `{a,b}`.
    Either(Vec<Vec<Piece>>),
}

/// Globs with everything in them, absolute ones.
pub(crate) fn strategy() -> impl Strategy<Value = Vec<Piece>> {
    let either = |inner| {
        let alternative = prop::collection::vec(inner, 0..3);
        prop::collection::vec(alternative, 2..4).prop_map(Piece::Either)
    };
    let inner = prop_oneof![9 => piece(true), 1 => either(piece(true).boxed())];
    let piece = prop_oneof![9 => piece(true), 1 => either(inner.boxed())];
    prop::collection::vec(piece, 0..10).prop_map(absolute)
}

/// Globs that mean the same here and to `globset`: `**` only as a whole name, and not
/// in braces; classes without `/`.
pub(crate) fn shared_strategy() -> impl Strategy<Value = Vec<Piece>> {
    let alternative = prop::collection::vec(piece(false), 0..3);
    let either = prop::collection::vec(alternative, 2..4).prop_map(Piece::Either);
    let name = prop_oneof![
        1 => Just(vec![Piece::Stars]),
        4 => prop::collection::vec(prop_oneof![5 => piece(false), 1 => either], 1..5),
    ];
    prop::collection::vec(name, 1..5).prop_map(|names| {
        let slash = || vec![Piece::Byte(b'/')];
        let names = names.into_iter().flat_map(|name| [slash(), name]);
        let glob: Vec<Piece> = names.flatten().collect();
        merged(glob)
    })
}

/// One piece without alternatives. `/` and `**` only if they may be `anywhere`.
fn piece(anywhere: bool) -> impl Strategy<Value = Piece> + Clone {
    let often = u32::from(anywhere);
    prop_oneof![
        8 => prop::sample::select(&b"abc"[..]).prop_map(Piece::Byte),
        6 * often => Just(Piece::Byte(b'/')),
        1 => Just(Piece::Star),
        often => Just(Piece::Stars),
        1 => Just(Piece::One),
        1 => (b'a'..=b'c', b'a'..=b'c').prop_map(move |(a, b)| Piece::Class {
            negated: anywhere && a > b,
            from: a.min(b),
            to: a.max(b),
        }),
        // What needs an escape, and what is no letter.
        1 => prop::sample::select(&b"*?[]{},\\-!^ ."[..]).prop_map(Piece::Byte),
        often => (1..=u8::MAX).prop_map(Piece::Byte),
    ]
}

/// Makes the pieces a glob that is spelled as globs must be.
fn absolute(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut glob = vec![Piece::Byte(b'/')];
    glob.extend(pieces);
    let mut glob = merged(glob);
    // Many of these together make automata of millions of states, or as many globs
    // when the alternatives are written out.
    let [mut stars, mut braces] = [0, 0];
    glob.retain(|piece| {
        stars += i32::from(*piece == Piece::Stars);
        braces += i32::from(matches!(piece, Piece::Either(_)));
        match piece {
            Piece::Stars => stars <= 2,
            Piece::Either(_) => braces <= 2,
            _ => true,
        }
    });
    let mut glob = merged(glob);
    while glob.len() > 1 && glob.last() == Some(&Piece::Byte(b'/')) {
        glob.pop();
    }
    glob
}

/// Leaves out what would be one piece in writing: two `/`, stars side by side.
fn merged(mut glob: Vec<Piece>) -> Vec<Piece> {
    let star = |piece: &Piece| matches!(piece, Piece::Star | Piece::Stars);
    glob.dedup_by(|b, a| *a == Piece::Byte(b'/') && a == b || star(a) && star(b));
    for piece in &mut glob {
        if let Piece::Either(alternatives) = piece {
            for alternative in alternatives {
                *alternative = merged(std::mem::take(alternative));
            }
        }
    }
    glob
}

/// The glob's text.
pub(crate) fn render(glob: &[Piece]) -> String {
    let mut text = String::new();
    for piece in glob {
        match piece {
            Piece::Byte(byte) => match byte {
                b'*' | b'?' | b'[' | b']' | b'{' | b'}' | b',' | b'\\' => {
                    text.push('\\');
                    text.push(char::from(*byte));
                }
                b' '..=b'~' => text.push(char::from(*byte)),
                _ => text.push_str(&format!("\\x{byte:02x}")),
            },
            Piece::One => text.push('?'),
            Piece::Star => text.push('*'),
            Piece::Stars => text.push_str("**"),
            Piece::Class { negated, from, to } => {
                let not = if *negated { "!" } else { "" };
                let [from, to] = [from, to].map(|byte| char::from(*byte));
                text.push_str(&format!("[{not}{from}-{to}]"));
            }
            Piece::Either(alternatives) => {
                let alternatives: Vec<_> =
                    alternatives.iter().map(|pieces| render(pieces)).collect();
                text.push_str(&format!("{{{}}}", alternatives.join(",")));
            }
        }
    }
    text
}

/// Whether `path` matches, by definition.
pub(crate) fn matches(glob: &[Piece], path: &[u8]) -> bool {
    written_out(glob)
        .iter()
        .any(|flat| flat_matches(flat, 0, path))
}

/// Every choice of alternatives.
fn written_out(glob: &[Piece]) -> Vec<Vec<Piece>> {
    glob.iter().fold(vec![Vec::new()], |so_far, piece| {
        let ends = match piece {
            Piece::Either(alternatives) => alternatives
                .iter()
                .flat_map(|alternative| written_out(alternative))
                .collect(),
            _ => vec![vec![piece.clone()]],
        };
        so_far
            .iter()
            .flat_map(|start| ends.iter().map(move |end| [&start[..], end].concat()))
            .collect()
    })
}

/// Whether `path` matches the pieces from `at` on.
fn flat_matches(glob: &[Piece], at: usize, path: &[u8]) -> bool {
    const SLASH: Piece = Piece::Byte(b'/');
    let Some(piece) = glob.get(at) else {
        return path.is_empty();
    };
    let rest = |path: &[u8]| flat_matches(glob, at + 1, path);
    match piece {
        Piece::Byte(b'/') => {
            let Some((b'/', after)) = path.split_first() else {
                return false;
            };
            match (glob.get(at + 1), glob.get(at + 2)) {
                // `/**/` ends with a `/` of the path, this one or a later one.
                (Some(Piece::Stars), Some(&SLASH)) => (0..path.len())
                    .any(|end| path[end] == b'/' && flat_matches(glob, at + 2, &path[end..])),
                (Some(Piece::Stars), None) => !after.is_empty(),
                _ => rest(after),
            }
        }
        Piece::Byte(byte) => path.first() == Some(byte) && rest(&path[1..]),
        Piece::One => path.first().is_some_and(|&byte| byte != b'/') && rest(&path[1..]),
        Piece::Class { negated, from, to } => {
            path.first()
                .is_some_and(|byte| *byte != b'/' && (from..=to).contains(&byte) != *negated)
                && rest(&path[1..])
        }
        Piece::Star => {
            let name = path.split(|&byte| byte == b'/').next().unwrap_or_default();
            (0..=name.len()).any(|len| rest(&path[len..]))
        }
        Piece::Stars => (0..=path.len()).any(|len| rest(&path[len..])),
        Piece::Either(_) => unreachable!("alternatives are written out"),
    }
}
