//! Paths to try: most of them match a glob, or nearly.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use crate::glob::Piece;

/// Random numbers (splitmix64), the same from the same seed.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `below`.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % below as u64).unwrap()
    }

    /// A byte that a path can hold, often one that globs speak about.
    fn byte(&mut self) -> u8 {
        match self.below(4) {
            0 => u8::try_from(1 + self.below(255)).unwrap(),
            1 => b'/',
            _ => b"abcd"[self.below(4)],
        }
    }
}

/// A path as the kernel spells paths, near to one of the globs.
pub(crate) fn near(globs: &[&[Piece]], random: &mut Random) -> Vec<u8> {
    let mut path = Vec::new();
    sample(globs[random.below(globs.len())], &mut path, random);
    for _ in 0..[0, 0, 1, 2][random.below(4)] {
        let at = random.below(path.len() + 1);
        match random.below(3) {
            0 => path.insert(at, random.byte()),
            1 if at < path.len() => path[at] = random.byte(),
            _ if at < path.len() => {
                path.remove(at);
            }
            _ => path.push(random.byte()),
        }
    }
    spelled(&path)
}

/// The path as file names are: on Unix, any bytes.
pub(crate) fn os(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

/// Adds something that the glob may match.
fn sample(glob: &[Piece], path: &mut Vec<u8>, random: &mut Random) {
    for piece in glob {
        match piece {
            Piece::Byte(byte) => path.push(*byte),
            Piece::One => path.push(random.byte()),
            Piece::Star => {
                for _ in 0..random.below(3) {
                    path.push(b"abcx"[random.below(4)]);
                }
            }
            Piece::Stars => {
                for _ in 0..random.below(6) {
                    path.push(b"ab/c"[random.below(4)]);
                }
            }
            Piece::Class { from, to, .. } => {
                path.push(if random.below(4) == 0 {
                    random.byte()
                } else {
                    *[from, to][random.below(2)]
                });
            }
            Piece::Either(alternatives) => {
                sample(
                    &alternatives[random.below(alternatives.len())],
                    path,
                    random,
                );
            }
        }
    }
}

/// The path with one `/` before each name and none at the end.
fn spelled(path: &[u8]) -> Vec<u8> {
    let names: Vec<&[u8]> = path
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return b"/a".to_vec();
    }
    names
        .iter()
        .flat_map(|name| [&b"/"[..], name].concat())
        .collect()
}

/// The path of a glob without wildcards.
pub(crate) fn exactly(glob: &[Piece]) -> Vec<u8> {
    let bytes = glob.iter().filter_map(|piece| match piece {
        Piece::Byte(byte) => Some(*byte),
        _ => None,
    });
    bytes.collect()
}
