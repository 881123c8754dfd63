use delta_codec::MemoryScratch;
use delta_codec::compress::Compression;
use delta_codec::mix::{Model, Segment, join};

use super::*;
use crate::error::Kind;
use crate::image::VerifiedLayer;
use crate::job::progress::Silent;

const CONTEXT: Context<'static> = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };

fn shared(bytes: &[u8]) -> Arc<dyn ReadAt> {
    Arc::new(bytes.to_vec())
}

/// Bytes of which no two stretches are alike.
fn distinct(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_be_bytes()).take(length).collect()
}

/// A layer that is no tar, and the members of its recipe, which are not compressed.
fn coded(length: usize) -> (UncheckedLayer, Vec<Member>) {
    let target = UncheckedLayer::from(&VerifiedLayer::hash(shared(&distinct(length)), "a layer").unwrap());
    let library = Library::new(vec![target.bytes().clone()]).unwrap();
    let plain = CompressionOptions::usual(Compression::None);
    let (_, members, _) = encode(&library, 0, &target, plain, CONTEXT).unwrap();
    (target, members)
}

fn extent(length: u64) -> Extent {
    Extent { length, recompressed: 0 }
}

/// What is wrong with these members of a layer of `length` bytes.
fn said(members: &[Member], layer: DiffId, length: u64) -> String {
    let error = streams(members, layer, extent(length), CONTEXT).err().expect("an error");
    assert_eq!(error.kind(), Kind::Content, "{error}");
    error.to_string()
}

fn of_layer(layer: DiffId, stream: &str, bytes: &[u8]) -> Member {
    Member { name: format!("layer_deltas/{}.{stream}", layer.hex()), bytes: shared(bytes) }
}

/// A first member in which these streams follow its table.
fn first(layer: DiffId, lengths: [u32; OTHERS], rest: &[u8]) -> Member {
    of_layer(layer, "recipe", &[lengths.map(u32::to_le_bytes).as_flattened(), rest].concat())
}

#[test]
fn inline_stream_bytes_stand_in_the_first_member_and_one_more_apart() {
    let most = usize::try_from(INLINE_STREAM_BYTES).unwrap();
    for (length, count) in [(1, 1), (most, 1), (most + 1, 2)] {
        let (target, members) = coded(length);
        assert_eq!(members.len(), count, "{length}");
        let (streams, _) = streams(&members, target.diff_id(), extent(length as u64), CONTEXT).unwrap();
        assert_eq!(streams[5].len(), length as u64);
    }
    let (target, members) = coded(most + 1);
    assert_eq!(members[1].name, format!("layer_deltas/{}.contents", target.diff_id().hex()));
    assert_eq!(members[1].bytes.len(), INLINE_STREAM_BYTES + 1);
}

#[test]
fn the_streams_that_are_short_follow_the_table_in_their_order() {
    let layer = DiffId::of(b"layer");
    let member = first(layer, [1, 0, 2, 3, 0], b"abbcccrecipe");
    let found = streams(&[member], layer, extent(100), CONTEXT).unwrap().0.map(|stream| {
        let mut bytes = vec![0; usize::try_from(stream.len()).unwrap()];
        stream.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    });
    assert_eq!(found.each_ref().map(Vec::as_slice), [&b"recipe"[..], b"a", b"", b"bb", b"ccc", b""]);
}

#[test]
fn a_table_that_says_more_than_there_is_is_refused() {
    let layer = DiffId::of(b"layer");
    let short = "the recipe is damaged: it is shorter than its own table";
    assert_eq!(said(&[], layer, 100), short);
    for length in [0, 1, TABLE - 1] {
        assert_eq!(said(&[of_layer(layer, "recipe", &vec![0; length])], layer, 100), short);
    }
    assert!(streams(&[first(layer, [0; OTHERS], b"")], layer, extent(100), CONTEXT).is_ok());
    assert!(streams(&[first(layer, [1, 1, 0, 0, 1], b"abc")], layer, extent(100), CONTEXT).is_ok());
    let outside = "the recipe is damaged: a stream is longer than what holds it";
    for (lengths, rest) in [([4, 0, 0, 0, 0], &b"abc"[..]), ([1, 1, 0, 0, 2], b"abc"), ([u32::MAX; OTHERS], b"abc")] {
        assert_eq!(said(&[first(layer, lengths, rest)], layer, 100), outside, "{lengths:?}");
    }
}

