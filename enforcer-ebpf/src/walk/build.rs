//! Builds a path from its end towards its front.

use enforcer_abi::limits::NAME_LEN;

use crate::{
    kernel::read_into,
    scratch::{BUFFER, Scratch},
    walk::End,
};

/// Puts `/` and a name of `len` bytes at `text` in front of the path.
#[inline(always)]
pub(super) fn name(scratch: &mut Scratch, len: u32, text: u64) -> Result<(), End> {
    // Verifier: a mask, not a comparison, is what bounds the length for good.
    // No name is longer.
    let len = len & NAME_LEN as u32;
    let start = room(scratch, len + 1)?;
    scratch.buffer[start as usize] = b'/';
    let target = &raw mut scratch.buffer[start as usize + 1];
    read_into(target, len, text).map_err(|_fault| End::Fault)?;
    scratch.start = start;
    scratch.names = scratch.names.wrapping_add(1);
    Ok(())
}

/// Puts `text` in front of the path.
#[inline(always)]
pub(super) fn literal<const LEN: usize>(
    scratch: &mut Scratch,
    text: &[u8; LEN],
) -> Result<(), End> {
    let start = room(scratch, LEN as u32)?;
    for (at, &byte) in (start as usize..).zip(text) {
        scratch.buffer[at] = byte;
    }
    scratch.start = start;
    Ok(())
}

/// Where `len` more bytes in front of the path would start. The path may fill
/// the buffer but for its first byte.
#[inline(always)]
fn room(scratch: &Scratch, len: u32) -> Result<u32, End> {
    let start = scratch.start;
    if start > BUFFER as u32 || start <= len {
        return Err(End::TooLong);
    }
    Ok((start - len) & (BUFFER as u32 - 1))
}

/// Whether the first name of the path starts with a digit.
#[inline(always)]
pub(super) fn is_number(scratch: &Scratch) -> bool {
    let first = (scratch.start & (BUFFER as u32 - 1)) as usize + 1;
    scratch.buffer[first].is_ascii_digit()
}
