use super::*;

#[test]
fn every_key_is_one_of_the_policy() {
    for key in KEYS {
        let error = parse(&format!("{key} = 1979-05-27")).unwrap_err();
        assert!(error.to_string().starts_with("line 1: "), "{key}: {error}");
        assert!(!error.to_string().contains("unknown field"), "{key}: {error}");
    }
}

#[test]
fn a_key_that_is_like_one_is_told_and_others_are_not() {
    for (name, expected) in [
        ("trusted", "did you mean `trust`?"),
        ("Interval", "did you mean `interval`?"),
        ("tls-ca", "did you mean `tls_ca`?"),
        ("identity_file", "did you mean `identity_files`?"),
        ("plainhttp", "did you mean `plain_http`?"),
        ("base", "did you mean `bases`?"),
    ] {
        assert_eq!(advice(name), expected);
    }
    for name in ["", "x", "registry", "watch"] {
        assert_eq!(advice(name), format!("the keys are {}", KEYS.join(", ")), "{name}");
    }
}

#[test]
fn of_several_unknown_keys_the_first_is_told() {
    let error = parse("trust = []\nzebra = 1\nantelope = 2\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: `zebra` is no key of a policy");
    // What is no TOML is told before what it would mean.
    let error = parse("zebra = 1\n\n= 2\n").unwrap_err();
    assert!(error.to_string().starts_with("line 3: "), "{error}");
}

#[test]
fn a_place_of_the_text_is_told_by_its_line() {
    for (offset, line) in [(0, 1), (1, 1), (2, 2), (3, 3), (4, 3), (5, 3), (100, 3)] {
        assert!(at("a\n\nß", offset, "x").to_string() == format!("line {line}: x"), "{offset}");
    }
}

#[test]
fn an_engine_is_one_that_there_is() {
    for (text, expected) in [("docker", ClientKind::Docker), ("podman", ClientKind::Podman)] {
        assert_eq!(parse(&format!("engine = '{text}'")).unwrap().engine, Some(expected));
    }
    for text in ["'Docker'", "''", "'containerd'", "1", "[]"] {
        assert!(parse(&format!("engine = {text}")).unwrap_err().to_string().starts_with("line 1: "), "{text}");
    }
    let error = parse("\nengine = 'nerdctl'").unwrap_err();
    assert_eq!(error.to_string(), "line 2: expected an engine (docker or podman), found `nerdctl`");
}
