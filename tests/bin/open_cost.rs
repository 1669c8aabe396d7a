//! Prints what an `open` and `close` of one file cost, in nanoseconds: in a
//! guest that counts instructions as time, in instructions.
//!
//! `open-cost [PROFILES]`: with a folder of profiles, an agent enforces them
//! meanwhile. This program itself is in none of them.

use std::{env, fs, process::Command, time::Instant};

use enforcer_tests::{start_agent, stop};
use rustix::fs::{Mode, OFlags};

/// Batches, of which the median counts.
const BATCHES: usize = 50;
/// Opens in a batch.
const OPENS: u32 = 200;

fn main() {
    let agent = env::args_os().nth(1).map(|profiles| {
        fs::create_dir_all(&profiles).expect("make the folder of profiles");
        let mut run = Command::new("enforcer");
        run.args(["run", "--state", "/tmp/state", "--profiles"])
            .arg(profiles);
        start_agent(&mut run).expect("the agent comes up")
    });

    let path = "/tmp/measured/file";
    fs::create_dir_all("/tmp/measured").expect("make a folder");
    fs::write(path, "x").expect("write a file");
    let mut batches: Vec<u128> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..OPENS {
                rustix::fs::open(path, OFlags::RDONLY, Mode::empty())
                    .map(drop)
                    .expect("open");
            }
            start.elapsed().as_nanos() / u128::from(OPENS)
        })
        .collect();
    batches.sort_unstable();
    println!("{}", batches[BATCHES / 2]);

    if let Some(mut agent) = agent {
        stop(&mut agent);
    }
}
