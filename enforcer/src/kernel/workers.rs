//! Work that is shared among threads.

use std::{iter, panic, sync::Mutex, thread};

/// Has so many threads do `work`, each with what it takes of `items`, one at a time.
///
/// # Errors
///
/// That of one of them, if any failed. The others go on with what there is.
pub(super) fn share<T: Send, E: Send>(
    threads: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(&mut dyn Iterator<Item = T>) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let queue = Mutex::new(items);
    let next = || queue.lock().ok()?.next();
    let work = || work(&mut iter::from_fn(next));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_taken_once() {
        let taken = Mutex::new(Vec::new());
        let done: Result<(), ()> = share(3, 0..100, |items| {
            for item in items {
                taken.lock().unwrap().push(item);
            }
            Ok(())
        });
        assert_eq!(done, Ok(()));
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..100));
    }

    #[test]
    fn an_error_comes_back() {
        let failed = share(2, 0..10, |items| {
            for item in items {
                if item == 7 {
                    return Err(item);
                }
            }
            Ok(())
        });
        assert_eq!(failed, Err(7));
    }
}
