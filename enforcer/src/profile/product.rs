//! From one automaton for what is allowed and one for what is denied to one for what
//! is granted.
//!
//! Both are small by themselves. Their product is not what one automaton of all
//! patterns would be: where nothing is allowed any more, and where everything is
//! denied from there on, it ends.

use std::collections::HashMap;

use super::automaton::{self, Automaton, DEAD, index};

/// Most states of the product times its columns: 64 MiB of transitions.
const TRANSITIONS: usize = 16 << 20;

/// In place of a state of the allowing automaton: whatever it is, it is denied.
const DENIED: u32 = u32::MAX;

/// Builds the product of `allow` and `deny`. `denies_all` tells whether a set of denying
/// rules leaves no right, and `joined` what the two sets of rules that match a path come
/// to. A path that no allowing rule matches has the empty set.
///
/// Returns nothing if it would be too large.
pub(super) fn product(
    allow: &Automaton,
    deny: &Automaton,
    denies_all: impl Fn(&[usize]) -> bool,
    joined: impl Fn(&[usize], &[usize]) -> Vec<usize>,
) -> Option<Automaton> {
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
    let mut sets = HashMap::from([(Vec::new(), 0)]);
    product.start = states.number(allow.start, deny.start);
    let mut done = 0;
    while let Some(&(allowing, denying)) = states.pairs.get(done) {
        done += 1;
        if states.pairs.len() * product.bytes.len() > TRANSITIONS {
            return None;
        }
        let set = match allowing {
            DENIED => deny_set(denying).to_vec(),
            _ => match allow.set(allowing) {
                [] => Vec::new(),
                set => joined(set, deny_set(denying)),
            },
        };
        let set = *sets.entry(set).or_insert_with_key(|set| {
            product.sets.push(set.clone());
            index(product.sets.len() - 1)
        });
        product.matched.push(set);
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
            product.next.push(match allowing {
                DEAD => DEAD,
                _ if denied => states.number(DENIED, denying),
                _ => states.number(allowing, denying),
            });
        }
    }
    Some(product)
}

/// The states of a product, in the order in which they are met.
#[derive(Default)]
struct States {
    numbers: HashMap<(u32, u32), u32>,
    pairs: Vec<(u32, u32)>,
}

impl States {
    fn number(&mut self, allowing: u32, denying: u32) -> u32 {
        *self.numbers.entry((allowing, denying)).or_insert_with(|| {
            self.pairs.push((allowing, denying));
            // The first number is that of the dead state.
            index(self.pairs.len())
        })
    }
}
