//! Recipes that are written number by number, as FORMAT.md describes them in section 8.

mod opened;

use delta_codec::MemoryScratch;
use delta_codec::limits::PREDICTED_BYTES;

use super::super::columns::{Columns, push_number};
use super::*;
use crate::error::Kind;

const BASE_FILES: [(&str, &[u8]); 3] = [("one", b"first content"), ("two", b"the second"), ("three", &[3; 600])];

/// A layer of these files, without the zeros behind the last.
fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len());
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    let mut layer = builder.into_inner().unwrap();
    layer.truncate(layer.len() - 2 * BLOCK);
    layer
}

fn base() -> Vec<u8> {
    layer(&BASE_FILES)
}

/// A recipe, number by number.
struct Hand {
    count: u64,
    groups: Vec<u64>,
    columns: Columns,
    /// Control, gaps, values, literals and contents.
    streams: [Vec<u8>; 5],
    extent: Extent,
}

impl Hand {
    /// Of so many entries, for a layer of so many bytes.
    fn new(count: u64, length: usize) -> Self {
        let extent = Extent { length: length as u64, recompressed: 0 };
        Self { count, groups: Vec::new(), columns: Columns::new(), streams: Default::default(), extent }
    }

    fn numbers(mut self, numbers: &[(Column, u64)]) -> Self {
        numbers.iter().for_each(|(column, number)| self.columns.number(*column, *number));
        self
    }

    fn signed(mut self, column: Column, numbers: &[i64]) -> Self {
        numbers.iter().for_each(|number| self.columns.signed(column, *number));
        self
    }

    /// New contents, each a group of its own.
    fn contents(mut self, contents: &[&[u8]]) -> Self {
        self.groups = contents.iter().map(|content| content.len()).collect();
        self.streams[4] = contents.concat();
        self
    }

    fn patches(mut self, control: &[u8], gaps: &[u8], values: &[u8], literals: &[u8]) -> Self {
        for (stream, bytes) in self.streams.iter_mut().zip([control, gaps, values, literals]) {
            *stream = bytes.to_vec();
        }
        self
    }

    fn blob(mut self, column: Column, bytes: &[u8]) -> Self {
        self.columns.blob(column, bytes);
        self
    }

    fn recipe(&self) -> Vec<u8> {
        let mut recipe = Vec::new();
        push_number(&mut recipe, self.count);
        push_number(&mut recipe, self.groups.len() as u64);
        self.groups.iter().for_each(|group| push_number(&mut recipe, *group));
        self.columns.write(&mut recipe).unwrap();
        recipe
    }

    /// What it makes of `bases`, and the features that it used.
    fn follow(&self, bases: &[Vec<u8>]) -> Result<(Vec<u8>, BTreeSet<&'static str>)> {
        let shared = |bytes: &Vec<u8>| Arc::new(bytes.clone()) as Arc<dyn ReadAt>;
        let bases: Vec<_> = bases.iter().map(shared).collect();
        self.follow_on(&bases)
    }

    fn follow_on(&self, bases: &[Arc<dyn ReadAt>]) -> Result<(Vec<u8>, BTreeSet<&'static str>)> {
        let [control, gaps, values, literals, contents] =
            self.streams.each_ref().map(|bytes| Arc::new(bytes.clone()) as Arc<dyn ReadAt>);
        let recipe: Arc<dyn ReadAt> = Arc::new(self.recipe());
        let mut out = Vec::new();
        let features =
            decode(bases, &[recipe, control, gaps, values, literals, contents], self.extent, &MemoryScratch, &mut out)?;
        Ok((out, features))
    }

    /// The layer that it makes of [`base`].
    fn made(&self) -> Vec<u8> {
        self.follow(&[base()]).unwrap().0
    }

    /// What is wrong with it.
    fn said(&self) -> String {
        let error = self.follow(&[base()]).unwrap_err();
        assert_eq!(error.kind(), Kind::Content, "{error}");
        error.to_string()
    }
}

/// A described entry without a header and with this content.
const fn opaque(content: Content) -> u64 {
    OPAQUE + content as u64
}

#[test]
fn a_run_copies_entries_as_they_stand() {
    let base = base();
    let all = Hand::new(3, base.len()).numbers(&[(Column::Runs, 3)]);
    assert_eq!(all.made(), base);
}

