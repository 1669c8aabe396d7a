//! The outsider.

use std::{hint::black_box, io, path::Path};

use crate::{board::Board, scene::Scene};

/// Longest pause between two changes, as a power of two of turns of a loop: about
/// as long as a few opens.
const PAUSE_BITS: u64 = 15;

/// How fast changes follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// With pauses, so that some opens meet no change.
    Paused,
    /// At once.
    Storm,
}

/// Changes names over and over, until it is killed.
pub(crate) fn run(scene: &Scene, folder: &Path, pace: Pace) -> io::Result<()> {
    let board = Board::to_write(folder)?;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    loop {
        for change in scene.changes {
            board.advance();
            change.make(folder)?;
            board.advance();
            if pace == Pace::Paused {
                pause(&mut random);
            }
        }
    }
}

/// Waits for a time that is as likely short as long, by orders of magnitude: so
/// an open meets many changes, one, or none.
fn pause(random: &mut u64) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    let bits = *random % (PAUSE_BITS + 1);
    // Not a hint to the processor that this is a loop: an emulated one takes it for
    // a reason to let others run.
    for turn in 0..1_u64 << bits {
        black_box(turn);
    }
}
