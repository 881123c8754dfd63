use super::*;

fn file(parts: &[(u64, &[u8])], size: u64) -> File {
    let file = tempfile::tempfile().unwrap();
    file.set_len(size).unwrap();
    parts.iter().for_each(|(at, bytes)| file.write_all_at(bytes, *at).unwrap());
    file
}

fn span(offset: u64, length: u64) -> Span {
    Span { offset, length }
}

#[test]
fn holes_of_some_size_are_found() {
    let size = 300 << 20;
    let sparse = file(&[(1 << 20, b"one"), ((1 << 20) + 20_000, b"near"), (200 << 20, b"two")], size);
    let expected = [span(1 << 20, 20_480), span(200 << 20, 4096), span(size, 0)];
    assert_eq!(data_of(&sparse, size).unwrap(), expected);
    assert_eq!(bytes_of(&sparse, size).unwrap(), expected);
    let dense = file(&[(0, &vec![0; 1 << 20]), (1 << 20, b"end")], (1 << 20) + 3);
    assert_eq!(data_of(&dense, (1 << 20) + 3).unwrap(), [span(0, (1 << 20) + 3)]);
    assert_eq!(bytes_of(&dense, (1 << 20) + 3).unwrap(), [span(1 << 20, 3)]);
    for empty in [0, 1, 65_535] {
        let file = file(&[], empty);
        assert_eq!(data_of(&file, empty).unwrap(), [span(0, empty)]);
        assert_eq!(bytes_of(&file, empty).unwrap(), [span(0, empty)]);
    }
    assert_eq!(data_of(&file(&[], 65_536), 65_536).unwrap(), [span(65_536, 0)]);
}

#[test]
fn more_spans_than_are_kept_become_one() {
    let mut found = Spans::new(1 << 40);
    (0..100_000).for_each(|number| found.take(number << 20, (number << 20) + 1));
    let spans = found.finish();
    assert_eq!(spans.len(), SPANS);
    assert_eq!(spans[SPANS - 2].end(), (99_999 << 20) + 4096);
}

#[test]
fn only_the_one_form_of_a_map_is_read() {
    let good = [span(0, 4096), span(1 << 20, 10), span(1 << 30, 0)];
    let text = map(&good);
    let stored = text.len() as u64 + 4106;
    assert_eq!(spans(&text, 1 << 30, stored).unwrap(), good);
    for wrong in [&b""[..], b"0\n", b"1\n", b"-1\n0\n0\n", b"2\n5\n5\n3\n3\n", b"99999999999\n", b"1\n0\n99999999999\n"]
    {
        let mut wrong = wrong.to_vec();
        wrong.resize(512, 0);
        assert!(spans(&wrong, 1 << 30, 512).is_err(), "{wrong:?}");
    }
    assert!(spans(&text, 1 << 29, stored).is_err() && spans(&text, 1 << 30, stored + 1).is_err());
}

/// What is found where these ranges hold data.
fn found(size: u64, data: &[(u64, u64)]) -> Vec<Span> {
    let mut found = Spans::new(size);
    data.iter().for_each(|(start, end)| found.take(*start, *end));
    found.finish()
}

#[test]
fn a_hole_is_one_from_a_certain_size_on() {
    let size = 1 << 20;
    let end = |at| [span(0, at), span(size, 0)];
    // At the start.
    assert_eq!(found(size, &[(HOLE_BYTES - UNIT, size)]), [span(0, size)]);
    assert_eq!(found(size, &[(HOLE_BYTES, size)]), [span(HOLE_BYTES, size - HOLE_BYTES)]);
    // Between two parts.
    let second = UNIT + HOLE_BYTES;
    assert_eq!(found(size, &[(0, UNIT), (second - UNIT, size)]), [span(0, size)]);
    assert_eq!(found(size, &[(0, UNIT), (second, size)]), [span(0, UNIT), span(second, size - second)]);
    // At the end.
    assert_eq!(found(size, &[(0, size - HOLE_BYTES + UNIT)]), [span(0, size)]);
    assert_eq!(found(size, &[(0, size - HOLE_BYTES)]), end(size - HOLE_BYTES));
    // All of it.
    assert_eq!(found(size, &[]), [span(size, 0)]);
    assert_eq!(found(HOLE_BYTES - 1, &[]), [span(0, HOLE_BYTES - 1)]);
    assert_eq!(found(0, &[]), [span(0, 0)]);
}

