//! From one automaton for what is allowed and one for what is denied to one for what
//! is granted.
//!
//! Both are small by themselves. Their product is not what one automaton of all
//! patterns would be: where nothing is allowed any more, and where everything is
//! denied from there on, it ends.

use std::collections::hash_map::Entry;

use foldhash::{HashMap, HashMapExt as _};

use super::{
    automaton::{self, Automaton, DEAD, MATCHES, STATES, TRANSITIONS, index},
    work::{Exhausted, Work},
};

/// Steps for a pair of states, one that is looked up, a column of one, and a rule of a set.
const PAIR: u64 = 100;
const LOOKED_UP: u64 = 15;
const COLUMN: u64 = 5;
const RULE: u64 = 12;

/// In place of a state of the allowing automaton: whatever it is, it is denied.
const DENIED: u32 = u32::MAX;

/// Builds the product of `allow` and `deny`. `denies_all` tells whether a set of denying
/// rules leaves no right, and `joined` what the two sets of rules that match a path come
/// to. A path that no allowing rule matches has the empty set.
///
/// # Errors
///
/// If that is too much work.
pub(super) fn product(
    allow: &Automaton,
    deny: &Automaton,
    denies_all: impl Fn(&[usize]) -> bool,
    joined: impl Fn(&[usize], &[usize]) -> Vec<usize>,
    work: &mut Work,
) -> Result<Automaton, Exhausted> {
    let pair = |byte: u8| {
        let [of_allow, of_deny] = [allow, deny].map(|automaton| automaton.column(byte));
        (of_allow, of_deny)
    };
    let (columns, bytes) = automaton::columns(pair);
    let pairs: Vec<(usize, usize)> = bytes.iter().map(|&byte| pair(byte)).collect();
    let mut product = Automaton {
        columns,
        next: vec![DEAD; bytes.len()],
        bytes,
        matched: vec![0],
        sets: vec![Vec::new()],
        start: DEAD,
    };
    let deny_set = |state| deny.set(state);
    let is_last_word: Vec<bool> = (0..index(deny.len()))
        .map(|state| {
            let stays = deny.row(state).iter().all(|&next| next == state);
            stays && denies_all(deny_set(state))
        })
        .collect();

    let mut states = States::default();
    let mut sets = HashMap::new();
    sets.insert(Vec::new(), 0);
    let mut matches = 0;
    // By the sets of both: that of the product.
    let mut joins = HashMap::new();
    product.start = states.number((allow.start, deny.start));
    let mut done = 0;
    while let Some(&(allowing, denying)) = states.pairs.get(done) {
        done += 1;
        let count = states.pairs.len();
        if count > STATES || count * pairs.len() > TRANSITIONS {
            return Err(Exhausted);
        }
        work.take(1, PAIR)?;
        work.take(pairs.len(), COLUMN)?;
        let of_allow = match allowing {
            DENIED => DENIED,
            _ => allow.set_number(allowing),
        };
        let key = (of_allow, deny.set_number(denying));
        let set = match joins.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => {
                let set = match allowing {
                    DENIED => deny_set(denying).to_vec(),
                    _ => match allow.set(allowing) {
                        [] => Vec::new(),
                        set => joined(set, deny_set(denying)),
                    },
                };
                work.take(set.len() + allow.set(allowing).len(), RULE)?;
                let set = *sets.entry(set).or_insert_with_key(|set| {
                    matches += set.len();
                    product.sets.push(set.clone());
                    index(product.sets.len() - 1)
                });
                *unknown.insert(set)
            }
        };
        product.matched.push(set);
        if matches > MATCHES {
            return Err(Exhausted);
        }
        let mut looked_up = 0;
        // Columns side by side often lead to the same.
        let mut last = None;
        for &(of_allow, of_deny) in &pairs {
            let next = |automaton: &Automaton, state, column| {
                automaton.row(state).get(column).copied().unwrap_or(DEAD)
            };
            let denying = next(deny, denying, of_deny);
            let allowing = match allowing {
                DENIED => DENIED,
                _ => next(allow, allowing, of_allow),
            };
            let denied = is_last_word.get(denying as usize) == Some(&true);
            let pair = match allowing {
                DEAD => None,
                _ if denied => Some((DENIED, denying)),
                _ => Some((allowing, denying)),
            };
            let next = match (pair, last) {
                (None, _) => DEAD,
                (Some(pair), Some((other, next))) if pair == other => next,
                (Some(pair), _) => {
                    looked_up += 1;
                    let next = states.number(pair);
                    last = Some((pair, next));
                    next
                }
            };
            product.next.push(next);
        }
        work.take(looked_up, LOOKED_UP)?;
    }
    Ok(product)
}

/// The states of a product, in the order in which they are met.
#[derive(Default)]
struct States {
    numbers: HashMap<(u32, u32), u32>,
    pairs: Vec<(u32, u32)>,
}

impl States {
    fn number(&mut self, pair: (u32, u32)) -> u32 {
        *self.numbers.entry(pair).or_insert_with(|| {
            self.pairs.push(pair);
            // The first number is that of the dead state.
            index(self.pairs.len())
        })
    }
}
