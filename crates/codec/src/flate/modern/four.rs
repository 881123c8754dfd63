//! Level 4: a table for four bytes and one for seven.

use super::super::symbols::FARTHEST;
use super::super::tokens::Tokens;
use super::history::{Find, History, MARGIN, Match, Table};

/// A match is nearer than the farthest.
const NEAR: usize = FARTHEST - 1;

/// The tables of level 4.
pub(super) struct Four {
    short: Table<15, { 1 << 15 }>,
    long: Table<15, { 1 << 15 }>,
    /// A distance is taken for a position: klauspost/compress from 1.18.0 on, and Go.
    mistaken: bool,
}

impl Four {
    pub(super) fn new(mistaken: bool) -> Self {
        Self { short: Table::new(), long: Table::new(), mistaken }
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
            let next = at + 1 + ((at - emitted) >> 6);
            if next > limit {
                return None;
            }
            let following = history.eight(next);
            let short = std::mem::replace(self.short.four(value), history.place(at));
            let long = std::mem::replace(self.long.seven(value), history.place(at));
            if let Some(from) = history.alike(long, at, value, NEAR) {
                return Some((at, from, next));
            }
            if let Some(from) = history.alike(short, at, value, NEAR) {
                let later = history.alike(*self.long.seven(following), next, following, NEAR);
                let is_longer = |later| {
                    let compared = if self.mistaken { next - later } else { later };
                    history.agree(next + 4, compared + 4) > history.agree(at + 4, from + 4)
                };
                return match later {
                    Some(later) if is_longer(later) => Some((next, later, next)),
                    _ => Some((at, from, next)),
                };
            }
            value = following;
            at = next;
        }
    }

    /// Remembers places from `from` on, up to the position before `end`.
    #[inline(always)]
    fn remember(&mut self, history: &History, from: usize, end: usize) {
        for at in (from..end - 1).step_by(3) {
            let value = history.eight(at);
            *self.long.seven(value) = history.place(at);
            *self.long.seven(value >> 8) = history.place(at + 1);
            *self.short.four(value >> 8) = history.place(at + 1);
        }
    }

    #[inline(always)]
    fn remember_both(&mut self, history: &History, at: usize) {
        let value = history.eight(at);
        *self.short.four(value) = history.place(at);
        *self.long.seven(value) = history.place(at);
    }
}

impl Find for Four {
    fn find(&mut self, history: &History, start: usize, tokens: &mut Tokens) {
        let limit = history.len() - MARGIN;
        let (mut at, mut emitted, mut value) = (start, start, history.eight(start));
        while let Some((found, from, next)) = self.first(history, at, value, emitted, limit) {
            let length = history.agree(found + 4, from + 4) + 4;
            let found = history.emit(Match { at: found, from, length }, emitted, tokens);
            emitted = found.end();
            at = emitted.max(next + 1);
            if at >= limit {
                if at + 8 < history.len() {
                    self.remember_both(history, at);
                }
                break;
            }
            self.remember(history, next, at);
            self.remember_both(history, at - 1);
            value = history.eight(at);
        }
        history.emit_rest(emitted, tokens);
    }

    fn forget(&mut self, less: u32) {
        self.short.forget(less);
        self.long.forget(less);
    }
}
