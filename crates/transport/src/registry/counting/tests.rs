use super::*;

struct Sum(Arc<AtomicU64>);

impl Task for Sum {
    fn advance(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[test]
fn what_is_read_again_counts_once() {
    let sum = Arc::new(AtomicU64::new(0));
    let counting = Counting::new(Arc::new(vec![7; 10]), Box::new(Sum(sum.clone())));
    for (offset, count) in [(0, 4), (2, 4), (0, 1), (6, 4)] {
        counting.read_exact_at(&mut vec![0; count], offset).unwrap();
    }
    assert_eq!((counting.len(), sum.load(Ordering::Relaxed)), (10, 10));
}

#[test]
fn what_cannot_be_read_does_not_count() {
    struct Broken;
    impl ReadAt for Broken {
        fn len(&self) -> u64 {
            10
        }

        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    let sum = Arc::new(AtomicU64::new(0));
    let counting = Counting::new(Arc::new(Broken), Box::new(Sum(sum.clone())));
    assert!(counting.read_at(&mut [0; 4], 0).is_err());
    assert_eq!(sum.load(Ordering::Relaxed), 0);
    // Nor does what is behind the end, or what was skipped when it is read later.
    let counting = Counting::new(Arc::new(vec![7; 10]), Box::new(Sum(sum.clone())));
    assert_eq!(counting.read_at(&mut [0; 4], 10).unwrap(), 0);
    let before = sum.load(Ordering::Relaxed);
    counting.read_exact_at(&mut [0; 4], 2).unwrap();
    assert_eq!((before, sum.load(Ordering::Relaxed)), (10, 10));
}
