//! How something is measured.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Batches, of which the median counts. What happens beside, as a timer's tick with what
/// the kernel left for it, hits fewer than half of them: a tick comes with every 4 million
/// instructions, so a batch has to be a good deal shorter.
const BATCHES: u32 = 101;

/// How long the kernel may take to finish what can wait. Nobody waits for it in a guest
/// that counts instructions: where there is nothing to do, time leaps.
const SETTLES_WITHIN: Duration = Duration::from_millis(500);

/// Returns what one call of `operation` takes, in nanoseconds, when batches of `count`
/// are timed. It gets the number of the call.
pub fn each(count: u32, mut operation: impl FnMut(u32)) -> u64 {
    let mut number = 0;
    let batch = |_| {
        let start = Instant::now();
        for _ in 0..count {
            operation(number);
            number += 1;
        }
        nanoseconds(start.elapsed()) / u64::from(count)
    };
    median((0..BATCHES).map(batch).collect())
}

/// Calls that [`each`] makes.
pub const fn calls(count: u32) -> u32 {
    count * BATCHES
}

/// Returns what `work` takes, in nanoseconds.
///
/// Before, the kernel may finish what it was left to do later, as to free what was
/// removed.
pub fn whole(work: impl FnOnce()) -> u64 {
    thread::sleep(SETTLES_WITHIN);
    let start = Instant::now();
    work();
    nanoseconds(start.elapsed())
}

/// Returns the median of a few numbers.
pub fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("no measurement takes centuries")
}
