//! Table `events`: what the agent does for each of many different violations.

use std::{fs, thread, time::Duration};

use serde_json::Value;

use crate::{
    FOLDER,
    agent::Agent,
    be_refused, number, policy, tell,
    told::{Told, follow},
};

/// The table's name.
const TABLE: &str = "events";

/// How many profiles there are beside the one that is violated.
const PROFILES: [(&str, u32); 2] = [("", 1), ("many-", 1000)];

/// Violations in a row, and a pause in which the agent takes them in: the ring buffer has
/// room for some 2,800, and what finds none is told without its path.
const BURST: u32 = 500;
const PAUSE: Duration = Duration::from_millis(300);

/// Measures rows.
pub(crate) fn measure(sizes: &[u32]) {
    let folder = format!("{FOLDER}/secret");
    fs::create_dir_all(&folder).expect("make a folder");
    for file in 0..sizes.iter().sum() {
        fs::write(format!("{folder}/file-{file}"), "").expect("make a file");
    }
    for (prefix, profiles) in PROFILES {
        let agent = Agent::with(|at| policy::write("profiles", profiles, at));
        let profile = policy::name("profiles", profiles);
        let mut process = Told::start(Some(&profile), &["refuse", &folder]);
        let [mut before, mut lost] = [0; 2];
        for &size in sizes {
            let tell = |what: &str, value| tell(TABLE, size, &format!("{prefix}{what}"), value);
            let database = agent.database();
            let all = agent.runs_for(|| {
                process.tell(&format!("{before} {}", before + u64::from(size)));
            });
            before += u64::from(size);
            tell("event", all / u64::from(size));
            let grown = agent.database().saturating_sub(database);
            tell("bytes", grown / u64::from(size));
            let again = agent.runs_for(|| {
                process.tell("0 1");
            });
            tell("count", again);
            let status = agent.status();
            let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64);
            let detections = number("/detections/total").expect("a number");
            let all_lost = number("/counters/events-lost").expect("a number");
            assert!(
                detections + all_lost >= before,
                "some are neither told nor counted as lost: {status}"
            );
            tell("lost", all_lost - lost);
            lost = all_lost;
        }
        process.end();
    }
}

/// Is refused files when it is told to: `FROM TO`.
pub(crate) fn refuse(folder: &str) {
    follow(|order| {
        let (from, to) = order.split_once(' ').expect("two numbers");
        for file in number(from)..number(to) {
            be_refused(&format!("{folder}/file-{file}"));
            if (file + 1).is_multiple_of(BURST) {
                thread::sleep(PAUSE);
            }
        }
        "done".to_owned()
    });
}
