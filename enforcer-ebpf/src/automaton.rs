//! Runs a profile's table over the path in a scratch.

use enforcer_abi::{
    Access, Expiry, Layer, Mode, Moment, Privileges, Reason, Slot,
    table::{DEAD, HASH_START, Header, Outcome, Words, hash_step},
};
use zerocopy::FromZeros as _;

use crate::{
    judge::slot_of,
    kernel::{self, Task, global},
    maps::{self, AnyTable},
    scratch::{BUFFER, Found, STATES, Scratch},
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
    let state = match_path(
        scratch.at,
        slot.0,
        with(&table, Start)?,
        0,
        scratch.path_len(),
    );
    // No table that is asked so has anything that expires.
    find(slot, 0, state, scratch)
}

/// As [`run`], and leaves the states of the object and of its folder for `layer`.
///
/// # Errors
///
/// [`Reason::NoTable`].
#[inline(always)]
pub(crate) fn run_layer(slot: Slot, layer: u32, scratch: &mut Scratch) -> Result<(), Reason> {
    let table = maps::table(slot).ok_or(Reason::NoTable)?;
    let len = scratch.path_len();
    let folder = len.wrapping_sub(scratch.leaf);
    let state = match_path(scratch.at, slot.0, with(&table, Start)?, 0, folder);
    *of(&mut scratch.folder_states, layer) = state;
    scratch.is_folder_uniform &= u32::from(with(&table, Uniform { state })?);
    let state = match_path(scratch.at, slot.0, state, folder, len);
    *of(&mut scratch.states, layer) = state;
    scratch.is_uniform &= u32::from(with(&table, Uniform { state })?);
    find(slot, layer, state, scratch)
}

/// What the table of `slot` says of the state of `layer` in the scratch; if `has_name`,
/// of where the name leads from there, which is all that the scratch has of a path.
///
/// # Errors
///
/// [`Reason::NoTable`].
#[inline(always)]
pub(crate) fn settle(
    slot: Slot,
    layer: u32,
    has_name: bool,
    scratch: &mut Scratch,
) -> Result<Settled, Reason> {
    let table = maps::table(slot).ok_or(Reason::NoTable)?;
    if has_name {
        let from = *of(&mut scratch.states, layer);
        let state = match_path(scratch.at, slot.0, from, 0, scratch.path_len());
        *of(&mut scratch.states, layer) = state;
    }
    let state = *of(&mut scratch.states, layer);
    with(&table, Settle { state })
}

/// What a table says of a path, as far as a grant needs it.
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    /// The index of its hit counter.
    pub(crate) hits: u32,
    /// Whether all that lies beneath has the same outcome.
    pub(crate) is_uniform: bool,
}

/// Whether every byte of a path leads from a state to itself.
struct Uniform {
    state: u32,
}

impl Look for Uniform {
    type Found = bool;
    #[inline(always)]
    fn look(self, words: &impl Words) -> bool {
        words.is_uniform(self.state)
    }
}

/// What is said of a path that ends in a state, as [`Settled`].
struct Settle {
    state: u32,
}

impl Look for Settle {
    type Found = Settled;
    #[inline(always)]
    fn look(self, words: &impl Words) -> Settled {
        let outcome = words.outcome(self.state);
        Settled {
            hits: words.word(Header::HITS).wrapping_add(outcome.index),
            is_uniform: words.is_uniform(self.state),
            outcome,
        }
    }
}

/// What is noted for the layer with this number.
///
/// Verifier: the mask stays, since nobody says what numbers there are.
#[inline(always)]
fn of(states: &mut [u32; STATES], layer: u32) -> &mut u32 {
    &mut states[layer as usize & (STATES - 1)]
}

/// Puts what the table of `slot`, which is that of `layer`, says of a path that ends in
/// `state` into `scratch.found`.
#[inline(always)]
fn find(slot: Slot, layer: u32, state: u32, scratch: &mut Scratch) -> Result<(), Reason> {
    match find_outcome(scratch.at, slot.0, layer, state) {
        0 => Ok(()),
        _ => Err(Reason::NoTable),
    }
}

