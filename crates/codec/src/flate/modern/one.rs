//! Level 1: one small table.

use super::super::symbols::FARTHEST;
use super::super::tokens::Tokens;
use super::history::{Find, History, MARGIN, Match, Table};

/// The table of level 1.
pub(super) struct One(Table<15, { 1 << 15 }>);

impl One {
    pub(super) fn new() -> Self {
        Self(Table::new())
    }

    /// The first match from `at` on, and the position that would have been looked at next.
    #[inline(always)]
    fn first(
        &mut self,
        history: &History,
        mut at: usize,
        mut value: u64,
        emitted: usize,
        limit: usize,
    ) -> Option<(usize, usize, usize)> {
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
                return Some((at, from, next));
            }
            let place = std::mem::replace(slot, history.place(next));
            if let Some(from) = history.alike(place, next, following, FARTHEST - 1) {
                *slot = history.place(next + 1);
                return Some((next, from, next + 1));
            }
            value = following >> 8;
            at = next + 1;
        }
    }
}

impl Find for One {
    fn find(&mut self, history: &History, start: usize, tokens: &mut Tokens) {
        let limit = history.len() - MARGIN;
        let (mut at, mut emitted, mut value) = (start, start, history.eight(start));
        'block: while let Some((found, mut from, next)) = self.first(history, at, value, emitted, limit) {
            at = found;
            loop {
                let length = history.agree(at + 4, from + 4) + 4;
                let found = history.emit(Match { at, from, length }, emitted, tokens);
                at = found.end();
                emitted = at;
                if next >= at {
                    at = next + 1;
                }
                if at >= limit {
                    if at + found.length + 8 < history.len() {
                        *self.0.five(history.eight(at)) = history.place(at);
                    }
                    break 'block;
                }
                value = history.eight(at - 2);
                *self.0.five(value) = history.place(at - 2);
                value >>= 16;
                let place = std::mem::replace(self.0.five(value), history.place(at));
                let Some(again) = history.alike(place, at, value, FARTHEST) else { break };
                from = again;
            }
            value >>= 8;
            at += 1;
        }
        history.emit_rest(emitted, tokens);
    }

    fn forget(&mut self, less: u32) {
        self.0.forget(less);
    }
}
