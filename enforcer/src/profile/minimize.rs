//! Merges the states of an automaton that no path tells apart.
//!
//! After "An n log n algorithm for minimizing states in a finite automaton" (Hopcroft, 1971):
//! each block of states splits the blocks whose states lead into it in part, until nothing
//! splits. The transitions to [`DEAD`] are left out, which is sound since from every other
//! state some path matches.

#![expect(
    clippy::indexing_slicing,
    reason = "every index is a state, a column or a block, and all arrays are as long as there are of these"
)]

use super::{
    automaton::{Automaton, DEAD, index},
    work::{Exhausted, Work},
};

/// Most transitions that are worth it: 40 MiB of working memory. An automaton with more is
/// left as it is, which costs space and nothing else.
pub(super) const TRANSITIONS: usize = 4 << 20;

/// The key of states to which nothing matters that leads there.
pub(super) const NOTHING: u32 = u32::MAX;

/// Steps for a transition that is noted, and for one that is followed back.
const NOTED: u64 = 4;
const FOLLOWED: u64 = 10;

/// Returns an automaton that gives every path the same set, with the fewest
/// states. States are numbered in the order in which a walk from the start meets
/// them, so that equal automata are equal to the byte.
///
/// # Errors
///
/// If that is too much work.
pub(super) fn minimize(automaton: Automaton, work: &mut Work) -> Result<Automaton, Exhausted> {
    let count = automaton.next.iter().filter(|&&next| next != DEAD).count();
    if automaton.start == DEAD || count > TRANSITIONS {
        return Ok(automaton);
    }
    work.take(automaton.next.len(), NOTED)?;
    let edges = (1..index(automaton.len())).flat_map(|state| {
        let row = automaton.row(state).iter().zip(0..=u8::MAX);
        let row = row.filter(|&(&head, _)| head != DEAD);
        row.map(move |(&head, column)| Edge {
            tail: state,
            column,
            head,
        })
    });
    let incoming = Incoming::new(automaton.len(), edges);
    let mut keys = automaton.matched.clone();
    keys[DEAD as usize] = NOTHING;
    let blocks = refine(&incoming, &keys, work)?;
    Ok(rebuild(automaton, &blocks))
}

/// By state: the block of those that no path tells apart, where `keys` are what a path
/// that ends in a state is told. What leads to a state with the key [`NOTHING`] is as if it
/// were not there.
///
/// # Errors
///
/// If that is too much work.
pub(super) fn refine(
    incoming: &Incoming,
    keys: &[u32],
    work: &mut Work,
) -> Result<Vec<u32>, Exhausted> {
    let mut blocks = Partition::new(keys);
    // By column: the states that lead into the block by it.
    let mut tails: Vec<Vec<u32>> = vec![Vec::new(); usize::from(u8::MAX) + 1];
    let mut columns: Vec<u8> = Vec::new();
    // Of a block that splits, a part that had its turn with the other needs none.
    let mut block = 0;
    while block < blocks.len() {
        let members = blocks.members(block);
        block += 1;
        if members
            .first()
            .is_none_or(|&first| keys[first as usize] == NOTHING)
        {
            continue;
        }
        let mut followed = 0;
        for &state in members {
            let of_state = incoming.of(state);
            followed += of_state.len();
            for (tail, column) in of_state {
                let tails = &mut tails[usize::from(column)];
                if tails.is_empty() {
                    columns.push(column);
                }
                tails.push(tail);
            }
        }
        work.take(followed, FOLLOWED)?;
        for column in columns.drain(..) {
            for tail in tails[usize::from(column)].drain(..) {
                blocks.mark(tail);
            }
            blocks.split();
        }
    }
    Ok(blocks.set_of)
}

/// The automaton whose states are `blocks`.
fn rebuild(automaton: Automaton, blocks: &[u32]) -> Automaton {
    // By block: a state of it, and its new number.
    let mut members = vec![DEAD; automaton.len()];
    for state in (1..index(automaton.len())).rev() {
        members[blocks[state as usize] as usize] = state;
    }
    let mut numbers = vec![DEAD; automaton.len()];
    let mut queue: Vec<u32> = Vec::new();
    let mut number = |state: u32, queue: &mut Vec<u32>| {
        if state == DEAD {
            return DEAD;
        }
        let block = blocks[state as usize] as usize;
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
        next,
        matched,
        start,
        ..automaton
    }
}

/// A transition: the state `tail` leads to `head`.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) tail: u32,
    pub(super) column: u8,
    pub(super) head: u32,
}

/// The transitions into each state.
pub(super) struct Incoming {
    /// By state, and one more: where its transitions start.
    starts: Vec<u32>,
    tails: Vec<u32>,
    columns: Vec<u8>,
}

impl Incoming {
    /// Of so many states and these transitions, of each state one at most by each column.
    pub(super) fn new(states: usize, edges: impl Iterator<Item = Edge> + Clone) -> Self {
        let mut starts = vec![0; states + 1];
        for Edge { head, .. } in edges.clone() {
            starts[head as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            (*start, sum) = (sum, sum + *start);
        }
        let count = sum as usize;
        let (mut tails, mut columns) = (vec![0; count], vec![0; count]);
        let mut ends = starts.clone();
        for Edge { tail, column, head } in edges {
            let end = &mut ends[head as usize];
            tails[*end as usize] = tail;
            columns[*end as usize] = column;
            *end += 1;
        }
        Self {
            starts,
            tails,
            columns,
        }
    }

    /// The transitions into `state`: from where, and by which column.
    pub(super) fn of(&self, state: u32) -> impl ExactSizeIterator<Item = (u32, u8)> {
        let state = state as usize;
        let range = self.starts[state] as usize..self.starts[state + 1] as usize;
        let tails = self.tails[range.clone()].iter();
        tails.copied().zip(self.columns[range].iter().copied())
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

    /// The elements of `set`.
    fn members(&self, set: usize) -> &[u32] {
        let (from, to) = self.bounds[set];
        &self.elements[from as usize..to as usize]
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
