//! A bounded table of what was used last.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// A table that forgets what was used the longest time ago.
#[derive(Clone, Debug)]
pub struct Recent<K, V> {
    capacity: usize,
    entries: HashMap<K, (u64, V)>,
    /// Keys by the time of their last use.
    order: BTreeMap<u64, K>,
    /// Counts uses.
    now: u64,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    /// An empty table for `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            order: BTreeMap::new(),
            now: 0,
        }
    }

    /// Puts an entry in, in place of one with the same key.
    pub fn put(&mut self, key: K, value: V) {
        self.now += 1;
        if let Some((before, _)) = self.entries.insert(key, (self.now, value)) {
            self.order.remove(&before);
        }
        self.order.insert(self.now, key);
        if self.entries.len() > self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
    }

    /// Returns the values, in no order. This uses none of them.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }

    /// Returns an entry, which is a use of it.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        let (used, value) = self.entries.get_mut(key)?;
        self.now += 1;
        self.order.remove(used);
        self.order.insert(self.now, *key);
        *used = self.now;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn what_is_not_used_is_forgotten() {
        let mut recent = Recent::new(2);
        recent.put(1, "a");
        recent.put(2, "b");
        assert_eq!(recent.get(&1), Some(&"a"));
        recent.put(3, "c");
        let left = [1, 2, 3].map(|key| recent.get(&key).copied());
        assert_eq!(left, [Some("a"), None, Some("c")]);
        recent.put(1, "d");
        recent.put(4, "e");
        let left = [1, 3, 4].map(|key| recent.get(&key).copied());
        assert_eq!(left, [Some("d"), None, Some("e")]);
    }

    #[test]
    fn it_stays_within_its_bound() {
        let mut recent = Recent::new(8);
        for key in 0..1000_u32 {
            recent.put(key % 50, key);
            let _used = recent.get(&(key % 7));
            assert!(recent.entries.len() <= 8);
            assert_eq!(recent.entries.len(), recent.order.len());
        }
    }
}
