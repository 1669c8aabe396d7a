//! From an automaton to the words of a table ([`enforcer_abi::table`]).
//!
//! The transitions of all states lie in one array, each state's shifted so that
//! they fall where there is room: states with many first, each at the first place
//! that fits. The same automaton always gives the same words.

use enforcer_abi::{
    Mode, Privileges, Respond,
    limits::TABLE_WORDS,
    table::{EXPIRES, Header, STATE_WORDS, UNIFORM},
};

use super::{
    automaton::{Automaton, index},
    classes::{Record, classes},
    work::{Exhausted, Work},
};

/// Pairs that a state can look at, wherever its own are shifted: one a byte.
const BYTES: usize = 256;
/// Tries after which the search for room starts later for the next state with as
/// many transitions. Costs a little room, and keeps the search from taking the
/// square of the states.
const TRIES: u32 = 64;

/// Steps for a column of a state, and for a look at whether there is room for a transition.
const COLUMN: u64 = 12;
const LOOK: u64 = 3;

/// An automaton that fits in no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge {
    /// How many words it needs.
    pub(super) words: usize,
}

/// What a table says beside paths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) privileges: Privileges,
    pub(super) respond: Respond,
    pub(super) permitted: u32,
}

/// Packs `automaton`, whose sets of patterns have the outcomes `outcomes`. Generation
/// and hit counters stay 0.
///
/// # Errors
///
/// If that is too much work, or the table would be too large.
pub(super) fn pack(
    automaton: &Automaton,
    outcomes: &[Record],
    settings: Settings,
    work: &mut Work,
) -> Result<Result<Vec<u32>, TooLarge>, Exhausted> {
    work.take(automaton.next.len(), COLUMN)?;
    let rows = rows(automaton);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&state| {
        let transitions = rows.get(state).map_or(0, |row| row.pairs.len());
        std::cmp::Reverse(transitions)
    });

    let mut pairs = Pairs::default();
    let mut shifts = vec![0; rows.len()];
    for state in order {
        if let (Some(row), Some(shift)) = (rows.get(state), shifts.get_mut(state)) {
            *shift = pairs.place(word_of(index(state)), &row.pairs);
            work.take(std::mem::take(&mut pairs.looks), LOOK)?;
        }
    }
    let reach = shifts.iter().max().map_or(BYTES, |last| last + BYTES);
    pairs.words.resize(reach, [0, 0]);

    let states = Header::WORDS as usize + rows.len() * STATE_WORDS as usize;
    let outcomes_at = states + 2 * reach;
    let len = outcomes_at + outcomes.as_flattened().len();
    if len > TABLE_WORDS.into_iter().max().unwrap_or(0) {
        return Ok(Err(TooLarge { words: len }));
    }

    let Settings {
        mode,
        privileges,
        respond,
        permitted,
    } = settings;
    let [low, high] = halves(privileges);
    let mut words = vec![0; Header::WORDS as usize];
    for (at, word) in [
        (Header::CHECK, Header::MAGIC),
        (Header::START, word_of(automaton.start)),
        (Header::OUTCOMES, index(outcomes_at)),
        (Header::OUTCOME_COUNT, index(outcomes.len())),
        (Header::MODE, mode.0),
        (Header::PRIVILEGES, low),
        (Header::PRIVILEGES + 1, high),
        (Header::RESPOND, respond.0),
        (Header::PERMITTED, permitted),
    ] {
        if let Some(place) = words.get_mut(at as usize) {
            *place = word;
        }
    }
    words.reserve(len);
    let classes = classes(automaton, outcomes, work)?;
    let says = automaton.matched.iter().zip(&classes);
    for (state, ((row, shift), (&outcome, &class))) in
        rows.iter().zip(&shifts).zip(says).enumerate()
    {
        let uniform = if row.leads_only_to(word_of(index(state))) {
            UNIFORM
        } else {
            0
        };
        words.extend([
            index(states + 2 * shift),
            row.otherwise,
            outcome | uniform,
            class | expires(outcomes.get(outcome as usize)),
        ]);
    }
    words.extend(pairs.words.as_flattened());
    words.extend(outcomes.as_flattened());
    Ok(Ok(words))
}

/// [`EXPIRES`], if the outcome with this record ends.
fn expires(record: Option<&Record>) -> u32 {
    match record {
        Some([.., until, _then, within, _beyond]) if until | within != 0 => EXPIRES,
        _ => 0,
    }
}

/// The lower and the upper half of the set.
fn halves(privileges: Privileges) -> [u32; 2] {
    let half = |bits: u64| index(usize::try_from(bits & u64::from(u32::MAX)).unwrap_or(0));
    [half(privileges.0), half(privileges.0 >> 32)]
}

