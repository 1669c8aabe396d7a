//! AppArmor's patterns, by what apparmor.d(5) and the comments of its parser say: `?`,
//! `[...]`, `{a,b}`, `*` without `/` and `**` with it; a `*` or `**` behind a `/` and before
//! a `/` or the end stands for one letter at least, the first of which is no `/`.
//!
//! Alternatives are written out, and what is left is matched by trying everything.

/// A piece of a pattern without alternatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Byte(u8),
    /// One of these 256.
    Class(Vec<bool>),
    /// `*`, and whether it stands for one letter at least.
    Star(bool),
    /// `**`, likewise.
    Stars(bool),
}

/// A piece, or what alternatives are made of.
enum Token {
    Piece(Piece),
    Open,
    Comma,
    Close,
}

/// A pattern: the alternatives, written out.
pub(crate) struct Pattern {
    pub(crate) flat: Vec<Vec<Piece>>,
    /// What each of them begins with.
    pub(crate) starts: Vec<Vec<u8>>,
    /// Whether there is nothing in it but alternatives of letters.
    pub(crate) exact: bool,
}

impl Pattern {
    /// Reads a pattern without variables.
    pub(crate) fn new(text: &str) -> Self {
        let tokens = tokens(text.as_bytes());
        let flat = write_out(&mut tokens.iter().peekable(), false);
        let exact = flat
            .iter()
            .flatten()
            .all(|piece| matches!(piece, Piece::Byte(_)));
        let start = |pieces: &Vec<Piece>| {
            let bytes = pieces.iter().map_while(|piece| match piece {
                Piece::Byte(byte) => Some(*byte),
                _ => None,
            });
            bytes.collect()
        };
        let starts = flat.iter().map(start).collect();
        Self {
            flat,
            starts,
            exact,
        }
    }

    /// Whether `path` matches.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        let fits = |start: &Vec<u8>, pieces: &[Piece]| {
            let rest = path.strip_prefix(start.as_slice());
            rest.is_some_and(|rest| matches(&pieces[start.len()..], rest))
        };
        let mut flat = self.starts.iter().zip(&self.flat);
        flat.any(|(start, pieces)| fits(start, pieces))
    }
}

fn tokens(text: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let behind_slash = at > 0 && text[at - 1] == b'/';
        at += 1;
        tokens.push(match byte {
            b'\\' => {
                at += 1;
                Token::Piece(Piece::Byte(text[at - 1]))
            }
            b'{' => {
                depth += 1;
                Token::Open
            }
            b'}' => {
                depth -= 1;
                Token::Close
            }
            b',' if depth > 0 => Token::Comma,
            b'?' => Token::Piece(Piece::Class((0..=255).map(|byte| byte != b'/').collect())),
            b'*' => {
                let is_double = text.get(at) == Some(&b'*');
                at += usize::from(is_double);
                let after = text[at..].iter().find(|byte| **byte != b'*');
                let least_one = behind_slash && matches!(after, None | Some(b'/'));
                Token::Piece(if is_double {
                    Piece::Stars(least_one)
                } else {
                    Piece::Star(least_one)
                })
            }
            b'[' => {
                let end = at + text[at..].iter().position(|byte| *byte == b']').unwrap();
                let inner = &text[at..end];
                at = end + 1;
                Token::Piece(Piece::Class(class(inner)))
            }
            byte => Token::Piece(Piece::Byte(byte)),
        });
    }
    tokens
}

fn class(text: &[u8]) -> Vec<bool> {
    let negated = text.first() == Some(&b'^');
    let text = &text[usize::from(negated)..];
    let mut class = vec![negated; 256];
    let mut at = 0;
    while at < text.len() {
        let is_range = at + 2 < text.len() && text[at + 1] == b'-';
        let end = if is_range { text[at + 2] } else { text[at] };
        for byte in text[at]..=end {
            class[usize::from(byte)] = !negated;
        }
        at += if is_range { 3 } else { 1 };
    }
    class
}

/// Reads up to the end, or within braces to a comma or the closing one.
fn write_out(
    tokens: &mut std::iter::Peekable<std::slice::Iter<'_, Token>>,
    inside: bool,
) -> Vec<Vec<Piece>> {
    let mut all = vec![Vec::new()];
    while let Some(token) = tokens.peek() {
        match token {
            Token::Comma | Token::Close => {
                assert!(inside, "a brace that nothing opened");
                break;
            }
            Token::Piece(piece) => {
                for flat in &mut all {
                    flat.push(piece.clone());
                }
                tokens.next();
            }
            Token::Open => {
                let mut ends = Vec::new();
                while !matches!(tokens.next(), Some(Token::Close) | None) {
                    ends.extend(write_out(tokens, true));
                }
                let joined = |start: &Vec<Piece>| {
                    let ends = ends.iter().map(|end| [start.as_slice(), end].concat());
                    ends.collect::<Vec<_>>()
                };
                all = all.iter().flat_map(joined).collect();
            }
        }
    }
    all
}

fn matches(pieces: &[Piece], path: &[u8]) -> bool {
    let Some((piece, rest)) = pieces.split_first() else {
        return path.is_empty();
    };
    let first = path.first().copied();
    match piece {
        Piece::Byte(byte) => first == Some(*byte) && matches(rest, &path[1..]),
        Piece::Class(class) => {
            first.is_some_and(|byte| class[usize::from(byte)]) && matches(rest, &path[1..])
        }
        Piece::Star(least_one) | Piece::Stars(least_one) => {
            let crosses = matches!(piece, Piece::Stars(_));
            if *least_one && first.is_none_or(|byte| byte == b'/') {
                return false;
            }
            let most = path.iter().position(|byte| *byte == b'/' && !crosses);
            let most = most.unwrap_or(path.len());
            (usize::from(*least_one)..=most).any(|count| matches(rest, &path[count..]))
        }
    }
}

#[test]
fn patterns() {
    // The examples of apparmor.d(5) and of the comments in AppArmor's parser.
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &[&str]); 12] = [
        ("/dir/file",    &["/dir/file"],                     &["/dir/files", "/dir"]),
        ("/dir/*",       &["/dir/a"],                        &["/dir/", "/dir/a/"]),
        ("/dir/a*",      &["/dir/a", "/dir/ab"],             &["/dir/a/", "/dir/b"]),
        ("/dir/*.png",   &["/dir/a.png", "/dir/.png"],       &["/dir/a/b.png"]),
        ("/dir/[^.]*",   &["/dir/a"],                        &["/dir/.a"]),
        ("/dir/",        &["/dir/"],                         &["/dir"]),
        ("/dir/*/",      &["/dir/a/"],                       &["/dir/", "/dir/a/b/"]),
        ("/dir/**",      &["/dir/a", "/dir/a/b", "/dir/a/"], &["/dir/"]),
        ("/dir/**/",     &["/dir/a/", "/dir/a/b/"],          &["/dir/", "/dir/a"]),
        ("/dir{,1,2}/**", &["/dir/a", "/dir1/a/b"],          &["/dir3/a", "/dir/"]),
        ("/foo/*bar",    &["/foo/bar"],                      &["/foo/a/bar"]),
        ("/a/{,**}",     &["/a/", "/a/b"],                   &["/a"]),
    ];
    for (text, yes, no) in cases {
        let pattern = Pattern::new(text);
        for path in yes {
            assert!(pattern.matches(path.as_bytes()), "{text} {path}");
        }
        for path in no {
            assert!(!pattern.matches(path.as_bytes()), "{text} {path}");
        }
    }
}
