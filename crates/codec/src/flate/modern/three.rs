//! Level 3: a table of the last two places with a hash.

use super::super::symbols::FARTHEST;
use super::history::{History, Match, Pair, Pairs};
use super::quick::{Quick, Start};

/// A place has its first four bytes this near.
const NEAR: usize = FARTHEST - 4;

/// The table of level 3.
pub(super) struct Three(Pairs<16, { 1 << 16 }>);

impl Three {
    pub(super) fn new() -> Self {
        Self(Pairs::new())
    }

    /// Remembers places inside the match that ends at `end`, and those just before its end.
    #[inline(always)]
    fn remember(&mut self, history: &History, from: usize, end: usize) {
        for at in (from + 2..end.saturating_sub(5)).step_by(6) {
            self.0.five(history.eight(at)).push(history.place(at));
        }
        self.0.five(history.eight(end - 2)).push(history.place(end - 2));
        self.0.five(history.eight(end - 2) >> 8).push(history.place(end - 1));
    }
}

/// Of the two places of `pair`, the one from which more bytes agree with those at `at`; of equal ones the last.
#[inline(always)]
fn longer(history: &History, pair: Pair, at: usize, value: u64) -> Option<usize> {
    if history.distance(pair.last, at) > NEAR {
        return None;
    }
    let Some(last) = history.alike(pair.last, at, value, NEAR) else {
        return history.alike(pair.before, at, value, NEAR - 1);
    };
    match history.alike(pair.before, at, value, NEAR) {
        Some(before) if history.agree(at + 4, before + 4) > history.agree(at + 4, last + 4) => Some(before),
        _ => Some(last),
    }
}

/// The first of the two places of `pair` from which bytes agree with those at `at`.
#[inline(always)]
fn either(history: &History, pair: Pair, at: usize, value: u64) -> Option<usize> {
    if history.distance(pair.last, at) >= NEAR {
        return None;
    }
    history.alike(pair.last, at, value, NEAR - 1).or_else(|| history.alike(pair.before, at, value, NEAR - 1))
}

impl Quick for Three {
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
            let next = at + 1 + ((at - emitted) >> 7);
            if next > limit {
                return None;
            }
            let pair = self.0.five(value).push(history.place(at));
            if let Some(from) = longer(history, pair, at, value) {
                return Some(Start { at, from, next });
            }
            value = history.eight(next);
            at = next;
        }
    }

    #[inline(always)]
    fn again(&mut self, history: &History, found: Match, at: usize) -> (u64, Option<usize>) {
        self.remember(history, at - found.length, at);
        let value = history.eight(at - 2) >> 16;
        let pair = self.0.five(value).push(history.place(at));
        (value, either(history, pair, at, value))
    }

    #[inline(always)]
    fn last(&mut self, history: &History, found: Match, _at: usize) {
        let source = found.from + found.length;
        if source + 8 < history.len() {
            self.0.five(history.eight(source)).push(history.place(source));
        }
    }

    fn forget(&mut self, less: u32) {
        self.0.forget(less);
    }
}
