//! How much is done with contents of the bases beyond copying from them: hostile recipes name one of them for every entry.

use super::columns::damaged;
use crate::error::Result;
use crate::limits::{BASE_WORK_BYTES, BASE_WORK_TIMES};
use crate::package::features::Extent;

/// What is left of it.
pub(super) struct Work {
    left: u64,
}

impl Work {
    /// For a layer of this `extent`, coded against layers of `bases` bytes together.
    pub(super) fn new(bases: u64, extent: Extent) -> Self {
        let bytes = bases.saturating_add(extent.length).saturating_add(extent.recompressed);
        Self { left: bytes.saturating_mul(BASE_WORK_TIMES).saturating_add(BASE_WORK_BYTES) }
    }

    /// Takes `bytes` of a base that are predicted from or opened.
    ///
    /// # Errors
    /// A content error when less is left.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<()> {
        let left = self.left.checked_sub(bytes);
        self.left =
            left.ok_or_else(|| damaged("it works on contents of its bases far more often than they are long"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spends `bound` bytes, and not one more.
    fn assert_bounded(mut work: Work, bound: u64) {
        work.spend(bound - 3).unwrap();
        let error = work.spend(4).unwrap_err();
        assert!(error.to_string().contains("far more often than they are long"), "{error}");
        work.spend(3).unwrap();
        assert!(work.spend(1).is_err());
        work.spend(0).unwrap();
    }

    #[test]
    fn base_work_bytes_may_be_spent_where_there_is_nothing() {
        assert_bounded(Work::new(0, Extent { length: 0, recompressed: 0 }), BASE_WORK_BYTES);
    }

    #[test]
    fn base_work_times_what_there_is_may_be_spent_besides() {
        for (bases, length, recompressed) in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (5, 7, 11)] {
            let bound = BASE_WORK_BYTES + BASE_WORK_TIMES * (bases + length + recompressed);
            assert_bounded(Work::new(bases, Extent { length, recompressed }), bound);
        }
        Work::new(u64::MAX, Extent { length: u64::MAX, recompressed: 0 }).spend(u64::MAX).unwrap();
    }
}