#[test]
fn a_run_goes_on_behind_the_entry_that_was_used_last() {
    let base = base();
    let skipped = layer(&BASE_FILES[..1]).len();
    // The header of the second entry is one further than expected; behind it, the run is of the third.
    let hand = Hand::new(2, base.len() - skipped).numbers(&[
        (Column::Runs, 0),
        (Column::Kinds, Content::Same as u64),
        (Column::Headers, 1 + 2),
        (Column::Masks, 0),
        (Column::Runs, 1),
    ]);
    assert_eq!(hand.made(), base[skipped..]);
}

#[test]
fn a_header_behind_a_run_looks_like_the_last_one_of_it() {
    let first = layer(&BASE_FILES[..1]);
    let mut empty = first[..BLOCK].to_vec();
    empty[124..136].copy_from_slice(b"00000000000\0");
    empty[148..156].fill(b' ');
    let sum: u32 = empty.iter().map(|byte| u32::from(*byte)).sum();
    empty[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    // What is opaque has no header that one could look like.
    for base in [first.clone(), [first, vec![7; BLOCK]].concat()] {
        let run = tar_index::entries(&base).unwrap().len() as u64;
        let hand = Hand::new(run + 1, base.len() + BLOCK).numbers(&[
            (Column::Runs, run),
            (Column::Kinds, Content::Empty as u64),
            (Column::Headers, 0),
            (Column::Masks, 0),
        ]);
        let (made, _) = hand.follow(std::slice::from_ref(&base)).unwrap();
        assert_eq!(made, [&base[..], &empty].concat(), "{run}");
    }
}

#[test]
fn the_next_content_is_behind_a_run_that_is_not_empty() {
    let first = layer(&BASE_FILES[..1]);
    let behind = Hand::new(2, first.len() + 10)
        .numbers(&[(Column::Runs, 1), (Column::Kinds, opaque(Content::SameOther))])
        .signed(Column::Contents, &[0]);
    assert_eq!(behind.made(), [&first[..], b"the second"].concat());
    let empty = Hand::new(2, 600 + 10)
        .numbers(&[(Column::Runs, 0), (Column::Runs, 0)])
        .numbers(&[(Column::Kinds, opaque(Content::SameOther)), (Column::Kinds, opaque(Content::SameOther))])
        .signed(Column::Contents, &[2, -2]);
    assert_eq!(empty.made(), [&[3; 600][..], b"the second"].concat());
}

#[test]
fn no_run_is_longer_than_the_layer_or_the_base() {
    let run = |count, run| Hand::new(count, 1 << 20).numbers(&[(Column::Runs, run)]);
    assert!(run(3, 4).said().contains("a run of more entries than the layer has"));
    assert!(run(3, u64::MAX).said().contains("a run of more entries than the layer has"));
    assert!(run(4, 4).said().contains("entry 3 of a base that has fewer"));
    assert!(run(u64::MAX, u64::MAX).said().contains("entry 3 of a base that has fewer"));
    // Behind an entry of the base a run of nearly 2^64 has no end.
    let further = Hand::new(u64::MAX, 1 << 20).numbers(&[(Column::Runs, 1), (Column::Kinds, opaque(Content::Empty))]);
    let further = further.numbers(&[(Column::Runs, u64::MAX - 2)]);
    assert!(further.said().contains("entry 3 of a base that has fewer"), "{}", further.said());
    let further = Hand::new(u64::MAX, 1 << 20).numbers(&[
        (Column::Runs, 3),
        (Column::Kinds, opaque(Content::Empty)),
        (Column::Runs, u64::MAX - 4),
    ]);
    assert!(further.said().contains("entry 3 of a base that has fewer"), "{}", further.said());
}

#[test]
fn a_content_is_one_of_an_entry_of_the_base() {
    for place in [3, -1, i64::MAX, i64::MIN] {
        let hand = Hand::new(1, 1 << 20)
            .numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::SameOther))])
            .signed(Column::Contents, &[place]);
        let number = place.cast_unsigned();
        assert!(hand.said().contains(&format!("entry {number} of a base that has fewer")), "{}", hand.said());
    }
}

#[test]
fn a_layer_has_all_its_bytes_and_no_more() {
    let base = base();
    let run = |length: usize| Hand::new(3, length).numbers(&[(Column::Runs, 3)]);
    assert!(
        run(base.len() - 1)
            .follow(std::slice::from_ref(&base))
            .unwrap_err()
            .to_string()
            .contains("more bytes than the layer has")
    );
    let error = run(base.len() + 1).said();
    assert!(error.contains("the layer ends 1 bytes too early"), "{error}");
    assert_eq!(Hand::new(0, 0).made(), b"");
    assert!(Hand::new(0, 0).numbers(&[(Column::Runs, 0)]).said().contains("more in its columns than the layer has"));
}

