use super::*;

#[test]
fn variables_are_filled_in_as_compose_does_it() {
    let value = |name: &str| match name {
        "A" => Some("a".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    for (text, expected) in [
        ("x", Some("x")),
        ("$A-${A}", Some("a-a")),
        ("$$A", Some("$A")),
        ("${EMPTY:-d}${EMPTY-d}", Some("d")),
        ("${NONE:-d/e:f}", Some("d/e:f")),
        ("${A:+set}${NONE+set}", Some("set")),
        ("${A:?why}", Some("a")),
        ("${NONE?why}", None),
        ("$NONE", None),
        ("$", None),
        ("${", None),
        ("${}", None),
        ("${A!x}", None),
    ] {
        assert_eq!(filled(text, &value).ok().as_deref(), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_variable_is_told() {
    for (text, expected) in [
        ("$", "expected the name of a variable behind `$`, found ``; `$$` is a dollar"),
        ("a$ b", "expected the name of a variable behind `$`, found ` b`; `$$` is a dollar"),
        ("${", "expected the name of a variable behind `$`, found `{`; `$$` is a dollar"),
        ("${}", "expected the name of a variable behind `$`, found ``; `$$` is a dollar"),
        ("${A!x}", "expected the name of a variable behind `$`, found `A!x`; `$$` is a dollar"),
        ("${A:}", "expected the name of a variable behind `$`, found `A:`; `$$` is a dollar"),
        ("$NONE", "the variable NONE has no value"),
        ("${NONE:?\x1b[2J}", "the variable NONE has no value: \\u{1b}[2J"),
    ] {
        // Not even what has no name has a value.
        let value = |name: &str| (name == "A" || name.is_empty()).then(|| "a".to_owned());
        assert_eq!(filled(text, &value).unwrap_err().to_string(), expected, "{text}");
    }
    let error = filled("$NONE", &|_| None).unwrap_err();
    assert!(error.hint().unwrap().ends_with("NONE=VALUE"));
}

#[test]
fn a_file_of_variables_is_read() {
    let found = of_file("# c\nA=1\r\nexport B = 'x y' \nC=\"q\"\nD=v # why\nnone\n");
    let expected = [("A", "1"), ("B", "x y"), ("C", "q"), ("D", "v")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(found, expected.into());
}

#[test]
fn names_and_braces_end_where_they_should() {
    let value = |name: &str| Some(format!("<{name}>"));
    for (text, expected) in [
        ("$a_1-b", "<a_1>-b"),
        ("$1", "<1>"),
        ("$aä", "<a>ä"),
        ("${a}b}", "<a>b}"),
        ("$$$a", "$<a>"),
        ("$$$$", "$$"),
        ("$a$b", "<a><b>"),
        ("${a:-}", "<a>"),
        ("${a-${b}}", "<a>}"),
        ("a$$", "a$"),
        ("", ""),
    ] {
        assert_eq!(filled(text, &value).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_holds_without_a_value_depends_on_the_operator_and_the_colon() {
    let value = |name: &str| match name {
        "SET" => Some("s".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    };
    for (operator, expected) in [
        ("", [Some("s"), Some(""), None]),
        ("-d", [Some("s"), Some(""), Some("d")]),
        (":-d", [Some("s"), Some("d"), Some("d")]),
        ("-", [Some("s"), Some(""), Some("")]),
        (":-", [Some("s"), Some(""), Some("")]),
        ("?w", [Some("s"), Some(""), None]),
        (":?w", [Some("s"), None, None]),
        ("?", [Some("s"), Some(""), None]),
        ("+d", [Some("d"), Some("d"), Some("")]),
        (":+d", [Some("d"), Some(""), Some("")]),
        (":", [None, None, None]),
        ("=d", [None, None, None]),
        (":=d", [None, None, None]),
        ("::-d", [None, None, None]),
        (" -d", [None, None, None]),
        ("%d", [None, None, None]),
    ] {
        let found = ["SET", "EMPTY", "NONE"].map(|name| filled(&format!("${{{name}{operator}}}"), &value).ok());
        assert_eq!(found, expected.map(|value| value.map(str::to_owned)), "{operator}");
    }
}

#[test]
fn lines_of_variables_are_names_and_values() {
    for (line, expected) in [
        ("A=", Some(("A", ""))),
        ("A==", Some(("A", "="))),
        (" A = b ", Some(("A", "b"))),
        ("A=b#c", Some(("A", "b#c"))),
        ("A=b #c", Some(("A", "b"))),
        ("A='b #c'", Some(("A", "b #c"))),
        ("A=\"b 'c'\"", Some(("A", "b 'c'"))),
        ("A='b\"", Some(("A", "'b\""))),
        ("A='", Some(("A", "'"))),
        ("export A=b", Some(("A", "b"))),
        ("#A=b", None),
        ("  # A=b", None),
        ("A", None),
        ("", None),
    ] {
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(of_file(line), expected.into_iter().collect(), "{line}");
    }
    // The last one counts.
    assert_eq!(of_file("A=1\nA=2\n"), [("A".to_owned(), "2".to_owned())].into());
}
