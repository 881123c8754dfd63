//! One header block of a tar stream (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").

/// Bytes of a block; headers are one block, contents are padded to whole ones.
pub(crate) const BLOCK: usize = 512;

/// A header block: bytes whose checksum is right.
#[derive(Clone, Copy)]
pub(crate) struct Header(pub(crate) [u8; BLOCK]);

/// A field: where it is in the block.
pub(crate) type Field = std::ops::Range<usize>;

pub(crate) const NAME: Field = 0..100;
pub(crate) const MODE: Field = 100..108;
pub(crate) const UID: Field = 108..116;
pub(crate) const GID: Field = 116..124;
pub(crate) const SIZE: Field = 124..136;
pub(crate) const MTIME: Field = 136..148;
pub(crate) const CHECKSUM: Field = 148..156;
pub(crate) const KIND: Field = 156..157;
pub(crate) const LINK: Field = 157..257;
pub(crate) const MAGIC: Field = 257..265;
pub(crate) const USER: Field = 265..297;
pub(crate) const GROUP: Field = 297..329;
pub(crate) const MAJOR: Field = 329..337;
pub(crate) const MINOR: Field = 337..345;
pub(crate) const PREFIX: Field = 345..500;
pub(crate) const REST: Field = 500..512;

/// Where GNU tar says that a block of sparse spans follows: in a header, and in such a block.
const SPARSE_MORE: [usize; 2] = [482, 504];

impl Header {
    /// A header, when the checksum of `block` is right.
    pub(crate) fn new(block: &[u8]) -> Option<Self> {
        let block: [u8; BLOCK] = block.get(..BLOCK)?.try_into().ok()?;
        let stored = octal(&block[CHECKSUM])?;
        (stored == u64::from(checksum(&block))).then_some(Self(block))
    }

    /// The type flag.
    pub(crate) const fn kind(&self) -> u8 {
        self.0[KIND.start]
    }

    /// How many bytes of content follow, as far as the block says; links, devices and folders have none.
    pub(crate) fn size(&self) -> Option<u64> {
        match self.kind() {
            b'1'..=b'6' => Some(0),
            _ => number(&self.0[SIZE]),
        }
    }

    /// Whether it is the header of a long name or of pax records, which are of the entry behind them.
    pub(crate) const fn describes_next(&self) -> bool {
        matches!(self.kind(), b'L' | b'K' | b'x')
    }

    /// Whether a block of sparse spans follows.
    pub(crate) const fn has_sparse_block(&self) -> bool {
        self.kind() == b'S' && self.0[SPARSE_MORE[0]] != 0
    }

    /// The path of an entry without longer names around.
    pub(crate) fn path(&self) -> Vec<u8> {
        let mut path = Vec::new();
        if self.0[MAGIC].starts_with(b"ustar\0") && self.0[PREFIX.start] != 0 {
            path.extend_from_slice(text(&self.0[PREFIX]));
            path.push(b'/');
        }
        path.extend_from_slice(text(&self.0[NAME]));
        path
    }
}

/// Whether another block of sparse spans follows on this one.
pub(crate) fn sparse_block_has_more(block: &[u8]) -> bool {
    block.get(SPARSE_MORE[1]).is_some_and(|flag| *flag != 0)
}

/// The sum of all bytes, those of the checksum itself counted as spaces.
pub(crate) fn checksum(block: &[u8; BLOCK]) -> u32 {
    let all: u32 = block.iter().copied().map(u32::from).sum();
    let own: u32 = block[CHECKSUM].iter().copied().map(u32::from).sum();
    all - own + 8 * u32::from(b' ')
}

/// Octal digits, blanks before them, a blank or NUL behind; nothing at all is no number.
pub(crate) fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let digits = &digits[..end];
    let value = digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    });
    value.filter(|_| !digits.is_empty())
}

/// A number field: octal, or binary after a first byte with its high bit set (GNU). An empty field is 0.
fn number(field: &[u8]) -> Option<u64> {
    match field {
        [0x80, rest @ ..] => {
            rest.iter().try_fold(0_u64, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()))
        }
        [0x81..=0xff, ..] => None,
        _ if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Some(0),
        _ => octal(field),
    }
}

/// The bytes before the first NUL.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"        17 \0"), Some(15));
        assert_eq!(number(&[0; 12]), Some(0));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!(number(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"9\0"), None);
        assert_eq!(octal(b"        "), None);
    }

    #[test]
    fn only_a_right_checksum_makes_a_header() {
        let mut builder = tar::Header::new_ustar();
        builder.set_path("etc/passwd").unwrap();
        builder.set_size(42);
        builder.set_cksum();
        let block = *builder.as_bytes();
        let header = Header::new(&block).unwrap();
        assert_eq!((header.path().as_slice(), header.size()), (&b"etc/passwd"[..], Some(42)));
        assert_eq!(octal(&block[CHECKSUM]), Some(checksum(&block).into()));
        for position in 0..BLOCK {
            let mut damaged = block;
            damaged[position] ^= 1;
            assert!(Header::new(&damaged).is_none(), "{position}");
        }
        assert!(Header::new(&block[1..]).is_none());
        assert!(Header::new(&[0; BLOCK]).is_none());
    }
}
