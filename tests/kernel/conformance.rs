//! The conformance suite: every way of reaching a file, and everything that
//! takes a privilege.
//!
//! Each [`Case`] is one thing that `attempt` does, and runs in four rows, each in
//! a fresh folder: granted, denied, audited, and by an outsider beside the
//! confined. A row checks the errno; that what was refused has not happened, and
//! what passed has; and the detection, or that there is none.
//!
//! - [`case`]: what a case says
//! - [`site`]: the folder of a row, and what is made in it
//! - [`tree`]: what there is in a folder, to see what has changed
//! - [`topic`]: runs the cases of topics under one agent
//! - the rest: the cases, by topic

mod case;
mod site;
mod topic;
mod tree;

mod attributes;
mod capabilities;
mod descriptors;
mod exec;
mod links;
mod memory;
mod metadata;
mod mounts;
mod names;
mod open;
mod processes;
mod renames;
mod sockets;
mod system;
mod unasked;
mod uring;

use std::{collections::HashSet, io::Write as _};

use topic::Topic;

/// Every topic; the tests beneath run them.
const TOPICS: &[Topic] = &[
    open::TOPIC,
    names::TOPIC,
    renames::TOPIC,
    links::TOPIC,
    attributes::TOPIC,
    exec::TOPIC,
    memory::TOPIC,
    sockets::TOPIC,
    descriptors::TOPIC,
    uring::TOPIC,
    metadata::TOPIC,
    mounts::TOPIC,
    processes::TOPIC,
    system::TOPIC,
    capabilities::TOPIC,
    unasked::TOPIC,
];

/// How many operations and ways of reaching a file the suite has to cover.
const ENOUGH: usize = 120;

const _: () = {
    let (mut topic, mut cases) = (0, 0);
    while topic < TOPICS.len() {
        cases += TOPICS[topic].cases.len();
        topic += 1;
    }
    // The topic of what is never asked is none of them.
    assert!(cases - unasked::TOPIC.cases.len() >= ENOUGH);
};

/// Topics that share an agent, since starting one takes longer than a topic.
mod mediated {
    use super::{
        attributes, capabilities, descriptors, exec, links, memory, metadata, mounts, names, open,
        processes, renames, sockets, system, topic, unasked, uring,
    };

    #[test]
    fn files() {
        topic::run(&[
            open::TOPIC,
            names::TOPIC,
            renames::TOPIC,
            links::TOPIC,
            attributes::TOPIC,
        ]);
    }

    #[test]
    fn code_and_descriptors() {
        topic::run(&[
            exec::TOPIC,
            memory::TOPIC,
            sockets::TOPIC,
            descriptors::TOPIC,
            uring::TOPIC,
        ]);
    }

    #[test]
    fn metadata_and_what_is_unasked() {
        topic::run(&[metadata::TOPIC, unasked::TOPIC]);
    }

    #[test]
    fn privileges() {
        topic::run(&[
            mounts::TOPIC,
            processes::TOPIC,
            system::TOPIC,
            capabilities::TOPIC,
        ]);
    }
}

/// Each case is a thing of its own, and says so by its name and by what it does.
#[test]
fn cases_are_distinct() {
    let mut names = HashSet::new();
    let mut covered = 0;
    for topic in TOPICS {
        for case in topic.cases {
            let name = (topic.name, case.name);
            assert!(names.insert(name), "{name:?} twice");
            covered += usize::from(case.is_mediated());
        }
    }
    assert!(covered >= ENOUGH, "only {covered}");
    // Past the harness, which keeps to itself what a test that passes prints.
    let _told = writeln!(
        std::io::stderr(),
        "conformance: {covered} operations and ways of reaching a file in {} topics",
        TOPICS.len()
    );
}
