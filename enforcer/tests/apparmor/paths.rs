//! Paths to try: of what rules match, and of what they only just do not.

use crate::aare::Piece;

/// A stream of numbers, the same in each run (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len());
        &all[at]
    }
}

/// A path that `pieces` match or, of two in three, one near it. In our spelling; none if no
/// path of ours comes of it.
pub(crate) fn near(pieces: &[Piece], random: &mut Random) -> Option<Vec<u8>> {
    let mut path = matching(pieces, random);
    for _ in 0..random.below(3) {
        change(&mut path, random);
    }
    spelled(path, random)
}

fn matching(pieces: &[Piece], random: &mut Random) -> Vec<u8> {
    let mut path = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Byte(byte) => path.push(*byte),
            Piece::Class(class) => {
                let bytes = (b'!'..=b'~').filter(|byte| class[usize::from(*byte)]);
                let bytes: Vec<u8> = bytes.collect();
                path.push(*random.of(&bytes));
            }
            Piece::Star(least_one) => letters(&mut path, usize::from(*least_one), random),
            Piece::Stars(least_one) => {
                letters(&mut path, usize::from(*least_one), random);
                for _ in 0..random.below(3) {
                    path.push(b'/');
                    letters(&mut path, 1, random);
                }
            }
        }
    }
    path
}

fn letters(path: &mut Vec<u8>, least: usize, random: &mut Random) {
    for _ in 0..least + random.below(4) {
        path.push(*random.of(b"abcdefz019.-_"));
    }
}

fn change(path: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(path.len());
    let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    match random.below(10) {
        0 => path.insert(at, *random.of(b"abz19./")),
        1 if path.len() > 1 => drop(path.remove(at)),
        2 if path.len() > 1 => path[at] = *random.of(b"abz19./"),
        3 => path.push(*random.of(b"abz19.")),
        // What is beneath, what it is in, and what lies beside.
        4 => path.extend_from_slice(b"/x"),
        5 => path.extend_from_slice(b"/x/y.so"),
        6 => path.truncate(slash.max(1)),
        7 => {
            path.truncate(slash + 1);
            letters(path, 1, random);
        }
        8 => path.extend_from_slice(random.of(&[".so", ".conf", "~", ".d"]).as_bytes()),
        _ => path.push(b'/'),
    }
}

/// The path as we spell it: without a `/` at its end, some processes' own folders as
/// `/proc/self`.
fn spelled(mut path: Vec<u8>, random: &mut Random) -> Option<Vec<u8>> {
    while path.len() > 1 && path.last() == Some(&b'/') {
        path.pop();
    }
    let rest = path.strip_prefix(b"/proc/").unwrap_or_default();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = matches!(rest.get(digits), None | Some(b'/'));
    if digits > 0 && ends && random.below(2) == 0 {
        path = [b"/proc/self", &rest[digits..]].concat();
    }
    let names = path.get(1..)?.split(|byte| *byte == b'/');
    let is_name = |name: &[u8]| !name.is_empty() && name != b"." && name != b"..";
    let is_path = path == b"/" || path[0] == b'/' && names.clone().all(is_name);
    is_path.then_some(path)
}
