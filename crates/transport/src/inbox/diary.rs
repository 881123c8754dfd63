//! What is known of each arrival from look to look: since when it lies there unchanged, and when it is its turn again. Without a clock of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime};

use super::arrival::{Arrival, Look, Part, PassedOver};
use crate::limits::LONGEST_PAUSE;

/// How long something is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// What did not change for so long is taken to be there.
    pub settling: Duration,
    /// What is refused may be whole, or have its signature, when it changed once more; after so long without a change it is not waited for.
    pub refusal: Duration,
}

/// What is known of all arrivals.
#[derive(Debug)]
pub struct Diary {
    patience: Patience,
    /// By the name of the first file.
    pages: BTreeMap<OsString, Page>,
    passed_over: BTreeSet<PassedOver>,
}

#[derive(Debug)]
struct Page {
    parts: Vec<Part>,
    unchanged_since: Instant,
    turn: Turn,
    /// The pause that was made last.
    pause: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Turn {
    /// When it has settled.
    Settled,
    /// When it was waited for long enough, for this reason.
    Refused(String),
    /// From then on, or when something else went well.
    After(Instant),
}

impl Diary {
    /// An empty one.
    pub const fn new(patience: Patience) -> Self {
        Self { patience, pages: BTreeMap::new(), passed_over: BTreeSet::new() }
    }

    /// Writes down what was seen. What changed begins anew; what is gone is forgotten. Returns what is passed over and was not before.
    pub fn note(&mut self, look: &Look, now: Instant, clock: SystemTime) -> Vec<PassedOver> {
        let mut before = std::mem::take(&mut self.pages);
        for arrival in &look.arrivals {
            let Some(key) = key(arrival) else { continue };
            let unchanged_since = before_now(now, age(arrival, clock));
            let known = before.remove(key).filter(|page| page.parts == arrival.parts);
            let page = known.unwrap_or_else(|| Page {
                parts: arrival.parts.clone(),
                unchanged_since,
                turn: Turn::Settled,
                pause: Duration::ZERO,
            });
            self.pages.insert(key.clone(), page);
        }
        let now_passed: BTreeSet<PassedOver> = look.passed_over.iter().cloned().collect();
        let new = now_passed.difference(&self.passed_over).cloned().collect();
        self.passed_over = now_passed;
        new
    }

    /// Whether it is its turn.
    pub fn is_due(&self, arrival: &Arrival, now: Instant) -> bool {
        self.page(arrival).is_some_and(|page| match &page.turn {
            Turn::Settled => page.quiet(now) >= self.patience.settling,
            Turn::Refused(_) => page.quiet(now) >= self.patience.refusal,
            Turn::After(then) => *then <= now,
        })
    }

    /// Whether it may still be on its way.
    pub fn is_settling(&self, arrival: &Arrival, now: Instant) -> bool {
        self.page(arrival).is_some_and(|page| page.turn == Turn::Settled && page.quiet(now) < self.patience.settling)
    }

    /// How much longer one that is refused is waited for; nothing when that was long enough.
    pub fn patience_left(&self, arrival: &Arrival, now: Instant) -> Option<Duration> {
        let quiet = self.page(arrival)?.quiet(now);
        self.patience.refusal.checked_sub(quiet).filter(|left| !left.is_zero())
    }

    /// It is refused, and waited for. Returns whether that is news.
    pub fn wait(&mut self, arrival: &Arrival, reason: &str) -> bool {
        let Some(page) = key(arrival).and_then(|key| self.pages.get_mut(key)) else { return false };
        let turn = Turn::Refused(reason.to_owned());
        let is_news = page.turn != turn;
        page.turn = turn;
        is_news
    }

    /// It cannot be dealt with now, and is tried again after a pause, each longer than the one before.
    pub fn postpone(&mut self, arrival: &Arrival, now: Instant) -> Duration {
        let first = self.patience.settling;
        let Some(page) = key(arrival).and_then(|key| self.pages.get_mut(key)) else { return first };
        page.pause = page.pause.saturating_mul(2).clamp(first, LONGEST_PAUSE.max(first));
        page.turn = Turn::After(now + page.pause);
        page.pause
    }

    /// Something went well: what waits for its surroundings may find there what it lacked, such as its base.
    pub fn encourage(&mut self, now: Instant) {
        for page in self.pages.values_mut() {
            if let Turn::After(then) = &mut page.turn {
                *then = now;
            }
        }
    }

    fn page(&self, arrival: &Arrival) -> Option<&Page> {
        self.pages.get(key(arrival)?)
    }
}

impl Page {
    fn quiet(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.unchanged_since)
    }
}

fn key(arrival: &Arrival) -> Option<&OsString> {
    arrival.parts.first().map(|part| &part.name)
}

/// How long ago the last of its files changed. A copy may bring times of its content along, and none of its facts.
fn age(arrival: &Arrival, clock: SystemTime) -> Duration {
    let changed = arrival.parts.iter().map(|part| part.facts.changed).max().unwrap_or_default();
    let changed = u64::try_from(changed.0).map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    // Clocks of file servers go wrong: what changes in the future changes now.
    changed.ok().and_then(|changed| clock.duration_since(changed).ok()).unwrap_or_default()
}

/// What the machine did not see because it was not up yet began with it.
fn before_now(now: Instant, age: Duration) -> Instant {
    now.checked_sub(age).unwrap_or(now)
}

#[cfg(test)]
mod tests;