#[test]
fn each_content_comes_from_where_its_kind_says() {
    let described = |content: Content, length: usize| {
        Hand::new(1, length).numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(content))])
    };
    assert_eq!(described(Content::Empty, 0).made(), b"");
    assert_eq!(described(Content::SameOther, 10).signed(Column::Contents, &[1]).made(), b"the second");
    let patched = described(Content::PatchOther, 12).signed(Column::Contents, &[1]).signed(Column::Lengths, &[2]);
    assert_eq!(patched.patches(&[12], &[0], &[], b"twelve bytes").made(), b"twelve bytes");
    let new = described(Content::New, 3).contents(&[b"new"]).numbers(&[(Column::Groups, 0), (Column::Lengths, 3)]);
    assert_eq!(new.made(), b"new");
    for content in [Content::Same, Content::Patch] {
        assert!(described(content, 1).said().contains("a content of no entry"));
    }
}

#[test]
fn a_header_makes_the_block_and_the_padding_behind_the_content() {
    // The first file once more, with the second one's content, and a padding of its own.
    let mut expected = base()[..BLOCK].to_vec();
    expected[124..136].copy_from_slice(b"00000000012\0");
    expected[148..156].fill(b' ');
    let sum: u32 = expected.iter().map(|byte| u32::from(*byte)).sum();
    expected[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    let described = |kind: u64, length: usize| {
        Hand::new(1, length)
            .numbers(&[(Column::Runs, 0), (Column::Kinds, kind), (Column::Headers, 1), (Column::Masks, 0)])
            .signed(Column::Contents, &[1])
    };
    let usual = [&expected[..], b"the second", &[0; BLOCK - 10]].concat();
    assert_eq!(described(Content::SameOther as u64, usual.len()).made(), usual);
    let odd = [&expected[..], b"the second", b"odd"].concat();
    let mut hand = described(ODD_PADDING + Content::SameOther as u64, odd.len()).numbers(&[(Column::Lengths, 3)]);
    hand.columns.bytes(Column::Paddings, b"odd");
    assert_eq!(hand.made(), odd);
    let none = [&expected[..], b"the second"].concat();
    let hand = described(ODD_PADDING + Content::SameOther as u64, none.len()).numbers(&[(Column::Lengths, 0)]);
    assert_eq!(hand.made(), none);
}

#[test]
fn a_header_looks_like_one_that_is_there() {
    let looks_like = |number: u64| {
        Hand::new(1, 1 << 20).numbers(&[
            (Column::Runs, 0),
            (Column::Kinds, Content::Empty as u64),
            (Column::Headers, number),
            (Column::Masks, 0),
        ])
    };
    assert!(looks_like(1 + 6).said().contains("entry 3 of a base that has fewer"));
    assert!(looks_like(1 + 1).said().contains(&format!("entry {} of a base", u64::MAX)));
    assert!(looks_like(u64::MAX).said().contains("of a base that has fewer"));
    let noise = [base(), vec![7; BLOCK]].concat();
    let error = looks_like(1 + 6).follow(&[noise]).unwrap_err().to_string();
    assert!(error.contains("a header of an entry that has none"), "{error}");
}

#[test]
fn a_repeat_is_of_one_of_the_new_contents() {
    let hand = |behind: u64, length: usize| {
        Hand::new(3, length)
            .numbers(&[(Column::Runs, 0), (Column::Runs, 0), (Column::Runs, 0)])
            .numbers(&[Content::New, Content::New, Content::Repeat].map(|content| (Column::Kinds, opaque(content))))
            .contents(&[b"first", b"second"])
            .numbers(&[(Column::Groups, 0), (Column::Groups, 1), (Column::Lengths, 5), (Column::Lengths, 6)])
            .numbers(&[(Column::Contents, behind)])
    };
    assert_eq!(hand(1, 17).made(), b"firstsecondsecond");
    assert_eq!(hand(2, 16).made(), b"firstsecondfirst");
    for behind in [0, 3, u64::MAX] {
        assert!(hand(behind, 17).said().contains("a repeat of nothing"), "{behind}");
    }
}

#[test]
fn contents_of_one_group_follow_each_other() {
    let hand = |groups: [u64; 3]| {
        let mut hand = Hand::new(3, 6).contents(&[b"aab", b"ccc"]);
        for group in groups {
            hand = hand.numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::New)), (Column::Groups, group)]);
            hand = hand.numbers(&[(Column::Lengths, 2)]);
        }
        hand
    };
    assert_eq!(hand([0, 1, 0]).made(), b"aaccbc", "a group may run into the next");
    assert_eq!(hand([1, 0, 0]).made(), b"ccaabc");
    assert!(hand([1, 1, 1]).said().contains("bytes that are not there"));
    assert!(hand([0, 1, 2]).said().contains("an unknown group"));
    assert!(hand([0, 1, u64::MAX]).said().contains("an unknown group"));
}