#[test]
fn data_fills_whole_units_up_to_the_end_of_the_file() {
    let size = (1 << 20) + 10;
    assert_eq!(found(size, &[(200_001, 200_002)]), [span(196_608, 4_096), span(size, 0)]);
    assert_eq!(found(size, &[(size - 1, size)]), [span(1 << 20, 10)]);
    // What is found twice, or within what is known, counts once.
    assert_eq!(found(size, &[(0, 9_000), (0, 9_000), (4_096, 5_000)]), [span(0, 12_288), span(size, 0)]);
    assert_eq!(found(size, &[(300_000, 300_000)]), [span(299_008, 4_096), span(size, 0)]);
}

#[test]
fn a_map_has_so_many_spans_and_no_more() {
    let spans_of = |count: usize| -> Vec<Span> { (0..count as u64).map(|number| span(number << 20, 0)).collect() };
    let read = |count: usize| {
        let all = spans_of(count);
        let text = map(&all);
        assert!(text.len() as u64 <= MAP_BYTES || count > SPANS);
        spans(&text, (count as u64 - 1) << 20, text.len() as u64).map(|found| found == all)
    };
    assert!(read(1).unwrap() && read(SPANS).unwrap());
    assert!(read(SPANS + 1).is_err());
    // The longest lines that there can be.
    let widest = vec![span(u64::MAX - 1, 1); SPANS];
    assert!(map(&widest).len() as u64 <= MAP_BYTES);
}

#[test]
fn a_map_says_what_is_stored_and_ends_where_the_file_does() {
    let file = |text: &str, size: u64, held: u64| {
        let mut first = text.as_bytes().to_vec();
        first.resize(first.len().next_multiple_of(512), 0);
        let stored = first.len() as u64 + held;
        first.extend(vec![1; usize::try_from(held).unwrap()]);
        spans(&first, size, stored)
    };
    assert_eq!(file("2\n0\n10\n100\n0\n", 100, 10).unwrap(), [span(0, 10), span(100, 0)]);
    assert_eq!(file("2\n0\n10\n10\n90\n", 100, 100).unwrap(), [span(0, 10), span(10, 90)]);
    for (what, found) in [
        ("too little is stored", file("2\n0\n10\n100\n0\n", 100, 9)),
        ("too much is stored", file("2\n0\n10\n100\n0\n", 100, 11)),
        ("it ends before the file", file("2\n0\n10\n99\n0\n", 100, 10)),
        ("it ends behind the file", file("2\n0\n10\n101\n0\n", 100, 10)),
        ("a part begins in another", file("2\n0\n10\n9\n91\n", 100, 101)),
        ("its end is beyond all numbers", file("1\n18446744073709551615\n1\n", 100, 1)),
        ("a number in another form", file("2\n0\n010\n100\n0\n", 100, 10)),
        ("a number with a sign", file("2\n0\n+10\n100\n0\n", 100, 10)),
        ("blanks", file("2\n0\n10 \n100\n0\n", 100, 10)),
        ("another end of lines", file("2\r\n0\r\n10\r\n100\r\n0\r\n", 100, 10)),
        ("fewer lines than it says", file("3\n0\n10\n100\n0\n", 100, 10)),
        ("bytes behind it", file("2\n0\n10\n100\n0\nmore", 100, 10)),
        ("no parts", file("0\n", 0, 0)),
    ] {
        let error = found.unwrap_err();
        assert_eq!(error.to_string(), "a map of holes that is damaged", "{what}");
    }
}
