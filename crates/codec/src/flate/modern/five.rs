//! Levels 5 and 6: a table for four bytes, and one with the last two places for seven. A match that was found is compared with
//! what the tables know of its end. Level 6 looks further around, and remembers more.

use super::super::symbols::{FARTHEST, LONGEST};
use super::super::tokens::Tokens;
use super::history::{Find, History, MARGIN, Match, Pair, Pairs, Table};

/// A match is nearer than the farthest.
const NEAR: usize = FARTHEST - 1;

/// So many bytes at the front of a match may differ in the one that replaces it.
const DIFFERING: usize = 2;

/// On level 5, a match of this length is not replaced.
const LONG_ENOUGH: usize = 30;

/// The tables of level 5, or of level 6.
pub(super) struct Five<const SIX: bool> {
    short: Table<15, { 1 << 15 }>,
    long: Pairs<15, { 1 << 15 }>,
}

/// Where the search stands.
struct Cursor {
    at: usize,
    /// The bytes there.
    value: u64,
    /// Where the last match ended.
    emitted: usize,
    /// The distance of the last match.
    repeat: usize,
    /// No match begins here or later.
    limit: usize,
}

impl<const SIX: bool> Five<SIX> {
    pub(super) fn new() -> Self {
        Self { short: Table::new(), long: Pairs::new() }
    }

    /// The first match, and the position that would have been looked at next. The match may go on behind its length when that
    /// is [`LONGEST`] or, as nothing was compared, 0.
    #[inline(always)]
    fn first(&mut self, history: &History, cursor: &mut Cursor) -> Option<(Match, usize)> {
        loop {
            let (at, value) = (cursor.at, cursor.value);
            let next = at + 1 + ((at - cursor.emitted) >> if SIX { 7 } else { 6 });
            if next > cursor.limit {
                return None;
            }
            let following = history.eight(next);
            let short = std::mem::replace(self.short.four(value), history.place(at));
            let long = self.long.seven(value).push(history.place(at));
            if let Some(found) = of_long(history, long, at, value) {
                self.remember(history, following, next);
                return Some((found, next));
            }
            if let Some(from) = history.alike(short, at, value, NEAR) {
                let found = Match { at, from, length: history.agree_in_match(at, from) };
                let later = self.remember(history, following, next);
                if let Some(repeated) = repeated(history, found, cursor).filter(|_| SIX) {
                    return Some((repeated, next));
                }
                return Some((Self::or_later(history, found, later, next, following), next));
            }
            (cursor.at, cursor.value) = (next, following);
        }
    }

    /// `found`, or a longer match at the position behind it.
    #[inline(always)]
    fn or_later(history: &History, found: Match, pair: Pair, next: usize, following: u64) -> Match {
        let mut best = found;
        if history.distance(pair.last, next) > NEAR {
            return best;
        }
        for place in [pair.last, pair.before] {
            if let Some(from) = history.alike(place, next, following, NEAR) {
                let length = history.agree_in_match(next, from);
                if length > best.length {
                    best = Match { at: next, from, length };
                    if !SIX {
                        break;
                    }
                }
            }
        }
        best
    }

    /// `found`, or a longer match that is remembered for its end.
    #[inline(always)]
    fn or_by_its_end(&mut self, history: &History, found: Match, limit: usize) -> Match {
        let end = found.end();
        if end >= limit || (!SIX && found.length >= LONG_ENOUGH) {
            return found;
        }
        let pair = *self.long.seven(history.eight(end));
        let best = by_end(history, found, found, pair.last);
        if SIX && signed(history.distance(pair.last, end)) < FARTHEST as i32 {
            by_end(history, found, best, pair.before)
        } else {
            best
        }
    }

    /// Remembers the position `at`, where `value` stands, and says what was remembered for seven bytes.
    #[inline(always)]
    fn remember(&mut self, history: &History, value: u64, at: usize) -> Pair {
        *self.short.four(value) = history.place(at);
        self.long.seven(value).push(history.place(at))
    }

