//! A part of a byte sequence.

/// `length` bytes from `offset`; the end never overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    offset: u64,
    length: u64,
}

impl Span {
    /// A span, or `None` when its end would not fit into 64 bits.
    pub(crate) fn new(offset: u64, length: u64) -> Option<Self> {
        offset.checked_add(length).map(|_| Self { offset, length })
    }

    /// Where it starts.
    pub(crate) const fn offset(self) -> u64 {
        self.offset
    }

    /// How many bytes it has.
    pub(crate) const fn length(self) -> u64 {
        self.length
    }

    /// The offset of the first byte behind it.
    pub(crate) const fn end(self) -> u64 {
        self.offset + self.length
    }

    /// Whether it lies wholly inside `length` bytes.
    pub(crate) const fn fits(self, length: u64) -> bool {
        self.end() <= length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_never_overflows() {
        assert_eq!(Span::new(2, 3).map(Span::end), Some(5));
        assert_eq!(Span::new(u64::MAX, 1), None);
        assert!(Span::new(2, 3).unwrap().fits(5));
        assert!(!Span::new(2, 3).unwrap().fits(4));
    }
}