#[test]
fn lengths_without_an_end_are_refused() {
    let mut groups = Hand::new(0, 0);
    groups.groups = vec![u64::MAX, 1];
    assert!(groups.said().contains("a group without an end"));
    groups.groups = vec![u64::MAX, 0];
    assert_eq!(groups.made(), b"");
    let long = |first: u64| {
        let mut hand = Hand::new(2, 1 << 20).contents(&[b"new"]);
        for length in [first, u64::MAX] {
            hand = hand.numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::New)), (Column::Groups, 0)]);
            hand = hand.numbers(&[(Column::Lengths, length)]);
        }
        hand.said()
    };
    assert!(long(u64::MAX).contains("bytes that are not there"));
    assert!(long(1).contains("a content without an end"));
}

#[test]
fn groups_are_at_most_256() {
    let mut hand = Hand::new(0, 0);
    hand.groups = vec![0; GROUPS];
    assert_eq!(hand.made(), b"");
    hand.groups = vec![0; GROUPS + 1];
    assert!(hand.said().contains("too many groups"));
    let mut recipe = Vec::new();
    [0, u64::MAX].iter().for_each(|number| push_number(&mut recipe, *number));
    let recipe: Arc<dyn ReadAt> = Arc::new(recipe);
    let empty: Arc<dyn ReadAt> = Arc::new(Vec::new());
    let streams = [recipe, empty.clone(), empty.clone(), empty.clone(), empty.clone(), empty];
    let error = decode(&[], &streams, Hand::new(0, 0).extent, &MemoryScratch, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("too many groups"), "{error}");
}

#[test]
fn the_entries_of_several_bases_are_numbered_one_behind_the_other() {
    let bases = [layer(&[("a", b"1"), ("b", b"22")]), Vec::new(), layer(&[("c", b"333")])];
    for (number, expected) in [(0, &b"1"[..]), (1, b"22"), (2, b"333")] {
        let hand = Hand::new(1, expected.len())
            .numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::SameOther))])
            .signed(Column::Contents, &[number]);
        assert_eq!(hand.follow(&bases).unwrap().0, expected, "{number}");
    }
    let all = Hand::new(3, bases.concat().len()).numbers(&[(Column::Runs, 3)]);
    assert_eq!(all.follow(&bases).unwrap().0, bases.concat(), "a run goes from one into the next");
    let error = all.follow(&[]).unwrap_err().to_string();
    assert!(error.contains("entry 0 of a base that has fewer"), "{error}");
}

#[test]
fn the_next_content_is_the_one_behind_the_last_that_was_used() {
    let used = |kinds: [Content; 3], places: [i64; 3]| {
        let mut hand = Hand::new(3, 0).signed(Column::Contents, &places);
        for kind in kinds {
            hand = hand.numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(kind))]);
        }
        hand
    };
    let mut hand = used([Content::SameOther; 3], [0, 0, -2]);
    hand.extent.length = 13 + 10 + 13;
    assert_eq!(hand.made(), b"first contentthe secondfirst content");
    // A patched one moves it as well; here each is patched to nothing.
    let mut hand = used([Content::PatchOther, Content::SameOther, Content::SameOther], [0, 0, -2]);
    hand = hand.signed(Column::Lengths, &[-13]).patches(&[], &[0], &[], &[]);
    hand.extent.length = 10 + 13;
    assert_eq!(hand.made(), b"the secondfirst content");
}

