//! Ranges of hit counters.

/// A range of hit counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first counter.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Which hit counters are in use.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// By their first counters; none overlaps another.
    taken: Vec<Range>,
    capacity: u32,
}

/// There is no room for so many hit counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no room for {wanted} more outcomes among {capacity}; load fewer or simpler profiles"
)]
pub struct NoRoom {
    /// How many were wanted.
    pub wanted: u32,
    /// How many there are in all.
    pub capacity: u32,
}

impl Ranges {
    /// All of `capacity` counters, unused.
    pub fn new(capacity: u32) -> Self {
        Self {
            taken: Vec::new(),
            capacity,
        }
    }

    /// Takes the first free range of `count` counters.
    ///
    /// # Errors
    ///
    /// If no gap is large enough.
    pub fn take(&mut self, count: u32) -> Result<Range, NoRoom> {
        let mut first = 0;
        let mut place = 0;
        for range in &self.taken {
            if range.first - first >= count {
                break;
            }
            first = range.first + range.count;
            place += 1;
        }
        if self.capacity - first < count {
            return Err(NoRoom {
                wanted: count,
                capacity: self.capacity,
            });
        }
        let range = Range { first, count };
        self.taken.insert(place, range);
        Ok(range)
    }

    /// Gives a range back.
    pub fn free(&mut self, range: Range) {
        self.taken.retain(|taken| *taken != range);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NoRoom, Range, Ranges};

    #[test]
    fn first_fit() {
        let mut ranges = Ranges::new(10);
        let a = ranges.take(4).unwrap();
        let b = ranges.take(4).unwrap();
        assert_eq!(
            (a, b),
            (Range { first: 0, count: 4 }, Range { first: 4, count: 4 })
        );
        assert_eq!(
            ranges.take(3),
            Err(NoRoom {
                wanted: 3,
                capacity: 10
            })
        );
        ranges.free(a);
        assert_eq!(ranges.take(3), Ok(Range { first: 0, count: 3 }));
        assert_eq!(ranges.take(1), Ok(Range { first: 3, count: 1 }));
        assert_eq!(ranges.take(2), Ok(Range { first: 8, count: 2 }));
    }

    proptest! {
        /// Whatever is taken and given back, no counter has two owners.
        #[test]
        fn ranges_never_overlap(steps in prop::collection::vec((1_u32..20, any::<bool>()), 1..60)) {
            let mut ranges = Ranges::new(64);
            let mut held: Vec<Range> = Vec::new();
            for (count, free) in steps {
                if free && !held.is_empty() {
                    ranges.free(held.remove(count as usize % held.len()));
                } else if let Ok(range) = ranges.take(count) {
                    for other in &held {
                        let apart = range.first >= other.first + other.count
                            || other.first >= range.first + range.count;
                        prop_assert!(apart, "{range:?} and {other:?}");
                    }
                    prop_assert!(range.first + range.count <= 64);
                    held.push(range);
                }
            }
        }
    }
}
