//! The encoder of GNU gzip, and of busybox's gzip, which differs from it at the end of a stream only.
//!
//! A port of the method of zlib's `deflate` ((C) 1995-2026 Jean-loup Gailly and Mark Adler, see the file NOTICE), altered where
//! streams of gzip differ from those of zlib: longer blocks, which end early where that looks good, and searches that look
//! beyond the end of the bytes.

mod blocks;
mod tree;
mod window;

use std::io::{self, Write};

use super::bits::Bits;
use super::tokens::Tokens;
use blocks::Blocks;
use window::{LOOKAHEAD, Match, SHORTEST, Window};

/// A match of three bytes from farther away takes more bits than they do.
const FAR: usize = 4096;

/// Tokens of a block at most.
const TOKENS: usize = 0x7fff;

/// How many tokens are made between two looks at whether the block should end.
const TOKENS_BETWEEN_LOOKS: usize = 0x1000;

/// The last level without these looks.
const NEVER_LOOKS: u8 = 2;

/// The last level that takes a match without a look at the next byte.
const FAST: u8 = 3;

/// Whose gzip it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// GNU gzip.
    Gzip,
    /// The one of busybox, which is mostly built with level 6 only.
    Busybox,
}

/// The program and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    program: Program,
    level: u8,
}

impl Settings {
    /// Level 1 to 9.
    #[must_use]
    pub fn new(program: Program, level: u8) -> Option<Self> {
        (1..=9).contains(&level).then_some(Self { program, level })
    }

    /// The level, and 16 for busybox.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 1] {
        let program = match self.program {
            Program::Gzip => 0,
            Program::Busybox => 16,
        };
        [program | self.level]
    }

    /// The settings that [`Self::to_bytes`] gives this byte for.
    #[must_use]
    pub fn from_bytes([byte]: [u8; 1]) -> Option<Self> {
        let program = match byte & 0xf0 {
            0 => Program::Gzip,
            16 => Program::Busybox,
            _ => return None,
        };
        Self::new(program, byte & 15)
    }

    const fn effort(self) -> Effort {
        let (good, lazy, nice, tries) = match self.level {
            1 => (4, 4, 8, 4),
            2 => (4, 5, 16, 8),
            3 => (4, 6, 32, 32),
            4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            _ => (32, 258, 258, 4096),
        };
        Effort { good, lazy, nice, tries }
    }
}

/// How hard a level looks for matches.
#[derive(Clone, Copy)]
struct Effort {
    /// When the byte before has a match of this length, a quarter of the places is looked at.
    good: usize,
    /// When the byte before has a match of this length, none is looked at. On the fast levels the bytes of a longer match are
    /// not entered.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
    /// Places that are looked at.
    tries: usize,
}

/// The byte before the one that is looked at, on the levels that are not fast.
#[derive(Clone, Copy)]
struct Before {
    found: Match,
    /// Whether it is in no token yet.
    is_open: bool,
}

/// Compresses what is written to it, without a header or trailer.
pub struct Encoder<W> {
    settings: Settings,
    effort: Effort,
    window: Window,
    before: Before,
    tokens: Tokens,
    blocks: Blocks,
    out: W,
}

impl<W: Write> Encoder<W> {
    /// Starts a stream.
    pub fn new(settings: Settings, out: W) -> Self {
        Self {
            settings,
            effort: settings.effort(),
            window: Window::new(settings.program),
            before: Before { found: Match::NONE, is_open: false },
            tokens: Tokens::new(),
            blocks: Blocks::new(Bits::new()),
            out,
        }
    }

    /// Ends the stream and gives back where it was written to.
    ///
    /// # Errors
    /// What writing reports.
    pub fn finish(mut self) -> io::Result<W> {
        self.run(LOOKAHEAD - 1)?;
        if self.window.is_at_end() {
            self.slide();
        }
        self.window.end();
        self.run(0)?;
        if self.before.is_open {
            self.tokens.literal(self.window.byte_before());
        }
        self.end_block(true)?;
        Ok(self.out)
    }

    /// Makes tokens until at most `rest` bytes are left.
    fn run(&mut self, rest: usize) -> io::Result<()> {
        let is_fast = self.settings.level <= FAST;
        while self.window.ahead() > rest {
            if is_fast { self.step_fast()? } else { self.step_lazily()? }
        }
        Ok(())
    }

    fn slide(&mut self) {
        self.before.found.start = self.before.found.start.saturating_sub(window::SIZE);
        self.window.slide();
    }

    fn step_fast(&mut self) -> io::Result<()> {
        let found = match self.window.enter() {
            Some(place) => self.window.longest(place, Match::NONE.length, self.effort.tries, self.effort.nice),
            None => Match::NONE,
        };
        if found.length < SHORTEST {
            self.tokens.literal(self.window.byte());
        } else {
            self.tokens.copy(found.length, self.window.at() - found.start);
        }
        let ends = self.block_ends();
        if found.length < SHORTEST {
            self.window.advance(1);
        } else if found.length <= self.effort.lazy {
            self.window.advance_and_enter(found.length);
        } else {
            self.window.advance(found.length);
        }
        if ends { self.end_block(false) } else { Ok(()) }
    }

    /// A match is taken when there is no longer one at the next byte.
    fn step_lazily(&mut self) -> io::Result<()> {
        let before = self.before;
        let found = self.search_lazily(before.found.length);
        if before.found.length >= SHORTEST && found.length <= before.found.length {
            self.tokens.copy(before.found.length, self.window.at() - 1 - before.found.start);
            let ends = self.block_ends();
            self.window.advance_and_enter(before.found.length - 1);
            self.before = Before { found: Match::NONE, is_open: false };
            return if ends { self.end_block(false) } else { Ok(()) };
        }
        if before.is_open {
            self.tokens.literal(self.window.byte_before());
            if self.block_ends() {
                // The byte that is looked at belongs to the next block.
                self.end_block(false)?;
            }
        }
        self.before = Before { found, is_open: true };
        self.window.advance(1);
        Ok(())
    }

    fn search_lazily(&mut self, least: usize) -> Match {
        let Some(place) = self.window.enter().filter(|_| least < self.effort.lazy) else { return Match::NONE };
        let tries = if least >= self.effort.good { self.effort.tries / 4 } else { self.effort.tries };
        let found = self.window.longest(place, least, tries, self.effort.nice);
        if found.length == SHORTEST && self.window.at() - found.start > FAR { Match::NONE } else { found }
    }

    fn block_ends(&self) -> bool {
        let count = self.tokens.len();
        count == TOKENS
            || count.is_multiple_of(TOKENS_BETWEEN_LOOKS)
                && self.settings.level > NEVER_LOOKS
                && blocks::should_end(&self.tokens, self.window.block_bytes())
    }

    fn end_block(&mut self, is_last: bool) -> io::Result<()> {
        self.blocks.write(&mut self.tokens, self.window.block(), is_last);
        self.window.start_block();
        self.blocks.bits.drain(&mut self.out).map(drop)
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        let count = self.window.fill(plain);
        if self.window.is_full() {
            self.run(LOOKAHEAD - 1)?;
            self.slide();
        }
        Ok(count)
    }

    /// Passes on what is compressed already; a flush in the middle of a stream would change it.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
