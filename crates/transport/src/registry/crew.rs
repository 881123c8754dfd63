//! Several requests at the same time: most of what they take is waiting.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use delta_core::error::{Error, Result};

/// Requests at the same time; registries slow down those who ask for more.
const WORKERS: usize = 4;

/// Does `work` for each item, and returns what comes of it in the order of the items; after a failure no other is begun.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::default();
    let failed: Mutex<Option<Error>> = Mutex::default();
    let worker = || {
        while let Some((at, item)) =
            { Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?))) }
        {
            match work(item) {
                Ok(made) => done.lock().unwrap_or_else(PoisonError::into_inner).push((at, made)),
                Err(error) => {
                    next.store(items.len(), Ordering::Relaxed);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        }
    };
    thread::scope(|scope| {
        (0..WORKERS.min(items.len())).for_each(|_| {
            scope.spawn(worker);
        });
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => {
            let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
            done.sort_by_key(|(at, _)| *at);
            Ok(done.into_iter().map(|(_, made)| made).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_in_order_and_a_failure_ends_it() {
        let items: Vec<u64> = (0..100).collect();
        assert_eq!(
            in_parallel(&items, |item| Ok(item * 2)).unwrap(),
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        let begun = AtomicUsize::new(0);
        let result = in_parallel(&items, |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 3 { Err(Error::environment("three")) } else { Ok(()) }
        });
        assert_eq!(result.unwrap_err().to_string(), "three");
        assert!(in_parallel(&[] as &[u64], |_| Ok(())).unwrap().is_empty() && begun.into_inner() <= 100);
    }

    #[test]
    fn each_item_is_done_once_and_by_no_more_workers_than_there_are() {
        let (at_once, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..40).collect();
        let done = in_parallel(&items, |item| {
            most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            at_once.fetch_sub(1, Ordering::SeqCst);
            Ok(*item)
        });
        assert_eq!(done.unwrap(), items);
        assert!((1..=WORKERS).contains(&most.into_inner()));
    }

    #[test]
    fn the_first_failure_is_told_though_others_follow() {
        let begun = AtomicUsize::new(0);
        let error = in_parallel(&[0; 100], |_| {
            begun.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Error::content("the same"))
        });
        assert_eq!(error.unwrap_err().to_string(), "the same");
        // Each worker may have begun one when the first failed.
        assert!((1..=WORKERS).contains(&begun.into_inner()));
    }
}
