//! What a raw deflate stream is made of, by RFC 1951 alone: what tests look at.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How a block is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Stored,
    Fixed,
    Own,
}

/// A literal, or a copy of so many bytes from so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Literal(u8),
    Copy(usize, usize),
}

/// A block; one that is stored has a literal for each byte.
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) is_last: bool,
    pub(super) steps: Vec<Step>,
    /// Where it ends.
    pub(super) end: usize,
    /// How many code lengths are said of literals and lengths, and of distances.
    pub(super) described: (usize, usize),
}

/// How many of two sizes that were compared are less, equal and greater.
pub(super) fn tally(orders: &[Ordering]) -> [usize; 3] {
    [Ordering::Less, Ordering::Equal, Ordering::Greater]
        .map(|order| orders.iter().filter(|found| **found == order).count())
}

/// The blocks of `stream`, which may lack the last one and end anywhere behind a block.
pub(super) fn blocks(stream: &[u8]) -> Vec<Block> {
    let mut bits = Bits { stream, at: 0 };
    let mut blocks = Vec::new();
    // The shortest block takes ten bits: fewer fill a byte.
    while bits.at + 10 <= 8 * stream.len() && !blocks.last().is_some_and(|block: &Block| block.is_last) {
        let is_last = bits.take(1) == 1;
        let (kind, steps, described) = match bits.take(2) {
            0 => (Kind::Stored, bits.stored(), (0, 0)),
            1 => (Kind::Fixed, bits.coded(&fixed(), &codes(&[5; 30])), (288, 30)),
            2 => {
                let (literals, distances) = bits.lengths();
                let steps = bits.coded(&codes(&literals), &codes(&distances));
                (Kind::Own, steps, (literals.len(), distances.len()))
            }
            kind => panic!("a block of kind {kind}"),
        };
        blocks.push(Block { kind, is_last, steps, end: bits.at, described });
    }
    blocks
}

/// How each block of `stream` is written, and for how many bytes it stands.
pub(super) fn kinds(stream: &[u8]) -> Vec<(Kind, usize)> {
    let length = |step: &Step| match step {
        Step::Literal(_) => 1,
        Step::Copy(length, _) => *length,
    };
    blocks(stream).iter().map(|block| (block.kind, block.steps.iter().map(length).sum())).collect()
}

/// The copies of all blocks, one behind the other.
pub(super) fn copies(stream: &[u8]) -> Vec<(usize, usize)> {
    let copy = |step: Step| match step {
        Step::Literal(_) => None,
        Step::Copy(length, distance) => Some((length, distance)),
    };
    blocks(stream).into_iter().flat_map(|block| block.steps).filter_map(copy).collect()
}

/// The plain bytes.
pub(super) fn plain(stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    for step in blocks(stream).into_iter().flat_map(|block| block.steps) {
        match step {
            Step::Literal(byte) => plain.push(byte),
            Step::Copy(length, distance) => (0..length).for_each(|_| plain.push(plain[plain.len() - distance])),
        }
    }
    plain
}

/// Symbols by length and value of their codes.
type Codes = BTreeMap<(u32, u32), usize>;

/// The canonical codes of these lengths (section 3.2.2).
fn codes(lengths: &[u32]) -> Codes {
    let (mut codes, mut next) = (Codes::new(), 0);
    for length in 1..=15 {
        for (symbol, _) in lengths.iter().enumerate().filter(|(_, own)| **own == length) {
            codes.insert((length, next), symbol);
            next += 1;
        }
        next <<= 1;
    }
    codes
}

fn fixed() -> Codes {
    codes(&[vec![8; 144], vec![9; 112], vec![7; 24], vec![8; 8]].concat())
}

struct Bits<'a> {
    stream: &'a [u8],
    /// Counted in bits.
    at: usize,
}

impl Bits<'_> {
    /// A number, its lowest bit first.
    fn take(&mut self, count: u32) -> usize {
        let bit = |at: usize| usize::from(self.stream[at / 8] >> (at % 8) & 1);
        let number = (0..count as usize).map(|place| bit(self.at + place) << place).sum();
        self.at += count as usize;
        number
    }

    fn symbol(&mut self, codes: &Codes) -> usize {
        let (mut length, mut code) = (0, 0);
        loop {
            code = code << 1 | self.take(1) as u32;
            length += 1;
            if let Some(symbol) = codes.get(&(length, code)) {
                return *symbol;
            }
            assert!(length < 15, "no code");
        }
    }

    fn stored(&mut self) -> Vec<Step> {
        self.at = self.at.next_multiple_of(8);
        let (length, complement) = (self.take(16), self.take(16));
        assert_eq!(length, !complement & 0xffff);
        (0..length).map(|_| Step::Literal(self.take(8) as u8)).collect()
    }

    /// The lengths of the codes of a block (section 3.2.7).
    fn lengths(&mut self) -> (Vec<u32>, Vec<u32>) {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let (literals, distances, count) = (257 + self.take(5), 1 + self.take(5), 4 + self.take(4));
        let mut own = [0; 19];
        for place in &ORDER[..count] {
            own[*place] = self.take(3) as u32;
        }
        let own = codes(&own);
        let mut lengths: Vec<u32> = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&own) {
                16 => (*lengths.last().unwrap(), 3 + self.take(2)),
                17 => (0, 3 + self.take(3)),
                18 => (0, 11 + self.take(7)),
                length => (length as u32, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        assert_eq!(lengths.len(), literals + distances);
        let behind = lengths.split_off(literals);
        (lengths, behind)
    }

    fn coded(&mut self, literals: &Codes, distances: &Codes) -> Vec<Step> {
        let mut steps = Vec::new();
        loop {
            match self.symbol(literals) {
                256 => return steps,
                byte @ 0..256 => steps.push(Step::Literal(byte as u8)),
                symbol => {
                    let length = self.length(symbol - 257);
                    let symbol = self.symbol(distances);
                    steps.push(Step::Copy(length, self.distance(symbol)));
                }
            }
        }
    }

    /// Four symbols for each number of extra bits, but for the first eight and the last (section 3.2.5).
    fn length(&mut self, symbol: usize) -> usize {
        match symbol {
            0..8 => 3 + symbol,
            28 => 258,
            _ => {
                let extra = symbol / 4 - 1;
                3 + ((4 + symbol % 4) << extra) + self.take(extra as u32)
            }
        }
    }

    /// Two symbols for each number of extra bits, but for the first four.
    fn distance(&mut self, symbol: usize) -> usize {
        match symbol {
            0..4 => 1 + symbol,
            _ => {
                let extra = symbol / 2 - 1;
                1 + ((2 + symbol % 2) << extra) + self.take(extra as u32)
            }
        }
    }
}

#[test]
fn a_stream_is_taken_apart_as_zlib_means_it() {
    use std::io::Write as _;
    for (level, text) in [(0, &b"as it is"[..]), (9, b"abc abc abc"), (9, &crate::noise::noise(1, 3000).repeat(2))] {
        let level = flate2::Compression::new(level);
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(text).unwrap();
        let stream = encoder.finish().unwrap();
        assert_eq!(plain(&stream), text);
        let blocks = blocks(&stream);
        let last = blocks.last().unwrap();
        assert!(last.is_last && last.end.div_ceil(8) == stream.len());
    }
}
