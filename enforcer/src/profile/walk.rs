//! A walk over all paths and names by two automata side by side.

use foldhash::{HashSet, HashSetExt as _};

use super::{
    automaton::{self, Automaton},
    place::{self, Place},
    work::{Exhausted, Work},
};

/// Most pairs of states that are looked at: 80 MiB of them.
const PAIRS: usize = 1 << 20;
/// Steps for a pair of states, a new one, a byte of one, and one that is looked up.
const PAIR: u64 = 30;
const NEW: u64 = 120;
const BYTE: u64 = 4;
const LOOKED_UP: u64 = 15;
/// Steps for a byte of a path that is told.
pub(super) const TOLD: u64 = 4;

/// Where a walk is: a state of each automaton, and where in a path.
type At = (u32, u32, Place);

/// Walks two automata side by side over all paths and names, the shortest first, and calls
/// `meet` with each pair of states in which one can end, and what tells that path. It goes
/// on only from pairs that are `worth` it.
///
/// # Errors
///
/// If that is too much work, be it for `meet`.
pub(super) fn all(
    [one, other]: [&Automaton; 2],
    work: &mut Work,
    worth: impl Fn((u32, u32)) -> bool,
    mut meet: impl FnMut((u32, u32), &dyn Fn() -> Vec<u8>, &mut Work) -> Result<(), Exhausted>,
) -> Result<(), Exhausted> {
    // Bytes that neither automaton nor the form of a path tells apart share a column.
    let class = |byte: u8| (one.column(byte), other.column(byte), place::kind(byte));
    let (_, bytes) = automaton::columns(class);
    let start = (one.start, other.start, Place::START);
    let mut known = HashSet::new();
    known.insert(start);
    // In the order in which they are met, each with the one before it and the byte from
    // there.
    let mut found: Vec<(At, usize, u8)> = vec![(start, 0, 0)];
    let mut done = 0;
    while let Some(&(at, ..)) = found.get(done) {
        let (of_one, of_other, place) = at;
        work.take(1, PAIR)?;
        work.take(bytes.len(), BYTE)?;
        if place.is_whole() {
            meet((of_one, of_other), &|| path_to(done, &found), work)?;
        }
        let before = found.len();
        let mut looked_up = 0;
        // Bytes side by side often lead to the same.
        let mut last = None;
        for &byte in &bytes {
            let Some(place) = place.step(byte) else {
                continue;
            };
            let next = (one.step(of_one, byte), other.step(of_other, byte), place);
            if last.replace(next) == Some(next) || !worth((next.0, next.1)) {
                continue;
            }
            looked_up += 1;
            if known.insert(next) {
                found.push((next, done, byte));
            }
        }
        work.take(looked_up, LOOKED_UP)?;
        work.take(found.len() - before, NEW)?;
        if found.len() > PAIRS {
            return Err(Exhausted);
        }
        done += 1;
    }
    Ok(())
}

/// The bytes by which the walk came to the one at an index.
fn path_to(mut number: usize, found: &[(At, usize, u8)]) -> Vec<u8> {
    let mut path = Vec::new();
    while number != 0
        && let Some(&(_, before, byte)) = found.get(number)
    {
        path.push(byte);
        number = before;
    }
    path.reverse();
    path
}