global! {
    /// [`find`]: 0, or 1 if there is no table.
    ///
    /// Verifier: apart, and piece by piece, since the callers have no stack left for it.
    fn find_outcome(at: u32, slot: u32, layer: u32, state: u32) -> u32 {
        match (maps::scratch(at), maps::table(Slot(slot))) {
            (Ok(scratch), Some(table)) => {
                u32::from(note_outcome(scratch, &table, slot, layer, state).is_err())
            }
            _ => 1,
        }
    }
}

#[inline(always)]
fn note_outcome(
    scratch: &mut Scratch,
    table: &AnyTable,
    slot: u32,
    layer: u32,
    state: u32,
) -> Result<(), Reason> {
    scratch.found = with(table, Facts)?;
    let everywhere = now(table, slot, layer, DEAD)?;
    scratch.found.everywhere = with(table, everywhere)?.allow;
    let at = now(table, slot, layer, state)?;
    let outcome = with(table, at)?;
    scratch.found.outcome = outcome.index;
    scratch.found.hits = scratch.found.hits.wrapping_add(outcome.index);
    scratch.found.allow = outcome.allow;
    scratch.found.owned = outcome.owned;
    scratch.found.audit = outcome.audit;
    scratch.found.quiet = outcome.quiet;
    scratch.found.trial = outcome.trial;
    scratch.found.target = outcome.target;
    scratch.found.scrub = u32::from(outcome.scrub);
    scratch.found.class = outcome.class;
    if !outcome.expiry.is_never() {
        scratch.is_passing = 1;
    }
    if is_before(scratch.found.permitted) {
        scratch.found.mode = Mode::AUDIT.0;
        // All that is done meanwhile is told.
        scratch.found.quiet = Access::NONE;
    }
    Ok(())
}

/// The outcome that holds now of a path that ends in a state.
#[inline(always)]
fn now(table: &AnyTable, slot: u32, layer: u32, state: u32) -> Result<OutcomeAt, Reason> {
    let (index, expiry) = with(table, Ends { state })?;
    let index = if expiry.is_never() {
        index
    } else {
        unexpired(slot, layer, index)
    };
    Ok(OutcomeAt { state, index })
}

/// Whether it is before this time: seconds since 1970, UTC; 0 is no time.
#[inline(always)]
fn is_before(time: u32) -> bool {
    time != 0 && kernel::time_s().wrapping_add(maps::booted()) < time
}

global! {
    /// The index of the outcome that has by now taken the place of the one with this index,
    /// in the table of `slot`, as far as the current task's `layer` is concerned.
    fn unexpired(slot: u32, layer: u32, index: u32) -> u32 {
        let (Some(label), Some(table)) = (maps::label(Task::current()), maps::table(Slot(slot)))
        else {
            return index;
        };
        let time = kernel::time_s();
        let layer = Layer::from_index(layer);
        let age = if slot_of(&label.layers, layer).0 == slot {
            time.wrapping_sub(*label.since(layer))
        } else {
            // It comes under the profile only now.
            0
        };
        let moment = Moment { now: time.wrapping_add(maps::booted()), age };
        with(&table, Unexpired { index, moment }).unwrap_or(index)
    }
}

