//! How many processes may be contained at once.

use enforcer_abi::limits::CONTAINED;
use enforcer_tests::{Agent, EACCES, Folder, Obedient};

use super::tasks::available_kib;
use crate::{background::skip, contain::contained};

/// Places that the processors may hold, each 128 of them, before the map is full.
const HELD: usize = 4 * 128;

/// Memory that these take, and some to spare, in KiB.
const NEEDED_KIB: u64 = 1 << 20;

/// While no more processes are contained than the limit says, a thread that slept learns
/// of it; past it, who violated and what it starts are contained none the less.
#[test]
fn threads_learn_of_it_up_to_the_limit() {
    if available_kib() < NEEDED_KIB {
        return skip("not enough memory for as many processes");
    }
    let folder = Folder::new("contained");
    let secret = folder.write("secret", "x");
    let file = folder.write("work/file", "x");
    let agent = Agent::start(&[("contain", &contained("enforce", &folder))]);
    let mut processes = [(); 2].map(|()| Obedient::new(Some("contain")));
    for process in &mut processes {
        assert_eq!(process.told(&format!("have-thread {file}")), 0);
        assert_eq!(process.told("thread-writes"), 0);
        assert_eq!(process.told(&format!("read {secret}")), EACCES);
    }
    let mut others = [(); 2].map(|()| Obedient::new(Some("contain")));
    let read = |count: usize| format!("many-read {count} {secret}");
    let [first, second] = &mut processes;

    let up_to = CONTAINED - HELD;
    assert_eq!(others[0].told(&read(up_to)), 0);
    assert_eq!(agent.counter("contained"), 2 + up_to as u64);
    assert_eq!(first.told("thread-writes"), EACCES, "up to the limit");

    assert_eq!(others[1].told(&read(2 * HELD)), 0);
    for what in ["write", "in-child write"] {
        assert_eq!(second.told(&format!("{what} {file}")), EACCES, "{what}");
    }
    assert_eq!(first.told("thread-writes"), EACCES, "it has learned of it");
    // The others' parents did nothing; nor did who is unconfined.
    for other in &mut others {
        assert_eq!(other.told(&format!("write {file}")), 0);
    }
    assert_eq!(Obedient::new(None).told(&format!("write {file}")), 0);
}
