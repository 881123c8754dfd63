//! What levels 1 to 3 have in common: a match is written where it is found, and behind it another one is looked for at once.

use super::super::tokens::Tokens;
use super::history::{Find, History, MARGIN, Match};

/// A position where four bytes agree, and the one that they agree with.
pub(super) struct Start {
    pub(super) at: usize,
    pub(super) from: usize,
    /// The position that would have been looked at next.
    pub(super) next: usize,
}

/// A finder of matches, by what it looks at and what it remembers.
pub(super) trait Quick: Send {
    /// The first match from `at` on, below `limit`; `value` is the bytes at `at`, and tokens stand for all before `emitted`.
    fn first(&mut self, history: &History, at: usize, value: u64, emitted: usize, limit: usize) -> Option<Start>;

    /// Remembers `found` and its end at `at`, and looks for a match there: the bytes at `at`, and the position that agrees.
    fn again(&mut self, history: &History, found: Match, at: usize) -> (u64, Option<usize>);

    /// Remembers what it does of the last match of a block.
    fn last(&mut self, history: &History, found: Match, at: usize);

    /// Lowers every place by `less`.
    fn forget(&mut self, less: u32);
}

impl<T: Quick> Find for T {
    fn find(&mut self, history: &History, start: usize, tokens: &mut Tokens) {
        let limit = history.len() - MARGIN;
        let (mut at, mut emitted, mut value) = (start, start, history.eight(start));
        'block: while let Some(start) = self.first(history, at, value, emitted, limit) {
            let (next, mut from) = (start.next, start.from);
            at = start.at;
            loop {
                let length = history.agree(at + 4, from + 4) + 4;
                let found = history.emit(Match { at, from, length }, emitted, tokens);
                at = found.end();
                emitted = at;
                if next >= at {
                    at = next + 1;
                }
                if at >= limit {
                    self.last(history, found, at);
                    break 'block;
                }
                let (bytes, again) = self.again(history, found, at);
                value = bytes;
                let Some(again) = again else { break };
                from = again;
            }
            value >>= 8;
            at += 1;
        }
        history.emit_rest(emitted, tokens);
    }

    fn forget(&mut self, less: u32) {
        Quick::forget(self, less);
    }
}