/// The privileges that the profile in `slot` grants, and its facts.
///
/// # Errors
///
/// [`Reason::NoTable`].
#[inline(always)]
pub(crate) fn privileges(slot: Slot) -> Result<(Found, Privileges), Reason> {
    let table = maps::table(slot).ok_or(Reason::NoTable)?;
    let mut facts = with(&table, Facts)?;
    if is_before(facts.permitted) {
        facts.mode = Mode::AUDIT.0;
    }
    Ok((facts, with(&table, Granted)?))
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

/// The index of the outcome of a path that ends in a state, and when it ends. The state
/// [`DEAD`] is that of a path of which nothing is said.
struct Ends {
    state: u32,
}

impl Look for Ends {
    type Found = (u32, Expiry);
    #[inline(always)]
    fn look(self, words: &impl Words) -> (u32, Expiry) {
        let index = words.outcome_of(self.state);
        (index, words.expiry(index))
    }
}

/// The index of the outcome that has taken the place of one by some moment.
struct Unexpired {
    index: u32,
    moment: Moment,
}

impl Look for Unexpired {
    type Found = u32;
    #[inline(always)]
    fn look(self, words: &impl Words) -> u32 {
        words.at(self.index, self.moment)
    }
}

/// What the outcome with an index says of a path that ends in a state.
struct OutcomeAt {
    state: u32,
    index: u32,
}

impl Look for OutcomeAt {
    type Found = Outcome;
    #[inline(always)]
    fn look(self, words: &impl Words) -> Outcome {
        words.outcome_at(self.state, self.index)
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
            respond: words.respond(),
            permitted: words.permitted(),
            generation: words.word(Header::GENERATION),
            hits: words.word(Header::HITS),
            ..Found::new_zeroed()
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
    state: u32,
    from: u32,
    until: u32,
}

impl Look for Steps<'_> {
    type Found = u32;
    #[inline(always)]
    fn look(self, words: &impl Words) -> u32 {
        let mut state = self.state;
        if words.is_uniform(state) {
            return state;
        }
        for at in 0..CHUNK {
            let at = self.from.wrapping_add(at);
            if at >= self.until {
                break;
            }
            state = words.step(state, byte(self.scratch, at));
        }
        state
    }
}

global! {
    /// Takes a state over the bytes of the path from `from` to `until`. Returns where it
    /// leads.
    fn match_path(at: u32, slot: u32, state: u32, from: u32, until: u32) -> u32 {
        let mut state = state;
        for chunk in 0..CHUNKS {
            let next = from.wrapping_add(chunk * CHUNK);
            if next >= until || state == DEAD {
                break;
            }
            state = match_bytes(at, slot, state, next, until);
        }
        state
    }
}

global! {
    /// As [`match_path`], over [`CHUNK`] bytes at most.
    fn match_bytes(at: u32, slot: u32, state: u32, from: u32, until: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return DEAD;
        };
        let steps = |table| {
            with(&table, Steps { scratch, state, from, until }).ok()
        };
        maps::table(Slot(slot)).and_then(steps).unwrap_or(DEAD)
    }
}

/// The byte of the path at `at`, which is not past its end.
///
/// Verifier: start and length are kept apart. From a comparison of the place
/// with the buffer's end the compiler would conclude that the mask is
/// superfluous, and the verifier would not.
#[inline(always)]
fn byte(scratch: &Scratch, at: u32) -> u8 {
    let place = scratch.start.wrapping_add(at) & (BUFFER as u32 - 1);
    scratch.buffer[place as usize]
}

/// The hash of the path, as [`enforcer_abi::table::hash`] gives it.
#[inline(always)]
pub(crate) fn hash(scratch: &mut Scratch) -> u64 {
    scratch.hash = HASH_START;
    let len = scratch.path_len();
    for chunk in 0..CHUNKS {
        if chunk * CHUNK >= len || hash_bytes(scratch.at, chunk * CHUNK) == 0 {
            break;
        }
    }
    scratch.hash
}

global! {
    /// Takes [`CHUNK`] bytes of the path into the hash in the scratch.
    fn hash_bytes(at: u32, from: u32) -> u32 {
        let Ok(scratch) = maps::scratch(at) else {
            return 0;
        };
        let mut hash = scratch.hash;
        for next in from..from.wrapping_add(CHUNK) {
            if next >= scratch.path_len() {
                break;
            }
            hash = hash_step(hash, byte(scratch, next));
        }
        scratch.hash = hash;
        1
    }
}
