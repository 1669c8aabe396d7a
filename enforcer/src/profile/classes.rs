//! The rights class of each state: what moving a directory has to compare.
//!
//! Two states have one class if and only if an object at a path that ends in the one
//! has the same rights as at a path that ends in the other, and all that is beneath
//! it, too. The sets of rules behind the rights make no difference. What could follow
//! a state and is not beneath it makes none either: `/srv/a` and `/srv/a.log` are
//! both above nothing where a rule speaks of `/srv/*.log`.
//!
//! Class 0 is that of the paths at and beneath which nothing is granted, or no more
//! than on every path.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is a state or a node, and all arrays are as long as there are of these"
)]

use enforcer_abi::table::OUTCOME_WORDS;
use foldhash::{HashMap, HashMapExt as _};

use super::{
    automaton::{Automaton, DEAD, index},
    minimize::{Edge, Incoming, NOTHING, TRANSITIONS, refine},
    work::{Exhausted, Work},
};

/// Steps for a column of a node, and for a state.
const COLUMN: u64 = 4;
const STATE: u64 = 40;

/// What a table says of a path.
pub(super) type Record = [u32; OUTCOME_WORDS as usize];

/// No node.
const NONE: u32 = u32::MAX;

/// By state of `automaton`: its class. `records` are the outcomes of its sets.
///
/// Where there are too many transitions to compare, every state has a class of its
/// own: then nothing seems equal that is not.
///
/// # Errors
///
/// If that is too much work.
pub(super) fn classes(
    automaton: &Automaton,
    records: &[Record],
    work: &mut Work,
) -> Result<Vec<u32>, Exhausted> {
    work.take(automaton.len(), STATE)?;
    let rights = Rights::new(automaton, records);
    let graph = Graph::new(automaton, work)?;
    if graph.transitions > TRANSITIONS {
        return Ok((0..index(automaton.len())).collect());
    }
    let blocks = graph.blocks(&rights, work)?;
    let mut numbers = HashMap::new();
    let mut classes = vec![0];
    for state in 1..index(automaton.len()) {
        // Of what only `/` leads to, there is nothing but the root.
        let beneath = if graph.node(state, Behind::Name) == NONE {
            state
        } else {
            automaton.row(state)[automaton.column(b'/')]
        };
        let beneath = graph.node(beneath, Behind::Slash);
        let beneath = blocks.get(beneath as usize).copied().flatten();
        let of_all = rights.of_states[state as usize] == 0 && beneath.is_none();
        classes.push(if of_all {
            0
        } else {
            let next = index(numbers.len() + 1);
            let key = (rights.of_states[state as usize], beneath);
            *numbers.entry(key).or_insert(next)
        });
    }
    Ok(classes)
}

/// Numbers for the rights of paths.
struct Rights {
    /// By state. 0: what is granted where no rule matches.
    of_states: Vec<u32>,
}

impl Rights {
    fn new(automaton: &Automaton, records: &[Record]) -> Self {
        let mut numbers = HashMap::new();
        let of_sets: Vec<u32> = records
            .iter()
            .map(|record| {
                // What is told of an access makes no difference to the rights.
                let [allow, target, owned, _audit, _quiet, _trial, expiry @ ..] = *record;
                // Which outcome follows has a number of its own for each set of rules: then
                // two seem different that may not be.
                let next = index(numbers.len());
                *numbers
                    .entry(([allow, target, owned], expiry))
                    .or_insert(next)
            })
            .collect();
        let matched = automaton.matched.iter();
        Self {
            of_states: matched.map(|&set| of_sets[set as usize]).collect(),
        }
    }
}

/// What the last byte of a path was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// One of a name: the path is whole.
    Name,
    /// A `/`: a name has to follow.
    Slash,
}

/// The states that paths lead to, in the spelling of the kernel: no `//`, and no `/`
/// at the end. A state is a node for each kind of byte that can be the last before it.
struct Graph<'a> {
    automaton: &'a Automaton,
    nodes: Vec<(u32, Behind)>,
    /// By state: its node behind a name, and behind a `/`.
    numbers: Vec<[u32; 2]>,
    /// How many there are between nodes.
    transitions: usize,
}