/// The word at which the record of `state` starts: its name in the table.
fn word_of(state: u32) -> u32 {
    Header::WORDS + state * STATE_WORDS
}

/// Where a state leads.
struct Row {
    /// The state that most bytes lead to, by its word.
    otherwise: u32,
    /// The other bytes in order, each with its state's word.
    pairs: Vec<(u8, u32)>,
}

impl Row {
    /// Whether every byte that a path can have leads to `state`.
    fn leads_only_to(&self, state: u32) -> bool {
        self.otherwise == state && self.pairs.iter().all(|&(byte, _)| byte == 0)
    }
}

fn rows(automaton: &Automaton) -> Vec<Row> {
    let mut bytes: Vec<Vec<u8>> = vec![Vec::new(); automaton.bytes.len()];
    for (byte, &column) in (0..=u8::MAX).zip(&automaton.columns) {
        if let Some(bytes) = bytes.get_mut(usize::from(column)) {
            bytes.push(byte);
        }
    }
    (0..index(automaton.len()))
        .map(|state| {
            let row = automaton.row(state);
            let otherwise = commonest(row, &bytes);
            let mut pairs: Vec<(u8, u32)> = row
                .iter()
                .zip(&bytes)
                .filter(|&(&next, _)| next != otherwise)
                .flat_map(|(&next, bytes)| bytes.iter().map(move |&byte| (byte, word_of(next))))
                .collect();
            pairs.sort_unstable();
            Row {
                otherwise: word_of(otherwise),
                pairs,
            }
        })
        .collect()
}

/// The state that most bytes lead to, the least of several.
fn commonest(row: &[u32], bytes: &[Vec<u8>]) -> u32 {
    let mut counts: Vec<(u32, usize)> = row
        .iter()
        .zip(bytes)
        .map(|(&next, bytes)| (next, bytes.len()))
        .collect();
    counts.sort_unstable();
    counts
        .chunk_by(|a, b| a.0 == b.0)
        .map(|same| {
            let count: usize = same.iter().map(|&(_, count)| count).sum();
            (count, same.first().map_or(0, |&(next, _)| next))
        })
        .max_by_key(|&(count, next)| (count, std::cmp::Reverse(next)))
        .map_or(0, |(_, next)| next)
}

/// The transitions of all states.
struct Pairs {
    /// State and next state; 0 where there is room.
    words: Vec<[u32; 2]>,
    /// By place: a place not before it, and not behind the first with room. One
    /// more than `words` has.
    room: Vec<u32>,
    /// By number of transitions: where the search starts.
    hints: Vec<usize>,
    /// How many places were looked at.
    looks: usize,
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            room: vec![0],
            hints: vec![0; BYTES + 1],
            looks: 0,
        }
    }
}

impl Pairs {
    /// Puts the transitions of `state` where they fit, and returns by how many
    /// places they are shifted.
    fn place(&mut self, state: u32, pairs: &[(u8, u32)]) -> usize {
        let Some(&(first, _)) = pairs.first() else {
            return 0;
        };
        let first = usize::from(first);
        let hint = self.hints.get(pairs.len()).copied().unwrap_or(0);
        let mut at = self.first_room(hint.max(first));
        let mut tries = 1;
        while !self.fits(at - first, pairs) {
            at = self.first_room(at + 1);
            tries += 1;
        }
        if tries > TRIES
            && let Some(hint) = self.hints.get_mut(pairs.len())
        {
            *hint = at;
        }
        let shift = at - first;
        for &(byte, next) in pairs {
            let at = shift + usize::from(byte);
            self.grow(at + 1);
            if let Some(pair) = self.words.get_mut(at) {
                *pair = [state, next];
            }
            if let Some(room) = self.room.get_mut(at) {
                *room = index(at + 1);
            }
        }
        shift
    }

    fn fits(&mut self, shift: usize, pairs: &[(u8, u32)]) -> bool {
        let taken = pairs.iter().position(|&(byte, _)| {
            self.words
                .get(shift + usize::from(byte))
                .is_some_and(|pair| *pair != [0, 0])
        });
        self.looks += taken.map_or(pairs.len(), |at| at + 1);
        taken.is_none()
    }

    fn grow(&mut self, len: usize) {
        while self.words.len() < len {
            self.words.push([0, 0]);
            self.room.push(index(self.words.len()));
        }
    }

    /// The first place with room from `at` on.
    fn first_room(&mut self, at: usize) -> usize {
        let mut end = at;
        while let Some(&next) = self.room.get(end)
            && next as usize != end
        {
            end = next as usize;
        }
        // The next search takes the short way.
        let mut step = at;
        while step < end
            && let Some(next) = self.room.get_mut(step)
        {
            step = std::mem::replace(next, index(end)) as usize;
        }
        end
    }
}