#[test]
fn a_member_of_something_else_is_refused() {
    let layer = DiffId::of(b"layer");
    for name in ["other", "recip", ""] {
        let member = of_layer(layer, name, b"");
        let expected = format!("{}: expected a stream of a recipe", member.name);
        assert_eq!(said(&[first(layer, [0; OTHERS], b""), member], layer, 100), expected);
    }
    let of_another = of_layer(DiffId::of(b"another"), "control", b"");
    assert!(said(&[of_another], layer, 100).contains("expected a stream of a recipe"));
    let mixed = of_layer(layer, "control.mix", b"");
    assert!(said(&[mixed], layer, 100).contains("only the first member of a recipe is mixed"));
}

#[test]
fn each_stream_has_its_bound_wherever_it_stands() {
    let layer = DiffId::of(b"layer");
    let length = 10;
    let empty = || first(layer, [0; OTHERS], b"");
    let too_long = |stream: &str, members: &[Member]| {
        let said = said(members, layer, length);
        assert!(
            said.contains("more bytes come than the metadata says")
                || said.contains(&format!("`{stream}` is too long")),
            "{stream}: {said}"
        );
    };
    for stream in &RecipeStream::ALL[1..] {
        let most = usize::try_from(stream.most(extent(length))).unwrap();
        let at_most = [empty(), of_layer(layer, stream.name(), &vec![0; most])];
        streams(&at_most, layer, extent(length), CONTEXT).unwrap();
        too_long(stream.name(), &[empty(), of_layer(layer, stream.name(), &vec![0; most + 1])]);
    }
    // In the first member, too.
    assert!(streams(&[first(layer, [0, 0, 0, 0, 10], &[0; 10])], layer, extent(length), CONTEXT).is_ok());
    too_long("contents", &[first(layer, [0, 0, 0, 0, 11], &[0; 11])]);
    let most = usize::try_from(RecipeStream::Recipe.most(extent(length))).unwrap();
    assert!(streams(&[of_layer(layer, "recipe", &vec![0; most])], layer, extent(length), CONTEXT).is_ok());
    too_long("recipe", &[of_layer(layer, "recipe", &vec![0; most + 1])]);
}

/// A first member that is mixed: a table in which this stream has a byte, that byte, and a guided stream of this model and length, of whatever bytes.
fn guided(layer: DiffId, inline: Option<usize>, (model, length): (u8, usize)) -> Member {
    let lengths: [_; OTHERS] = std::array::from_fn(|stream| u32::from(inline == Some(stream)));
    let plain = [lengths.map(u32::to_le_bytes).as_flattened(), b"x"].concat();
    let alone = join(&[Segment::new(Model::Code, &plain, None)]).unwrap();
    let (head, body) = alone[1..].split_at(3);
    let coded = [7; 5_000];
    let numbers = [length, coded.len()].map(|number| {
        let bits = |place: usize| u8::try_from(number >> place & 0x7f).unwrap();
        [bits(0) | 0x80, bits(7) | 0x80, bits(14)]
    });
    of_layer(layer, "recipe.mix", &[&[2], head, &[model], numbers.as_flattened(), body, &coded].concat())
}

#[test]
fn a_guided_stream_is_nowhere_else_and_has_its_bound() {
    let (layer, length) = (DiffId::of(b"layer"), 100);
    for (model, stream) in [(4, RecipeStream::Values), (5, RecipeStream::Literals), (6, RecipeStream::Literals)] {
        let place = RecipeStream::ALL.iter().position(|known| *known == stream).unwrap();
        let most = usize::try_from(stream.most(extent(length))).unwrap();
        let (found, guides) = streams(&[guided(layer, None, (model, most))], layer, extent(length), CONTEXT).unwrap();
        assert!(!guides.is_empty() && found[place].is_empty());
        let damaged = |what| format!("the recipe is damaged: `{}` is {what}", stream.name());
        assert_eq!(said(&[guided(layer, None, (model, most + 1))], layer, length), damaged("too long"));
        assert_eq!(said(&[guided(layer, Some(place - 1), (model, 1))], layer, length), damaged("there twice"));
        let apart = of_layer(layer, stream.name(), b"x");
        assert_eq!(said(&[guided(layer, None, (model, 1)), apart], layer, length), damaged("there twice"));
    }
}
