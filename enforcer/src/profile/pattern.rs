//! A glob over paths.

use std::fmt;

use regex_automata::{
    Anchored,
    dfa::{Automaton, dense},
    nfa::thompson,
    util::{primitives::StateID, start},
};
use regex_syntax::hir::Hir;

use super::{
    glob::{self, GlobError},
    lower,
};

/// A glob over paths, read and understood.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    prefix: Vec<u8>,
    hir: Hir,
}

impl Pattern {
    /// Reads the glob `text`, in which no variable is left.
    ///
    /// # Errors
    ///
    /// What is wrong, with its place in `text`.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let nodes = glob::parse(text)?;
        let hir = lower::lower(&nodes)?;
        Ok(Self {
            text: text.to_owned(),
            prefix: lower::literal_prefix(&nodes),
            hir,
        })
    }

    /// The text it was read from. Two patterns with one text are the same.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes with which every path that matches starts.
    pub fn literal_prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Whether it has no wildcard and no alternative, so that it matches one path.
    pub fn is_literal(&self) -> bool {
        matches!(self.hir.kind(), regex_syntax::hir::HirKind::Literal(_))
    }

    /// The glob as a regular expression over bytes, to be matched against a
    /// whole path.
    pub fn hir(&self) -> &Hir {
        &self.hir
    }

    /// Whether `path` matches. Builds an automaton for this one answer: to ask
    /// often, compile a profile.
    ///
    /// A pattern whose automaton would be too large matches nothing.
    pub fn matches(&self, path: &[u8]) -> bool {
        let automaton = thompson::Compiler::new()
            .configure(super::automaton::nfa_config())
            .build_from_hir(&self.hir)
            .ok()
            .and_then(|nfa| {
                dense::Builder::new()
                    .configure(super::automaton::dfa_config())
                    .build_from_nfa(&nfa)
                    .ok()
            });
        automaton.is_some_and(|dfa| walk(&dfa, path))
    }
}

fn walk(dfa: &dense::DFA<Vec<u32>>, path: &[u8]) -> bool {
    let config = start::Config::new().anchored(Anchored::Yes);
    let end = dfa.start_state(&config).map(|start: StateID| {
        let last = path
            .iter()
            .fold(start, |state, &byte| dfa.next_state(state, byte));
        dfa.next_eoi_state(last)
    });
    end.is_ok_and(|state| dfa.is_match_state(state))
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

/// Shows the pattern's text.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::Escaped(self.text.as_bytes()).fmt(f)
    }
}
