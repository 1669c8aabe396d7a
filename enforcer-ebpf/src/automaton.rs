//! Runs a profile's table over the path in a scratch.

use enforcer_abi::{
    Privileges, Reason, Slot,
    table::{DEAD, HASH_START, Header, Outcome, Words, hash_step},
};

use crate::{
    kernel::{Task, global},
    maps::{self, AnyTable},
    scratch::{BUFFER, Found, Scratch},
};

/// Bytes of path that one call of [`match_bytes`] takes.
const CHUNK: u32 = 32;
/// Calls that cover the longest path.
const CHUNKS: u32 = BUFFER as u32 / CHUNK;

/// Puts what the table of `slot` says of the path into `scratch.found`.
///
/// # Errors
///
/// [`Reason::NoTable`].
#[inline(always)]
pub(crate) fn run(slot: Slot, scratch: &mut Scratch) -> Result<(), Reason> {
    let table = maps::table(slot).ok_or(Reason::NoTable)?;
    scratch.state = with(&table, Start)?;
    let state = match_path(slot.0);
    let (outcome, everywhere) = with(&table, Outcomes { state })?;
    scratch.found = with(&table, Facts)?;
    scratch.found.outcome = outcome.index;
    scratch.found.hits = scratch.found.hits.wrapping_add(outcome.index);
    scratch.found.allow = outcome.allow;
    scratch.found.target = outcome.target;
    scratch.found.scrub = u32::from(outcome.scrub);
    scratch.found.class = outcome.class;
    scratch.found.everywhere = everywhere.allow;
    Ok(())
}

/// The privileges that the profile in `slot` grants. Puts its facts into
/// `scratch.found`.
///
/// # Errors
///
/// [`Reason::NoTable`].
#[inline(always)]
pub(crate) fn privileges(slot: Slot, scratch: &mut Scratch) -> Result<Privileges, Reason> {
    let table = maps::table(slot).ok_or(Reason::NoTable)?;
    scratch.found = with(&table, Facts)?;
    with(&table, Granted)
}

/// Something that is looked up in a table of any size.
trait Look {
    type Found;
    fn look(self, words: &impl Words) -> Self::Found;
}

/// Looks something up in a table, if it is one.
#[inline(always)]
fn with<L: Look>(table: &AnyTable, look: L) -> Result<L::Found, Reason> {
    match table {
        AnyTable::Small(words) if words.is_table() => Ok(look.look(*words)),
        AnyTable::Medium(words) if words.is_table() => Ok(look.look(*words)),
        AnyTable::Large(words) if words.is_table() => Ok(look.look(*words)),
        _ => Err(Reason::NoTable),
    }
}

/// The state in which a path starts.
struct Start;

impl Look for Start {
    type Found = u32;
    #[inline(always)]
    fn look(self, words: &impl Words) -> u32 {
        words.word(Header::START)
    }
}

/// What is said of a path that ends in a state, and of one of which nothing is.
struct Outcomes {
    state: u32,
}

impl Look for Outcomes {
    type Found = (Outcome, Outcome);
    #[inline(always)]
    fn look(self, words: &impl Words) -> (Outcome, Outcome) {
        (words.outcome(self.state), words.outcome(DEAD))
    }
}

/// What holds for every path.
struct Facts;

impl Look for Facts {
    type Found = Found;
    #[inline(always)]
    fn look(self, words: &impl Words) -> Found {
        Found {
            mode: words.mode().0,
            generation: words.word(Header::GENERATION),
            hits: words.word(Header::HITS),
            ..Found::NOTHING
        }
    }
}

/// The privileges.
struct Granted;

impl Look for Granted {
    type Found = Privileges;
    #[inline(always)]
    fn look(self, words: &impl Words) -> Privileges {
        words.privileges()
    }
}

/// Steps over a piece of the path.
struct Steps<'a> {
    scratch: &'a Scratch,
    from: u32,
}

impl Look for Steps<'_> {
    type Found = u32;
    #[inline(always)]
    fn look(self, words: &impl Words) -> u32 {
        let mut state = self.scratch.state;
        for at in 0..CHUNK {
            let Some(byte) = byte(self.scratch, self.from + at) else {
                break;
            };
            state = words.step(state, byte);
        }
        state
    }
}

global! {
    /// Takes the state in the scratch over the path. Returns the state.
    fn match_path(slot: u32) -> u32 {
        let Ok(scratch) = maps::scratch(Task::current()) else {
            return DEAD;
        };
        let len = scratch.path_len();
        for chunk in 0..CHUNKS {
            if chunk * CHUNK >= len || match_bytes(slot, chunk * CHUNK) == DEAD {
                break;
            }
        }
        scratch.state
    }
}

global! {
    /// Takes the state in the scratch over [`CHUNK`] bytes of the path. Returns the
    /// state.
    fn match_bytes(slot: u32, from: u32) -> u32 {
        let Ok(scratch) = maps::scratch(Task::current()) else {
            return DEAD;
        };
        let stepped = maps::table(Slot(slot))
            .and_then(|table| with(&table, Steps { scratch, from }).ok());
        scratch.state = stepped.unwrap_or(DEAD);
        scratch.state
    }
}

/// The byte of the path at `at`, unless the path ends before it.
///
/// Verifier: start and length are kept apart. From a comparison of the place
/// with the buffer's end the compiler would conclude that the mask is
/// superfluous, and the verifier would not.
#[inline(always)]
fn byte(scratch: &Scratch, at: u32) -> Option<u8> {
    if at >= scratch.path_len() {
        return None;
    }
    let place = scratch.start.wrapping_add(at) & (BUFFER as u32 - 1);
    Some(scratch.buffer[place as usize])
}

/// The hash of the path, as [`enforcer_abi::table::hash`] gives it.
#[inline(always)]
pub(crate) fn hash(scratch: &mut Scratch) -> u64 {
    scratch.hash = HASH_START;
    let len = scratch.path_len();
    for chunk in 0..CHUNKS {
        if chunk * CHUNK >= len || hash_bytes(chunk * CHUNK) == 0 {
            break;
        }
    }
    scratch.hash
}

global! {
    /// Takes [`CHUNK`] bytes of the path into the hash in the scratch.
    fn hash_bytes(from: u32) -> u32 {
        let Ok(scratch) = maps::scratch(Task::current()) else {
            return 0;
        };
        let mut hash = scratch.hash;
        for at in 0..CHUNK {
            let Some(byte) = byte(scratch, from + at) else {
                break;
            };
            hash = hash_step(hash, byte);
        }
        scratch.hash = hash;
        1
    }
}
