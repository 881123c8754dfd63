//! Level 1: one small table.

use super::super::symbols::FARTHEST;
use super::history::{History, Match, Table};
use super::quick::{Quick, Start};

/// The table of level 1.
pub(super) struct One(Table<15, { 1 << 15 }>);

impl One {
    pub(super) fn new() -> Self {
        Self(Table::new())
    }
}

impl Quick for One {
    #[inline(always)]
    fn first(
        &mut self,
        history: &History,
        mut at: usize,
        mut value: u64,
        emitted: usize,
        limit: usize,
    ) -> Option<Start> {
        loop {
            let next = at + 2 + ((at - emitted) >> 5);
            if next > limit {
                return None;
            }
            let following = history.eight(next);
            let place = std::mem::replace(self.0.five(value), history.place(at));
            let slot = self.0.five(following);
            if let Some(from) = history.alike(place, at, value, FARTHEST - 1) {
                *slot = history.place(next);
                return Some(Start { at, from, next });
            }
            let place = std::mem::replace(slot, history.place(next));
            if let Some(from) = history.alike(place, next, following, FARTHEST - 1) {
                *slot = history.place(next + 1);
                return Some(Start { at: next, from, next: next + 1 });
            }
            value = following >> 8;
            at = next + 1;
        }
    }

    #[inline(always)]
    fn again(&mut self, history: &History, _found: Match, at: usize) -> (u64, Option<usize>) {
        let value = history.eight(at - 2);
        *self.0.five(value) = history.place(at - 2);
        let value = value >> 16;
        let place = std::mem::replace(self.0.five(value), history.place(at));
        (value, history.alike(place, at, value, FARTHEST))
    }

    #[inline(always)]
    fn last(&mut self, history: &History, found: Match, at: usize) {
        if at + found.length + 8 < history.len() {
            *self.0.five(history.eight(at)) = history.place(at);
        }
    }

    fn forget(&mut self, less: u32) {
        self.0.forget(less);
    }
}
