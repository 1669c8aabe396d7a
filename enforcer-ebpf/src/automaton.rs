//! Runs a profile's table over the path in a scratch.

use enforcer_abi::{
    Access, Reason, Slot,
    table::{DEAD, HASH_START, Header, Words, hash_step},
};

use crate::{
    kernel::{self, Next, Step},
    maps::{self, AnyTable},
    scratch::{BUFFER, Found, Scratch},
};

/// Bytes of path that one step takes.
const CHUNK: u32 = 16;

/// Puts what the table of `slot` says of the path into `scratch.found`.
///
/// # Errors
///
/// [`Reason::NoTable`].
#[inline(always)]
pub(crate) fn run(slot: Slot, scratch: &mut Scratch) -> Result<(), Reason> {
    match maps::table(slot) {
        Some(AnyTable::Small(table)) => over(table, scratch),
        Some(AnyTable::Medium(table)) => over(table, scratch),
        Some(AnyTable::Large(table)) => over(table, scratch),
        None => Err(Reason::NoTable),
    }
}

/// Where in the buffer the path is.
///
/// Verifier: start and length are kept apart. From a comparison of the place
/// with the buffer's end the compiler would conclude that the mask in
/// [`Chunk::byte`] is superfluous, and the verifier would not.
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    #[inline(always)]
    fn of(scratch: &Scratch) -> Self {
        Self {
            start: scratch.start,
            len: scratch.path_len(),
        }
    }

    /// How many chunks cover it.
    #[inline(always)]
    fn chunks(&self) -> u32 {
        self.len.wrapping_add(CHUNK - 1) / CHUNK
    }
}

/// A piece of the path.
struct Chunk<'a> {
    scratch: &'a Scratch,
    start: u32,
    len: u32,
}

impl<'a> Chunk<'a> {
    #[inline(always)]
    fn of(scratch: &'a Scratch, span: &Span, index: u32) -> Self {
        let from = index.wrapping_mul(CHUNK);
        Self {
            scratch,
            start: span.start.wrapping_add(from),
            len: span.len.wrapping_sub(from),
        }
    }

    /// The byte at `at`, unless the path ends before it.
    #[inline(always)]
    fn byte(&self, at: u32) -> Option<u8> {
        if at >= self.len {
            return None;
        }
        let place = self.start.wrapping_add(at) & (BUFFER as u32 - 1);
        Some(self.scratch.buffer[place as usize])
    }
}

struct Run<'a, const WORDS: usize> {
    table: &'static [u32; WORDS],
    scratch: &'a Scratch,
    span: Span,
    state: u32,
}

impl<const WORDS: usize> Step for Run<'_, WORDS> {
    fn step(&mut self, index: u32) -> Next {
        let mut state = self.state;
        let chunk = Chunk::of(self.scratch, &self.span, index);
        for at in 0..CHUNK {
            let Some(byte) = chunk.byte(at) else { break };
            state = self.table.step(state, byte);
        }
        self.state = state;
        if state == DEAD {
            Next::Stop
        } else {
            Next::Continue
        }
    }
}

#[inline(never)]
fn over<const WORDS: usize>(
    table: &'static [u32; WORDS],
    scratch: &mut Scratch,
) -> Result<(), Reason> {
    if !table.is_table() {
        return Err(Reason::NoTable);
    }
    let mut run = Run {
        table,
        span: Span::of(scratch),
        state: table.word(Header::START),
        scratch,
    };
    kernel::repeat(run.span.chunks(), &mut run);
    let outcome = table.outcome(run.state);
    scratch.found = Found {
        mode: table.mode().0,
        generation: table.word(Header::GENERATION),
        outcome: outcome.index,
        hits: table.word(Header::HITS).wrapping_add(outcome.index),
        allow: outcome.allow,
        target: outcome.target,
    };
    Ok(())
}

struct Hash<'a> {
    scratch: &'a Scratch,
    span: Span,
    value: u64,
}

impl Step for Hash<'_> {
    fn step(&mut self, index: u32) -> Next {
        let mut hash = self.value;
        let chunk = Chunk::of(self.scratch, &self.span, index);
        for at in 0..CHUNK {
            let Some(byte) = chunk.byte(at) else { break };
            hash = hash_step(hash, byte);
        }
        self.value = hash;
        Next::Continue
    }
}

/// The hash of the path, as [`enforcer_abi::table::hash`] gives it.
#[inline(always)]
pub(crate) fn hash(scratch: &Scratch) -> u64 {
    let mut hash = Hash {
        scratch,
        span: Span::of(scratch),
        value: HASH_START,
    };
    kernel::repeat(hash.span.chunks(), &mut hash);
    hash.value
}

/// Nothing found: no layer has been asked.
pub(crate) const NOTHING: Found = Found {
    mode: 0,
    generation: 0,
    outcome: 0,
    hits: 0,
    allow: Access::NONE,
    target: Slot::NONE,
};
