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

use std::collections::HashMap;

use enforcer_abi::table::OUTCOME_WORDS;

use super::{
    automaton::{Automaton, DEAD, index},
    minimize::{Incoming, TRANSITIONS, Transitions, refine},
};

/// What a table says of a path.
pub(super) type Record = [u32; OUTCOME_WORDS as usize];

/// No node.
const NONE: u32 = u32::MAX;

/// By state of `automaton`: its class. `records` are the outcomes of its sets.
///
/// Where there are too many transitions to compare, every state has a class of its
/// own: then nothing seems equal that is not.
pub(super) fn classes(automaton: &Automaton, records: &[Record]) -> Vec<u32> {
    let rights = Rights::new(automaton, records);
    let Some(graph) = Graph::new(automaton) else {
        return (0..index(automaton.len())).collect();
    };
    let blocks = graph.blocks(&rights);
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
    classes
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
                let [allow, target, owned, _audit, _quiet, _trial] = *record;
                let next = index(numbers.len());
                *numbers.entry([allow, target, owned]).or_insert(next)
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
struct Graph {
    nodes: Vec<(u32, Behind)>,
    /// By state: its node behind a name, and behind a `/`.
    numbers: Vec<[u32; 2]>,
    transitions: Transitions,
}

impl Graph {
    /// Walks `automaton`. Returns nothing if it has too many transitions.
    fn new(automaton: &Automaton) -> Option<Self> {
        let mut graph = Self {
            nodes: Vec::new(),
            numbers: vec![[NONE; 2]; automaton.len()],
            transitions: Transitions {
                tails: Vec::new(),
                heads: Vec::new(),
                columns: Vec::new(),
            },
        };
        let slash = automaton.column(b'/');
        let root = automaton.row(automaton.start)[slash];
        if root != DEAD {
            graph.reach(root, Behind::Slash);
        }
        let mut done = 0;
        while let Some(&(state, behind)) = graph.nodes.get(done) {
            for (column, &next) in automaton.row(state).iter().enumerate() {
                let is_slash = column == slash;
                // A column of NUL alone is represented by it, and no path has one.
                let never = is_slash && behind == Behind::Slash || automaton.bytes[column] == 0;
                if next == DEAD || never {
                    continue;
                }
                let behind = if is_slash {
                    Behind::Slash
                } else {
                    Behind::Name
                };
                let head = graph.reach(next, behind);
                graph.transitions.tails.push(index(done));
                graph.transitions.heads.push(head);
                graph.transitions.columns.push(index(column));
            }
            if graph.transitions.tails.len() > TRANSITIONS {
                return None;
            }
            done += 1;
        }
        Some(graph)
    }

    /// The node of `state`.
    fn reach(&mut self, state: u32, behind: Behind) -> u32 {
        let number = &mut self.numbers[state as usize][behind as usize];
        if *number == NONE {
            *number = index(self.nodes.len());
            self.nodes.push((state, behind));
        }
        *number
    }

    /// The node of `state`, or [`NONE`] if no path leads there.
    fn node(&self, state: u32, behind: Behind) -> u32 {
        self.numbers[state as usize][behind as usize]
    }

    /// By node: the block of those from which the same rights follow. None from which
    /// none do.
    fn blocks(&self, rights: &Rights) -> Vec<Option<u32>> {
        let own = |node: usize| match self.nodes[node] {
            (state, Behind::Name) => rights.of_states[state as usize],
            // A path does not end here.
            (_, Behind::Slash) => 0,
        };
        let live = self.live(own);
        let mut numbers = vec![NONE; self.nodes.len()];
        let mut keys = Vec::new();
        for (node, number) in numbers.iter_mut().enumerate() {
            if live[node] {
                *number = index(keys.len());
                keys.push(own(node));
            }
        }
        let mut transitions = Transitions {
            tails: Vec::new(),
            heads: Vec::new(),
            columns: Vec::new(),
        };
        let Transitions {
            tails,
            heads,
            columns,
        } = &self.transitions;
        for ((&tail, &head), &column) in tails.iter().zip(heads).zip(columns) {
            let [tail, head] = [tail, head].map(|node| numbers[node as usize]);
            // What leads to a live node is live.
            if head != NONE {
                transitions.tails.push(tail);
                transitions.heads.push(head);
                transitions.columns.push(column);
            }
        }
        let blocks = refine(&transitions, &keys);
        numbers
            .into_iter()
            .map(|number| blocks.get(number as usize).copied())
            .collect()
    }

    /// By node: whether it has rights, or leads to one that has.
    fn live(&self, own: impl Fn(usize) -> u32) -> Vec<bool> {
        let incoming = Incoming::new(self.nodes.len(), &self.transitions.heads);
        let mut live: Vec<bool> = (0..self.nodes.len()).map(|node| own(node) != 0).collect();
        let mut queue: Vec<u32> = (0..index(live.len()))
            .filter(|&node| live[node as usize])
            .collect();
        while let Some(node) = queue.pop() {
            for &transition in incoming.of(node) {
                let tail = self.transitions.tails[transition as usize];
                if !live[tail as usize] {
                    live[tail as usize] = true;
                    queue.push(tail);
                }
            }
        }
        live
    }
}
