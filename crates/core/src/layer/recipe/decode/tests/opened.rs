//! Contents that are opened, and predicted ones.

use super::*;

/// An opened content of `length` bytes without any stream in it, which `opened` bytes stand for.
fn opened(opened: u64, length: usize) -> Hand {
    let mut plan = Vec::new();
    // The lengths of what is opened, of its skeleton, and of the list of streams, in base 128 with the highest digit first.
    for number in [opened, opened, 0] {
        let digits = (0..10).rev().map(|digit| (number >> (7 * digit) & 0x7f).to_le_bytes()[0] | 0x80);
        let mut digits: Vec<u8> = digits.skip_while(|digit| *digit == 0x80).collect();
        if digits.is_empty() {
            digits.push(0);
        }
        *digits.last_mut().unwrap() &= 0x7f;
        plan.extend(digits);
    }
    Hand::new(1, length)
        .numbers(&[(Column::Runs, 0), (Column::Kinds, OPENED + opaque(Content::New)), (Column::Lengths, length as u64)])
        .blob(Column::Plans, &plan)
}

#[test]
fn an_opened_content_without_streams_is_its_skeleton() {
    let hand = opened(4, 4).patches(&[4], &[0], &[], b"four");
    let (made, features) = hand.follow(&[]).unwrap();
    assert_eq!((made.as_slice(), features.len()), (&b"four"[..], 0));
}

#[test]
fn no_more_is_opened_than_the_layer_and_what_is_recompressed_in_it() {
    let with = |recompressed: u64| {
        let mut hand = opened(4, 4).patches(&[4], &[0], &[], b"four");
        // The layer has room for two of them, and there are two.
        hand.count = 2;
        hand = hand.numbers(&[(Column::Runs, 0), (Column::Kinds, OPENED + opaque(Content::New)), (Column::Lengths, 4)]);
        hand = hand.blob(Column::Plans, &[6, 6, 0]).patches(&[4, 6], &[0, 0], &[], b"foursix by");
        hand.extent = Extent { length: 8, recompressed };
        hand
    };
    assert!(with(1).said().contains("more is opened than metadata.json says of the layer"), "4 and 6 are 10");
    assert!(with(2).said().contains("it becomes longer than promised"), "it is opened, and then does not fit");
    let mut hand = opened(4, 4).patches(&[4], &[0], &[], b"four");
    hand.extent = Extent { length: 3, recompressed: 0 };
    assert!(hand.said().contains("more is opened than metadata.json says of the layer"));
    hand.extent = Extent { length: u64::MAX, recompressed: u64::MAX };
    assert!(hand.said().contains("bytes too early"), "a sum that does not fit is no fault");
}

#[test]
fn what_is_opened_has_an_end() {
    let said = |opened_length: u64| {
        let mut hand = opened(opened_length, 4).patches(&[4], &[0], &[], b"four");
        hand.extent.recompressed = u64::MAX;
        hand.said()
    };
    assert!(said(4 + DEFLATE_PLAIN_BYTES + 1).contains("an opened content without an end"));
    assert!(said(4 + DEFLATE_PLAIN_BYTES).contains("patching a content at its byte"), "it is tried");
    for plan in [&b""[..], &[0x80], &[0xff; 11]] {
        let hand = Hand::new(1, 4)
            .numbers(&[(Column::Runs, 0), (Column::Kinds, OPENED + opaque(Content::New)), (Column::Lengths, 4)])
            .blob(Column::Plans, plan)
            .patches(&[4], &[0], &[], b"four");
        assert!(hand.said().contains("an opened content without an end"), "{plan:?}: {}", hand.said());
    }
}

#[test]
fn an_opened_content_has_the_length_that_is_said() {
    let hand = |length: usize| opened(4, length).patches(&[4], &[0], &[], b"four");
    assert!(hand(5).said().contains("an opened content of 4 bytes, expected 5"));
    assert!(hand(3).said().contains("the recipe is damaged"), "{}", hand(3).said());
}

/// A base of one file, whose content is zeros that take no memory.
struct LongFile {
    header: Vec<u8>,
    length: u64,
}

impl LongFile {
    fn new(length: u64) -> Self {
        let mut header = tar::Header::new_ustar();
        header.set_path("long").unwrap();
        header.set_size(length);
        header.set_cksum();
        Self { header: header.as_bytes().to_vec(), length }
    }
}

impl ReadAt for LongFile {
    fn len(&self) -> u64 {
        BLOCK as u64 + self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.len().saturating_sub(offset)).unwrap());
        buffer[..count].fill(0);
        if offset < BLOCK as u64 {
            return self.header.read_at(&mut buffer[..count.min(BLOCK)], offset);
        }
        Ok(count)
    }
}

#[test]
fn a_prediction_from_a_long_content_is_a_feature() {
    let features = |length: u64| {
        let hand = Hand::new(1, 0)
            .numbers(&[(Column::Runs, 0), (Column::Kinds, PREDICTED + opaque(Content::PatchOther))])
            .signed(Column::Contents, &[0])
            .signed(Column::Lengths, &[-length.cast_signed()])
            .blob(Column::Hints, b"")
            .patches(&[], &[0], &[], &[]);
        hand.follow_on(&[Arc::new(LongFile::new(length))]).unwrap().1
    };
    assert!(features(PREDICTED_BYTES).is_empty());
    let without = Hand::new(1, 0)
        .numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::PatchOther))])
        .signed(Column::Contents, &[0])
        .signed(Column::Lengths, &[-(PREDICTED_BYTES + 1).cast_signed()])
        .patches(&[], &[0], &[], &[]);
    assert!(without.follow_on(&[Arc::new(LongFile::new(PREDICTED_BYTES + 1))]).unwrap().1.is_empty());
    assert_eq!(features(PREDICTED_BYTES + 1), BTreeSet::from(["exec-2"]));
    assert!(is_large(0, PREDICTED_BYTES + 1) && !is_large(PREDICTED_BYTES, PREDICTED_BYTES));
}

#[test]
fn a_prediction_of_what_is_no_executable_is_the_base() {
    let hand = Hand::new(1, 20)
        .numbers(&[(Column::Runs, 0), (Column::Kinds, PREDICTED + opaque(Content::PatchOther))])
        .signed(Column::Contents, &[2])
        .signed(Column::Lengths, &[20 - 600])
        .blob(Column::Hints, b"no hint")
        .patches(&[0, 4, 0], &[1, 0], &[0xff], &[]);
    assert_eq!(hand.made(), [&[2][..], &[3; 19]].concat());
    assert!(hand.follow(&[base()]).unwrap().1.is_empty());
}
