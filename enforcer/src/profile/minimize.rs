//! Merges the states of an automaton that no path tells apart.
//!
//! After "Fast brief practical DFA minimization" (Valmari, 2012): blocks of
//! states and blocks of transitions split one another until nothing splits. The
//! transitions to [`DEAD`] are left out, which is sound since from every other
//! state some path matches.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is a state, a transition or a block, and all arrays are as long as there are of these"
)]

use super::automaton::{Automaton, DEAD, index};

/// Most transitions that are worth it: about 100 MiB of working memory. An
/// automaton with more is left as it is, which costs space and nothing else.
pub(super) const TRANSITIONS: usize = 4 << 20;

/// Returns an automaton that gives every path the same set, with the fewest
/// states. States are numbered in the order in which a walk from the start meets
/// them, so that equal automata are equal to the byte.
pub(super) fn minimize(automaton: Automaton) -> Automaton {
    let count = automaton.next.iter().filter(|&&next| next != DEAD).count();
    if automaton.start == DEAD || count > TRANSITIONS {
        return automaton;
    }
    let blocks = blocks(&automaton, count);
    rebuild(&automaton, &blocks)
}

/// By state, without [`DEAD`]: the block of states that it is in.
fn blocks(automaton: &Automaton, count: usize) -> Vec<u32> {
    let transitions = Transitions::new(automaton, count);
    refine(&transitions, &automaton.matched[1..])
}

/// By state: the block of those that no path tells apart, where `keys` are what a path
/// that ends in a state is told. Some path has to matter to every state.
pub(super) fn refine(transitions: &Transitions, keys: &[u32]) -> Vec<u32> {
    let mut blocks = Partition::new(keys);
    let mut cords = Partition::new(&transitions.columns);
    let incoming = Incoming::new(keys.len(), &transitions.heads);

    // The first block of states needs no turn: what it would split, the others do.
    let mut block = 1;
    let mut cord = 0;
    while cord < cords.len() {
        for at in cords.range(cord) {
            blocks.mark(transitions.tails[cords.elements[at] as usize]);
        }
        blocks.split();
        cord += 1;
        while block < blocks.len() {
            for at in blocks.range(block) {
                for &transition in incoming.of(blocks.elements[at]) {
                    cords.mark(transition);
                }
            }
            cords.split();
            block += 1;
        }
    }
    blocks.set_of
}

/// The automaton whose states are `blocks`.
fn rebuild(automaton: &Automaton, blocks: &[u32]) -> Automaton {
    let block = |state: u32| match state {
        DEAD => None,
        _ => Some(blocks[state as usize - 1] as usize),
    };
    // By block: a state of it, and its new number.
    let mut members = vec![DEAD; automaton.len()];
    for state in (1..index(automaton.len())).rev() {
        if let Some(block) = block(state) {
            members[block] = state;
        }
    }
    let mut numbers = vec![DEAD; automaton.len()];
    let mut queue: Vec<u32> = Vec::new();
    let mut number = |state: u32, queue: &mut Vec<u32>| {
        let Some(block) = block(state) else {
            return DEAD;
        };
        if numbers[block] == DEAD {
            queue.push(members[block]);
            numbers[block] = index(queue.len());
        }
        numbers[block]
    };

    let width = automaton.bytes.len();
    let mut next = vec![DEAD; width];
    let mut matched = vec![0];
    let start = number(automaton.start, &mut queue);
    let mut done = 0;
    while done < queue.len() {
        let state = queue[done];
        done += 1;
        matched.push(automaton.matched[state as usize]);
        for &follower in automaton.row(state) {
            next.push(number(follower, &mut queue));
        }
    }
    Automaton {
        columns: automaton.columns,
        bytes: automaton.bytes.clone(),
        next,
        matched,
        sets: automaton.sets.clone(),
        start,
    }
}

/// The transitions that do not lead to [`DEAD`]. States count from 0 without it.
pub(super) struct Transitions {
    pub(super) tails: Vec<u32>,
    pub(super) heads: Vec<u32>,
    pub(super) columns: Vec<u32>,
}