#[test]
fn a_patch_takes_matches_of_the_base_and_literals() {
    // 3 literals, then 20 bytes from byte 5 of the third content, one of them higher by two, then 2 literals.
    let hand = |length: usize| {
        Hand::new(1, length)
            .numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::PatchOther))])
            .signed(Column::Contents, &[2])
            .signed(Column::Lengths, &[25 - 600])
            .patches(&[3, 4, 4, 2], &[5, 0], &[2], b"abcde")
    };
    let expected = [&b"abc"[..], &[3; 4], &[5], &[3; 15], b"de"].concat();
    assert_eq!(hand(25).made(), expected);
    assert!(hand(24).said().contains("more bytes than the layer has"));
    for stream in 0..4 {
        let mut cut = hand(25);
        cut.streams[stream].pop();
        assert!(cut.said().contains("patching a content at its byte"), "{stream}: {}", cut.said());
    }
}

#[test]
fn a_length_below_zero_is_no_length() {
    let hand = Hand::new(1, 1 << 20)
        .numbers(&[(Column::Runs, 0), (Column::Kinds, opaque(Content::PatchOther))])
        .signed(Column::Contents, &[0])
        .signed(Column::Lengths, &[-14])
        .patches(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], &[0], &[], b"some");
    assert!(hand.said().contains("patching a content at its byte"), "{}", hand.said());
}

#[test]
fn kinds_that_are_none_are_refused() {
    let said = |kind: u64| {
        Hand::new(1, 1 << 20)
            .numbers(&[(Column::Runs, 0), (Column::Kinds, kind), (Column::Headers, 1)])
            .numbers(&[(Column::Lengths, 0), (Column::Groups, 0), (Column::Contents, 0)])
            .contents(&[b""])
            .said()
    };
    for flags in [0, OPAQUE, ODD_PADDING, OPENED, PREDICTED] {
        assert!(said(flags + 7).contains(&format!("an entry of kind {}", flags + 7)));
    }
    for kind in [2 * PREDICTED, 2 * PREDICTED + 6, u64::MAX, 1 << 32] {
        assert!(said(kind).contains(&format!("an entry of kind {kind}")), "{kind}");
    }
    for content in [Content::Empty, Content::Same, Content::SameOther] {
        for flag in [OPENED, PREDICTED] {
            let kind = flag + content as u64;
            assert!(said(kind).contains(&format!("an entry of kind {kind}")), "{kind}: {}", said(kind));
        }
    }
    for content in [Content::Patch, Content::PatchOther, Content::New] {
        let kind = OPENED + PREDICTED + content as u64;
        assert!(said(kind).contains(&format!("an entry of kind {kind}")), "{kind}");
    }
    let kind = PREDICTED + Content::New as u64;
    assert!(said(kind).contains(&format!("an entry of kind {kind}")));
}

#[test]
fn what_the_room_and_the_bases_report_is_no_damage() {
    struct Unreadable;
    impl ReadAt for Unreadable {
        fn len(&self) -> u64 {
            BLOCK as u64
        }
        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let error = Hand::new(0, 0).follow_on(&[Arc::new(Unreadable)]).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.to_string().starts_with("reading a base layer: "), "{error}");
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let shared: Arc<dyn ReadAt> = Arc::new(base());
    let empty: Arc<dyn ReadAt> = Arc::new(Vec::new());
    let follow = |hand: &Hand| {
        let recipe: Arc<dyn ReadAt> = Arc::new(hand.recipe());
        let contents: Arc<dyn ReadAt> = Arc::new(hand.streams[4].clone());
        let streams = [recipe, empty.clone(), empty.clone(), empty.clone(), empty.clone(), contents];
        decode(std::slice::from_ref(&shared), &streams, hand.extent, &MemoryScratch, &mut Full).unwrap_err()
    };
    let described = |kind: u64| {
        Hand::new(1, 1 << 20).contents(&[b"new"]).numbers(&[
            (Column::Runs, 0),
            (Column::Kinds, kind),
            (Column::Headers, 0),
            (Column::Masks, 0),
            (Column::Groups, 0),
            (Column::Lengths, 3),
        ])
    };
    for (hand, doing) in [
        (Hand::new(3, 1 << 20).numbers(&[(Column::Runs, 3)]), "copying from a base layer: "),
        (described(opaque(Content::New)), "copying from a base layer: "),
        (described(Content::Empty as u64), "writing a rebuilt layer: "),
    ] {
        let error = follow(&hand);
        assert_eq!(error.kind(), Kind::Environment, "{error}");
        assert!(error.to_string().starts_with(doing), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--temp-dir")));
    }
}