    /// On level 5, remembers places from `from` on, up to the position before `end`.
    #[inline(always)]
    fn remember_some(&mut self, history: &History, from: usize, end: usize) {
        if from < end - 1 {
            let value = history.eight(from);
            self.remember(history, value, from);
            self.long.seven(value >> 8).push(history.place(from + 1));
            *self.short.four(value >> 16) = history.place(from + 2);
            for at in (from + 4..end - 1).step_by(3) {
                let value = history.eight(at);
                self.long.seven(value).push(history.place(at));
                *self.short.four(value >> 8) = history.place(at + 1);
            }
        }
        self.remember(history, history.eight(end - 1), end - 1);
    }

    /// On level 6, remembers places from `from` on, up to the position before `end`.
    #[inline(always)]
    fn remember_most(&mut self, history: &History, from: usize, end: usize) {
        for at in (from..end - 1).step_by(2) {
            let value = history.eight(at);
            self.remember(history, value, at);
            self.long.seven(value >> 8).push(history.place(at + 1));
        }
    }

    /// On level 6, remembers places from `from` on, to the end of the block.
    fn remember_rest(&mut self, history: &History, from: usize) {
        for at in (from..history.len() - 8).step_by(2) {
            self.remember(history, history.eight(at), at);
        }
    }
}

/// The match from the last place of `pair`, or from the one before it where that agrees with more bytes.
#[inline(always)]
fn of_long(history: &History, pair: Pair, at: usize, value: u64) -> Option<Match> {
    if history.distance(pair.last, at) > NEAR {
        return None;
    }
    let before = history.alike(pair.before, at, value, NEAR);
    let Some(last) = history.alike(pair.last, at, value, NEAR) else {
        return before.map(|from| Match { at, from, length: 0 });
    };
    let Some(before) = before else { return Some(Match { at, from: last, length: 0 }) };
    let [from_last, from_before] = [last, before].map(|from| history.agree_in_match(at, from));
    Some(if from_before > from_last {
        Match { at, from: before, length: from_before }
    } else {
        Match { at, from: last, length: from_last }
    })
}

/// A match longer than `found`, one byte later, with the distance of the last match.
#[inline(always)]
fn repeated(history: &History, found: Match, cursor: &Cursor) -> Option<Match> {
    let (at, from) = (found.at + 1, found.at + 1 - cursor.repeat);
    if history.four(from) != (cursor.value >> 8) as u32 {
        return None;
    }
    let length = history.agree_in_match(at, from);
    (length > found.length).then_some(Match { at, from, length })
}

/// `best`, or a longer match that begins a little behind `found` and whose source has `place` where `best` would end if it
/// began where `found` does.
#[inline(always)]
fn by_end(history: &History, found: Match, best: Match, place: u32) -> Match {
    let distance = history.distance(place, found.at + best.length);
    let at = found.at + DIFFERING;
    if !(1..=NEAR).contains(&distance) || distance > at {
        return best;
    }
    let length = history.agree(at, at - distance);
    if length > best.length { Match { at, from: at - distance, length } } else { best }
}

/// A distance of less than zero, as places behind a position have.
#[inline(always)]
fn signed(distance: usize) -> i32 {
    (distance as u32).cast_signed()
}

impl<const SIX: bool> Find for Five<SIX> {
    fn find(&mut self, history: &History, start: usize, tokens: &mut Tokens) {
        let limit = history.len() - MARGIN;
        let mut cursor = Cursor { at: start, value: history.eight(start), emitted: start, repeat: 1, limit };
        while let Some((mut found, next)) = self.first(history, &mut cursor) {
            if matches!(found.length, 0 | LONGEST) {
                found.length = history.agree(found.at, found.from);
            }
            found = self.or_by_its_end(history, found, limit);
            found = history.emit(found, cursor.emitted, tokens);
            cursor.repeat = found.at - found.from;
            cursor.emitted = found.end();
            cursor.at = cursor.emitted.max(next + 1);
            if cursor.at >= limit {
                if SIX {
                    self.remember_rest(history, next + 1);
                }
                break;
            }
            if SIX {
                self.remember_most(history, next + 1, cursor.at);
            } else {
                self.remember_some(history, cursor.at - found.length + 1, cursor.at);
            }
            cursor.value = history.eight(cursor.at);
        }
        history.emit_rest(cursor.emitted, tokens);
    }

    fn forget(&mut self, less: u32) {
        self.short.forget(less);
        self.long.forget(less);
    }
}