impl Transitions {
    fn new(automaton: &Automaton, count: usize) -> Self {
        let mut transitions = Self {
            tails: Vec::with_capacity(count),
            heads: Vec::with_capacity(count),
            columns: Vec::with_capacity(count),
        };
        for state in 1..index(automaton.len()) {
            for (column, &next) in automaton.row(state).iter().enumerate() {
                if next != DEAD {
                    transitions.tails.push(state - 1);
                    transitions.heads.push(next - 1);
                    transitions.columns.push(index(column));
                }
            }
        }
        transitions
    }
}

/// The transitions into each state.
pub(super) struct Incoming {
    /// By state, and one more: where its transitions start.
    starts: Vec<u32>,
    transitions: Vec<u32>,
}

impl Incoming {
    pub(super) fn new(states: usize, heads: &[u32]) -> Self {
        let mut starts = vec![0; states + 1];
        for &head in heads {
            starts[head as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut transitions = vec![0; heads.len()];
        for (transition, &head) in heads.iter().enumerate().rev() {
            let start = &mut starts[head as usize];
            *start -= 1;
            transitions[*start as usize] = index(transition);
        }
        Self {
            starts,
            transitions,
        }
    }

    /// The transitions into `state`.
    pub(super) fn of(&self, state: u32) -> &[u32] {
        let state = state as usize;
        &self.transitions[self.starts[state] as usize..self.starts[state + 1] as usize]
    }
}

/// Elements in sets that only ever split.
struct Partition {
    /// The elements, those of a set side by side.
    elements: Vec<u32>,
    /// By element: where it is in `elements`.
    place: Vec<u32>,
    /// By element: its set.
    set_of: Vec<u32>,
    /// By set: where it starts and ends in `elements`.
    bounds: Vec<(u32, u32)>,
    /// By set: how many of its elements are marked. They come first.
    marked: Vec<u32>,
    /// The sets with marked elements.
    touched: Vec<u32>,
}

impl Partition {
    /// Puts elements with equal keys into one set.
    fn new(keys: &[u32]) -> Self {
        let mut elements: Vec<u32> = (0..index(keys.len())).collect();
        elements.sort_by_key(|&element| keys[element as usize]);
        let mut partition = Self {
            place: vec![0; keys.len()],
            set_of: vec![0; keys.len()],
            bounds: Vec::new(),
            marked: Vec::new(),
            touched: Vec::new(),
            elements,
        };
        let mut from = 0;
        let sets = partition
            .elements
            .chunk_by(|&a, &b| keys[a as usize] == keys[b as usize]);
        for (set, members) in sets.enumerate() {
            for (at, &element) in members.iter().enumerate() {
                partition.place[element as usize] = from + index(at);
                partition.set_of[element as usize] = index(set);
            }
            let to = from + index(members.len());
            partition.bounds.push((from, to));
            partition.marked.push(0);
            from = to;
        }
        partition
    }

    /// How many sets there are.
    fn len(&self) -> usize {
        self.bounds.len()
    }

    /// The places of the elements of `set`.
    fn range(&self, set: usize) -> std::ops::Range<usize> {
        let (from, to) = self.bounds[set];
        from as usize..to as usize
    }

    /// Marks `element`, once between two splits.
    fn mark(&mut self, element: u32) {
        let set = self.set_of[element as usize];
        let place = self.place[element as usize];
        let first = self.bounds[set as usize].0 + self.marked[set as usize];
        let other = self.elements[first as usize];
        self.elements.swap(place as usize, first as usize);
        self.place[other as usize] = place;
        self.place[element as usize] = first;
        if self.marked[set as usize] == 0 {
            self.touched.push(set);
        }
        self.marked[set as usize] += 1;
    }

    /// Splits the sets that are marked in part. The smaller part is the new set.
    fn split(&mut self) {
        while let Some(set) = self.touched.pop() {
            let marked = std::mem::take(&mut self.marked[set as usize]);
            let (from, to) = self.bounds[set as usize];
            let middle = from + marked;
            if middle == to {
                continue;
            }
            let new = if marked <= to - middle {
                self.bounds[set as usize] = (middle, to);
                (from, middle)
            } else {
                self.bounds[set as usize] = (from, middle);
                (middle, to)
            };
            let number = index(self.bounds.len());
            for at in new.0..new.1 {
                let element = self.elements[at as usize];
                self.set_of[element as usize] = number;
            }
            self.bounds.push(new);
            self.marked.push(0);
        }
    }
}
