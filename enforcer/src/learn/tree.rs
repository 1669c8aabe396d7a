//! What was seen, as a tree of names, in which those that differ in volatile parts are one.

use std::collections::BTreeMap;

use enforcer_abi::Access;

use super::{
    observe::Seen,
    shapes::{Evidence, Kind, Shape, shape},
};
use crate::profile::literal;

/// Most names of a path that are told apart; what is beneath is one name.
const DEPTH: usize = 128;

/// Rights with which something becomes code.
pub(super) const CODE: Access = Access(Access::EXECUTE.0 | Access::MAP.0);

/// A name, or several of one shape.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// What was seen of the objects with this name.
    pub(super) seen: Option<Seen>,
    /// Their paths.
    pub(super) paths: Vec<Vec<u8>>,
    /// What is volatile in the name.
    pub(super) kinds: Vec<Kind>,
    /// What is in it, by the patterns of the names.
    pub(super) children: BTreeMap<String, Self>,
}

/// The same before shapes are looked for.
#[derive(Debug, Default)]
struct Plain {
    seen: Option<Seen>,
    children: BTreeMap<Vec<u8>, Self>,
}

/// The tree of paths; its top stands for the root. `same_shape` is how many names differ in a
/// number alone before that counts as volatile.
pub(super) fn tree(paths: &BTreeMap<Vec<u8>, Seen>, same_shape: usize) -> Node {
    let mut top = Plain::default();
    for (path, seen) in paths {
        let mut at = &mut top;
        let names = path.strip_prefix(b"/").unwrap_or(path);
        let mut rest = Some(names).filter(|names| !names.is_empty());
        let mut depth = 0;
        while let Some(names) = rest {
            depth += 1;
            let end = names.iter().position(|&byte| byte == b'/');
            let end = end.filter(|_| depth < DEPTH);
            let name = names.get(..end.unwrap_or(names.len())).unwrap_or(names);
            at = at.children.entry(name.to_owned()).or_default();
            rest = end.and_then(|end| names.get(end + 1..));
        }
        at.seen = Some(seen.clone());
    }
    shaped(b"", top, same_shape)
}

/// A folder at `path`, with what is volatile in it in one place.
fn shaped(path: &[u8], plain: Plain, same_shape: usize) -> Node {
    let mut node = Node {
        paths: plain.seen.iter().map(|_| path.to_owned()).collect(),
        seen: plain.seen,
        ..Node::default()
    };
    let folder = String::from_utf8_lossy(path).into_owned();
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for (name, child) in &plain.children {
        if let Some(shape) = shape_of(&folder, name, child, true) {
            *alike.entry(shape.text).or_default() += 1;
        }
    }
    for (name, child) in plain.children {
        let several = shape_of(&folder, &name, &child, true)
            .filter(|shape| alike.get(&shape.text).is_some_and(|&all| all >= same_shape));
        let shape = several.or_else(|| shape_of(&folder, &name, &child, false));
        let path = [path, b"/", &name].concat();
        let Shape { text, kinds } = shape.unwrap_or_else(|| Shape {
            text: literal(&name),
            kinds: Vec::new(),
        });
        let mut child = shaped(&path, child, same_shape);
        child.kinds = kinds;
        match node.children.get_mut(&text) {
            Some(known) => known.merge(child),
            None => {
                node.children.insert(text, child);
            }
        }
    }
    node
}

/// The shape of a name, if anything is volatile in it that may be.
fn shape_of(folder: &str, name: &[u8], child: &Plain, is_several: bool) -> Option<Shape> {
    let seen = child.seen.as_ref();
    let is = |what: fn(&Seen) -> bool| seen.is_some_and(what);
    let evidence = Evidence {
        is_made: is(|seen| seen.is_new || seen.is_gone),
        is_gone: is(|seen| seen.is_new && seen.is_gone),
        is_mapped: is(|seen| seen.access.contains(Access::MAP)),
        is_several,
    };
    let shape = shape(folder, name, evidence);
    let may_be = |kind: &Kind| match kind {
        Kind::Version | Kind::Hash | Kind::Uuid | Kind::Pid => true,
        // Code of another number is other code.
        Kind::Digits | Kind::Date | Kind::TempName => !has_code(child),
    };
    (!shape.kinds.is_empty() && shape.kinds.iter().all(may_be)).then_some(shape)
}

/// Whether it or something in it is run or mapped.
fn has_code(plain: &Plain) -> bool {
    let is_code = |seen: &Seen| !(seen.access & CODE).is_empty();
    plain.seen.as_ref().is_some_and(is_code) || plain.children.values().any(has_code)
}

impl Node {
    /// Takes what is known of another with the same pattern.
    fn merge(&mut self, other: Self) {
        match (&mut self.seen, other.seen) {
            (Some(seen), Some(other)) => seen.merge(&other),
            (seen @ None, other) => *seen = other,
            (Some(_), None) => {}
        }
        self.paths.extend(other.paths);
        self.kinds.extend(other.kinds);
        self.kinds.sort_unstable();
        self.kinds.dedup();
        for (name, child) in other.children {
            match self.children.get_mut(&name) {
                Some(known) => known.merge(child),
                None => {
                    self.children.insert(name, child);
                }
            }
        }
    }

    /// How many objects beneath it are `wanted`.
    pub(super) fn count(&self, wanted: &dyn Fn(&Seen) -> bool) -> usize {
        let of_child = |child: &Self| {
            let own = child.seen.as_ref().is_some_and(wanted);
            let own = if own { child.paths.len() } else { 0 };
            own + child.count(wanted)
        };
        self.children.values().map(of_child).sum()
    }

    /// In how many places beneath it objects are `wanted`: those in it are one, those in each
    /// of its folders another.
    pub(super) fn places(&self, wanted: &dyn Fn(&Seen) -> bool) -> usize {
        let mut children = self.children.values();
        let beneath = children
            .clone()
            .filter(|child| child.count(wanted) > 0)
            .count();
        let is_wanted =
            |child: &Self| child.children.is_empty() && child.seen.as_ref().is_some_and(wanted);
        beneath + usize::from(children.any(is_wanted))
    }

    /// Takes away what is `wanted` beneath it.
    pub(super) fn take(&mut self, wanted: &dyn Fn(&Seen) -> bool) -> Taken {
        let mut taken = Taken::default();
        for child in self.children.values_mut() {
            taken.add(child.take_own(wanted));
            taken.add(child.take(wanted));
        }
        taken
    }

    /// Takes it away itself, if it is `wanted`.
    pub(super) fn take_own(&mut self, wanted: &dyn Fn(&Seen) -> bool) -> Taken {
        match self.seen.take_if(|seen| wanted(seen)) {
            Some(seen) => Taken {
                paths: self.paths.clone(),
                seen: Some(seen),
            },
            None => Taken::default(),
        }
    }
}

/// Objects that one rule is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// What was seen of all of them; none: there are none.
    pub(super) seen: Option<Seen>,
    pub(super) paths: Vec<Vec<u8>>,
}

impl Taken {
    pub(super) fn add(&mut self, other: Self) {
        match (&mut self.seen, other.seen) {
            (Some(seen), Some(other)) => seen.merge(&other),
            (seen @ None, other) => *seen = other,
            (Some(_), None) => {}
        }
        self.paths.extend(other.paths);
    }
}
