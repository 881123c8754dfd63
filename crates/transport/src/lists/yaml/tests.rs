use super::*;

fn one(text: &str) -> Rc<Node> {
    let mut all = documents(text, "it").unwrap();
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

fn text_at<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.text()
}

#[test]
fn things_lie_in_one_another_to_a_bound() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let maps = |depth: usize| format!("{}x{}", "{a: ".repeat(depth), "}".repeat(depth));
    for made in [&nested as &dyn Fn(usize) -> String, &maps] {
        assert!(documents(&made(DEPTH), "it").is_ok());
        let error = documents(&made(DEPTH + 1), "it").unwrap_err();
        assert_eq!(error.to_string(), "it:1: it is nested more than 100 deep");
    }
}

/// Each refers to the one before, so many.
fn chain(length: usize) -> String {
    let more = (1..length).map(|number| format!("- &a{number} [*a{}]\n", number - 1));
    ["- &a0 []\n".to_owned()].into_iter().chain(more).collect()
}

#[test]
fn what_refers_to_one_another_is_bounded_like_what_lies_in_one_another() {
    // The list of them all is one more.
    assert!(documents(&chain(DEPTH - 1), "it").is_ok());
    let error = documents(&chain(DEPTH), "it").unwrap_err();
    assert_eq!(error.to_string(), "it:1: it is nested more than 100 deep");
    let error = documents(&chain(200_000), "it").unwrap_err();
    assert_eq!(error.to_string(), "it:101: it is nested more than 100 deep");
}

#[test]
fn what_is_merged_again_and_again_is_looked_into_once() {
    let mut text = "a0: &a0 {x: y}\n".to_owned();
    for level in 1..45 {
        let refers = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} {{<<: [{refers}]}}\n");
    }
    let last = one(&text).get("a44").unwrap().clone();
    assert_eq!((text_at(&last, "x"), text_at(&last, "image")), (Some("y"), None));
}

#[test]
fn own_values_go_before_those_that_are_merged() {
    let node = one("{a: 1, <<: [{a: 2, b: 2}, {b: 3, c: 3}], d: ~, <<: {c: 4, d: 4, e: 4}}");
    let found: Vec<Option<&str>> = ["a", "b", "c", "d", "e", "f"].map(|key| text_at(&node, key)).into();
    assert_eq!(found, [Some("1"), Some("2"), Some("3"), None, Some("4"), None]);
    // Of what stands twice the later one counts; what is no map has nothing to merge.
    assert_eq!(text_at(&one("{a: 1, a: 2}"), "a"), Some("2"));
    assert_eq!(text_at(&one("{<<: text}"), "a"), None);
    assert_eq!(text_at(&one("[a]"), "a"), None);
}

#[test]
fn nothing_is_what_the_core_schema_has_for_it_without_quotes() {
    for nothing in ["~", "null", "Null", "NULL", ""] {
        assert!(one(&format!("{{a: {nothing}}}")).get("a").is_none(), "{nothing}");
    }
    for text in ["'~'", "\"null\"", "nULL", "''", "0", "false"] {
        assert!(one(&format!("{{a: {text}}}")).get("a").is_some(), "{text}");
    }
}

#[test]
fn what_is_referred_to_stands_before() {
    for (text, expected) in [("a: *b\n", "it:1: "), ("a: &a [*a]\n", "it:1: it refers to what is not there yet")] {
        let error = documents(text, "it").unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    assert!(documents("", "it").unwrap().is_empty());
    assert_eq!(documents("a\n---\nb\n", "it").unwrap().len(), 2);
}

#[test]
fn values_know_their_lines() {
    let node = one("# comment\n\na: x\nb:\n- y\n- {c: z}\nd: |\n  long\n  text\ne: &e\n  f: 1\ng: *e\n");
    let line = |key: &str| node.get(key).unwrap().line;
    assert_eq!([node.line, line("a"), line("b"), line("d"), line("e"), line("g")], [3, 3, 5, 8, 10, 10]);
    let Value::List(all) = &node.get("b").unwrap().value else { panic!("a list") };
    assert_eq!(all.iter().map(|node| node.line).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(text_at(&node, "d"), Some("long\ntext\n"));
}

#[test]
fn what_is_referred_to_is_shared() {
    let node = one("a: &a {x: [1, 2]}\nb: *a\nc: [*a, *a]\n");
    let (a, b) = (node.get("a").unwrap(), node.get("b").unwrap());
    assert!(Rc::ptr_eq(a, b));
    let Value::List(all) = &node.get("c").unwrap().value else { panic!("a list") };
    assert!(all.iter().all(|one| Rc::ptr_eq(one, a)));
    // An anchor that is given again is that of the later one.
    let node = one("a: &a 1\nb: &a 2\nc: *a\n");
    assert_eq!(text_at(&node, "c"), Some("2"));
    // A value that is a text can be referred to, and a key of the later map can be one.
    let node = one("a: &a key\nb: {*a : v}\n");
    assert_eq!(text_at(node.get("b").unwrap(), "key"), Some("v"));
}

#[test]
fn keys_that_are_no_text_name_nothing() {
    let node = one("{[a]: 1, {b: c}: 2, ~: 3, d: 4}");
    assert_eq!((text_at(&node, "d"), text_at(&node, "a"), text_at(&node, "b")), (Some("4"), None, None));
    let Value::Map(entries) = &node.value else { panic!("a map") };
    assert_eq!(entries.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["", "", "", "d"]);
    // Numbers and booleans are as they are written.
    let node = one("{1: a, true: 0x10}");
    assert_eq!((text_at(&node, "1"), text_at(&node, "true")), (Some("a"), Some("0x10")));
}

#[test]
fn what_is_no_yaml_is_told_with_its_line() {
    for (text, line) in [("a: [\n", 2), ("a: b: c\n", 1), ("a: 'b\n", 1)] {
        let error = documents(text, "it").unwrap_err();
        assert!(error.to_string().starts_with(&format!("it:{line}: it is no YAML: ")), "{text:?}: {error}");
        assert_eq!(error.kind(), delta_core::error::Kind::Content);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_read_or_refused(text in "([a-c&*\\[\\]{},:'\"|<~#\\n -]|\u{feff}|\t){0,60}") {
        if let Ok(all) = documents(&text, "it") {
            proptest::prop_assert!(all.iter().all(|node| node.depth <= DEPTH && node.line > 0));
        }
    }
}