impl<'a> Graph<'a> {
    /// Walks `automaton`, until it has too many transitions.
    ///
    /// # Errors
    ///
    /// If that is too much work.
    fn new(automaton: &'a Automaton, work: &mut Work) -> Result<Self, Exhausted> {
        let mut graph = Self {
            automaton,
            nodes: Vec::new(),
            numbers: vec![[NONE; 2]; automaton.len()],
            transitions: 0,
        };
        let root = automaton.step(automaton.start, b'/');
        if root != DEAD {
            graph.reach((root, Behind::Slash));
        }
        let mut done = 0;
        while let Some(&node) = graph.nodes.get(done) {
            work.take(automaton.bytes.len(), COLUMN)?;
            for (_, next) in leads(automaton, node) {
                graph.reach(next);
                graph.transitions += 1;
            }
            if graph.transitions > TRANSITIONS {
                break;
            }
            done += 1;
        }
        Ok(graph)
    }

    /// Notes a node.
    fn reach(&mut self, (state, behind): (u32, Behind)) {
        let number = &mut self.numbers[state as usize][behind as usize];
        if *number == NONE {
            *number = index(self.nodes.len());
            self.nodes.push((state, behind));
        }
    }

    /// The node of `state`, or [`NONE`] if no path leads there.
    fn node(&self, state: u32, behind: Behind) -> u32 {
        self.numbers[state as usize][behind as usize]
    }

    /// By node: the block of those from which the same rights follow. None from which
    /// none do.
    fn blocks(&self, rights: &Rights, work: &mut Work) -> Result<Vec<Option<u32>>, Exhausted> {
        let nodes = self.nodes.iter().zip(0..);
        let edges = nodes.flat_map(|(&node, tail)| {
            leads(self.automaton, node).map(move |(column, (state, behind))| Edge {
                tail,
                column,
                head: self.node(state, behind),
            })
        });
        let incoming = Incoming::new(self.nodes.len(), edges);
        let mut keys: Vec<u32> = self
            .nodes
            .iter()
            .map(|&(state, behind)| match behind {
                Behind::Name => rights.of_states[state as usize],
                // A path does not end here.
                Behind::Slash => 0,
            })
            .collect();
        let live = live(&incoming, &keys);
        for (key, &live) in keys.iter_mut().zip(&live) {
            if !live {
                *key = NOTHING;
            }
        }
        let blocks = refine(&incoming, &keys, work)?;
        let blocks = blocks.into_iter().zip(live);
        Ok(blocks.map(|(block, live)| live.then_some(block)).collect())
    }
}

/// Where paths lead from a node: the columns and the nodes.
fn leads(
    automaton: &Automaton,
    (state, behind): (u32, Behind),
) -> impl Iterator<Item = (u8, (u32, Behind))> + Clone {
    let slash = automaton.column(b'/');
    let row = automaton.row(state).iter().zip(&automaton.bytes);
    row.zip(0..=u8::MAX)
        .filter_map(move |((&next, &byte), column)| {
            let is_slash = usize::from(column) == slash;
            // A column of NUL alone is represented by it, and no path has one.
            let never = is_slash && behind == Behind::Slash || byte == 0;
            if next == DEAD || never {
                return None;
            }
            let behind = if is_slash {
                Behind::Slash
            } else {
                Behind::Name
            };
            Some((column, (next, behind)))
        })
}

/// By node: whether it has rights, or leads to one that has.
fn live(incoming: &Incoming, own: &[u32]) -> Vec<bool> {
    let mut live: Vec<bool> = own.iter().map(|&own| own != 0).collect();
    let mut queue: Vec<u32> = (0..index(live.len()))
        .filter(|&node| live[node as usize])
        .collect();
    while let Some(node) = queue.pop() {
        for (tail, _) in incoming.of(node) {
            if !live[tail as usize] {
                live[tail as usize] = true;
                queue.push(tail);
            }
        }
    }
    live
}
