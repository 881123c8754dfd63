use delta_core::error::Kind;

use super::*;

fn refused() -> io::Error {
    io::Error::other("why")
}

#[test]
fn what_is_lost_is_told_by_kind_with_the_first_that_lacks_it() {
    let mut losses = Losses::default();
    for name in ["first", "second", "third"] {
        losses.add(Loss::Time, name.as_bytes(), &refused());
    }
    losses.add(Loss::Permissions, b"a\nname", &refused());
    losses.add(Loss::Attribute(b"user.\x1b".to_vec()), b"one", &refused());
    assert!(losses.has(&Loss::Time) && !losses.has(&Loss::Device));
    let error = losses.finish("it cannot be made").unwrap_err();
    assert_eq!(
        error.to_string(),
        "it cannot be made: the permissions of a\\nname (why); the time of 3 entries, the first is first (why); the attribute \
         user.\\u{1b} of one (why)"
    );
    assert_eq!(error.kind(), Kind::Environment);
    let hint = error.hint().unwrap();
    assert!(hint.starts_with("go on without: --no-permissions --no-times --no-xattrs; "), "{hint}");
}

#[test]
fn what_nobody_can_keep_is_no_error() {
    let mut losses = Losses::default();
    losses.add(Loss::SetId, b"program", &refused());
    let lost = losses.finish("it cannot be made").unwrap();
    let [lost] = &lost[..] else { panic!("{lost:?}") };
    assert_eq!((lost.entries, lost.first.as_str(), lost.option), (1, "program", "--no-owner"));
    assert!(Losses::default().finish("it cannot be made").unwrap().is_empty());
}

#[test]
fn so_many_kinds_are_told_apart_and_the_others_are_one() {
    let mut losses = Losses::default();
    for number in 0..1_000 {
        losses.add(Loss::Attribute(format!("user.{number:04}").into_bytes()), b"file", &refused());
    }
    losses.add(Loss::Attribute(b"user.0000".to_vec()), b"file", &refused());
    assert_eq!(losses.0.len(), KINDS + 1);
    let of = |name: &[u8]| losses.0[&Loss::Attribute(name.to_vec())].entries;
    assert_eq!((of(b"user.0000"), of(b"user.0063"), of(b"(others)")), (2, 1, 936));
}

#[test]
fn each_kind_has_its_words_and_its_option() {
    let attribute = |name: &[u8]| Loss::Attribute(name.to_vec());
    // What an ordinary user cannot give back is no error for him; these tests are run as root.
    let is_root = system::is_root();
    for (loss, what, option, usual) in [
        (Loss::Owner, "the owner", "--no-owner", !is_root),
        (Loss::Group, "the group", "--no-owner", !is_root),
        (Loss::SetId, "the set-user-ID or set-group-ID bit", "--no-owner", true),
        (Loss::Permissions, "the permissions", "--no-permissions", false),
        (Loss::Time, "the time", "--no-times", false),
        (attribute(b"user.a"), "the attribute user.a", "--no-xattrs", false),
        (attribute(b"security.selinux"), "the attribute security.selinux", "--no-xattrs", !is_root),
        (Loss::Device, "the device", "--no-devices", false),
    ] {
        let mut losses = Losses::default();
        losses.add(loss.clone(), b"name", &refused());
        assert!(losses.has(&loss));
        match losses.finish("it cannot be made") {
            Ok(lost) => assert!(usual && lost[0].what == what && lost[0].option == option, "{lost:?}"),
            Err(error) => {
                assert_eq!((usual, error.to_string()), (false, format!("it cannot be made: {what} of name (why)")));
                let hint = format!("go on without: {option}; or run it as root on a file system that has it");
                assert_eq!(error.hint(), Some(hint.as_str()));
            }
        }
    }
}

#[test]
fn an_option_is_told_once_and_what_is_usual_is_not_told_beside_what_is_not() {
    let mut losses = Losses::default();
    losses.add(Loss::SetId, b"program", &refused());
    losses.add(Loss::Device, b"null", &refused());
    for name in ["user.a", "user.b"] {
        losses.add(Loss::Attribute(name.as_bytes().to_vec()), b"file", &refused());
    }
    let error = losses.finish("it cannot be made").unwrap_err();
    assert!(!error.to_string().contains("set-user-ID"), "{error}");
    assert!(error.hint().unwrap().starts_with("go on without: --no-xattrs --no-devices; "), "{error:?}");
}
