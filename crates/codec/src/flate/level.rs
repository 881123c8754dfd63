//! The levels of Go's encoders, of both generations.

/// A level of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(i8);

impl Level {
    /// 0 stores, 1 to 9 search ever longer, -2 has no matches at all; there is no other level.
    #[must_use]
    pub fn new(level: i8) -> Option<Self> {
        matches!(level, -2 | 0..=9).then_some(Self(level))
    }

    /// The number that the programs know it by.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.0
    }
}
