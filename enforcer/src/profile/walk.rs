//! A walk over all paths and names by two automata side by side.

use std::collections::{HashMap, VecDeque};

use super::{
    CompileError, CompileFault, Profile,
    automaton::{self, Automaton},
    compile,
    place::{self, Place},
};

/// Most pairs of states that are looked at.
const PAIRS: usize = 1 << 20;

/// Where a walk is: a state of each automaton, and where in a path.
type At = (u32, u32, Place);

/// Walks two automata side by side over all paths and names, the shortest first, and calls
/// `meet` with each pair of states in which one can end, and what tells that path. It goes
/// on only from pairs that are `worth` it.
///
/// # Errors
///
/// [`CompileFault::TooLarge`] of `profile`, if it meets more than [`PAIRS`].
pub(super) fn all(
    profile: &Profile,
    [one, other]: [&Automaton; 2],
    worth: impl Fn((u32, u32)) -> bool,
    mut meet: impl FnMut((u32, u32), &dyn Fn() -> Vec<u8>),
) -> Result<(), CompileError> {
    // Bytes that neither automaton nor the form of a path tells apart share a column.
    let class = |byte: u8| (one.column(byte), other.column(byte), place::kind(byte));
    let (_, bytes) = automaton::columns(class);
    let start = (one.start, other.start, Place::START);
    let mut before: HashMap<At, Option<(At, u8)>> = HashMap::from([(start, None)]);
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let (of_one, of_other, place) = at;
        if place.is_whole() {
            meet((of_one, of_other), &|| path_to(at, &before));
        }
        for &byte in &bytes {
            let Some(place) = place.step(byte) else {
                continue;
            };
            let next = (one.step(of_one, byte), other.step(of_other, byte), place);
            if before.contains_key(&next) || !worth((next.0, next.1)) {
                continue;
            }
            if before.len() >= PAIRS {
                let fault = CompileFault::TooLarge {
                    profile: profile.name.clone(),
                    others: Vec::new(),
                };
                return Err(compile::fault_of(profile, fault));
            }
            before.insert(next, Some((at, byte)));
            queue.push_back(next);
        }
    }
    Ok(())
}

/// The bytes by which the walk came to `at`.
fn path_to(mut at: At, before: &HashMap<At, Option<(At, u8)>>) -> Vec<u8> {
    let mut path = Vec::new();
    while let Some(Some((from, byte))) = before.get(&at) {
        path.push(*byte);
        at = *from;
    }
    path.reverse();
    path
}
