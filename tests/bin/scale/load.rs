//! Tables `profiles` and `rules`: what it takes to load them and to have them.

use std::{fs, path::Path};

use enforcer_tests::measure::each;

use crate::{
    FOLDER,
    agent::{Agent, output_of, scale},
    be_refused, memory, open_once, policy, tell, tell_all,
};

/// Operations in a batch: opens, and programs that are run.
const OPENS: u32 = 40;
const EXECS: u32 = 4;

/// Measures rows of `profiles` or `rules`.
pub(crate) fn measure(table: &str, sizes: &[u32]) {
    let granted = format!("{}/file", policy::GRANTED);
    let refused = format!("{FOLDER}/secret/file");
    for file in [&granted, &refused] {
        fs::create_dir_all(Path::new(file).parent().expect("a folder")).expect("make a folder");
        fs::write(file, "x").expect("write a file");
    }
    let (mut agent, start) = Agent::start();
    if let Some(&size) = sizes.first() {
        tell(table, size, "start", start.ran);
        tell(table, size, "maps-kib", agent.maps_kib());
    }
    let [mapped, own] = [memory::mapped_kib(), agent.memory_kib()];
    for &size in sizes {
        // Those of the last row are gone first; their slots keep a small table.
        agent.clear();
        policy::write(table, size, &agent.profiles());
        let took = agent.reload();
        tell(table, size, "load", took.ran);
        tell(table, size, "load-elapsed", took.elapsed);
        let tables = memory::mapped_kib().saturating_sub(mapped);
        tell(table, size, "tables-kib", tables);
        let grown = agent.memory_kib().saturating_sub(own);
        tell(table, size, "agent-kib", grown);
        tell(table, size, "reload", agent.reload().ran);
        tell(table, size, "exec", each(EXECS, |_| run_nothing()));
        if size > 0 {
            let status = agent.status();
            let profiles = status["profiles"].as_array().expect("a list");
            let name = policy::name(table, size);
            let ours = profiles.iter().find(|profile| profile["name"] == *name);
            let words = ours.and_then(|profile| profile["words"].as_u64());
            tell(table, size, "words", words.expect("the profile is loaded"));
            let lines = output_of(Some(&name), &["open", &granted, &refused]);
            tell_all(table, size, "", &lines);
        }
    }
}

/// What a confined process measures.
pub(crate) fn open(granted: &str, refused: &str) {
    println!("open {}", each(OPENS, |_| open_once(granted)));
    println!("refused {}", each(OPENS, |_| be_refused(refused)));
}

fn run_nothing() {
    let status = scale(None, &["nothing"])
        .status()
        .expect("run this program");
    assert!(status.success(), "{status}");
}
