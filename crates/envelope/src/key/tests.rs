use delta_core::error::Kind;

use super::*;

/// The keys of these tests; their secret half is not encrypted.
fn keys() -> NewKeys {
    NewKeys::generate(None).unwrap()
}

/// The file of a secret key whose bytes were changed.
fn secret_file(keys: &NewKeys, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let line = keys.secret_file.lines().nth(1).unwrap();
    let mut bytes = STANDARD.decode(line).unwrap();
    change(&mut bytes);
    format!("untrusted comment: {SECRET_COMMENT}\n{}\n", STANDARD.encode(bytes))
}

fn parse_error(text: &[u8]) -> Error {
    PublicKey::parse(text).unwrap_err()
}

fn unlock_error(text: &str, password: &str) -> Error {
    SecretKeyFile::parse(text.as_bytes()).unwrap().unlock(password).map(|_| ()).unwrap_err()
}

#[test]
fn keys_come_back_from_their_files() {
    for password in [None, Some("correct horse")] {
        let keys = NewKeys::generate(password).unwrap();
        let public = PublicKey::parse(keys.public.to_file().as_bytes()).unwrap();
        assert!(public.is(&keys.public) && PublicKey::is_meant(&public.line()));
        assert!(PublicKey::parse(public.line().as_bytes()).unwrap().is(&public));
        let secret = SecretKeyFile::parse(keys.secret_file.as_bytes()).unwrap();
        assert_eq!(secret.is_locked(), password.is_some());
        assert!(secret.unlock(password.unwrap_or_default()).unwrap().public().is(&public));
    }
}

#[test]
fn a_public_key_is_read_in_every_form_that_people_have_it_in() {
    let key = keys().public;
    let (line, file) = (key.line(), key.to_file());
    for form in [
        line.clone(),
        format!("{line}\n"),
        format!("  {line}\t\r\n"),
        file.replace('\n', "\r\n"),
        format!("\n\n{file}\n\n"),
        format!("untrusted comment:\n{line}"),
    ] {
        assert!(PublicKey::parse(form.as_bytes()).unwrap().is(&key), "{form:?}");
    }
    assert_eq!(file, format!("untrusted comment: minisign public key {}\n{line}\n", key.id()));
}

#[test]
fn what_is_no_public_key_is_refused_with_what_was_expected() {
    let keys = keys();
    let line = keys.public.line();
    let of_bytes = |bytes: &[u8]| STANDARD.encode(bytes);
    let bytes = STANDARD.decode(&line).unwrap();
    let two_lines = "expected two lines, of which the first is an untrusted comment";
    let characters = "expected 56 characters that start with RW";
    for (wrong, expected) in [
        (String::new(), two_lines),
        ("\n \n".to_owned(), two_lines),
        ("a\nb\nc".to_owned(), two_lines),
        (format!("comment: a key\n{line}"), two_lines),
        (format!("{line}\n{line}"), two_lines),
        (format!("untrusted comment: a\n{line}\n{line}"), two_lines),
        (keys.secret_file.clone(), characters),
        ("RWQ".to_owned(), characters),
        (line[..55].to_owned(), characters),
        (of_bytes(&bytes[..41]), characters),
        (of_bytes(&[&bytes[..], b"x"].concat()), characters),
        (of_bytes(&[b"ED", &bytes[2..]].concat()), characters),
        (of_bytes(&[b"ed", &bytes[2..]].concat()), characters),
    ] {
        let error = parse_error(wrong.as_bytes());
        assert_eq!(error.to_string(), format!("this is no public key of minisign: {expected}"), "{wrong:?}");
        assert_eq!((error.kind(), error.hint().is_some()), (Kind::Content, true), "{wrong:?}");
    }
}

#[test]
fn a_file_as_long_as_any_key_may_be_is_read_and_one_byte_more_is_not() {
    let keys = keys();
    let filled = |text: &str, bytes: u64| {
        let mut text = text.as_bytes().to_vec();
        text.resize(usize::try_from(bytes).unwrap(), b'\n');
        text
    };
    assert!(PublicKey::parse(&filled(&keys.public.to_file(), KEY_FILE_BYTES)).is_ok());
    assert!(SecretKeyFile::parse(&filled(&keys.secret_file, KEY_FILE_BYTES)).is_ok());
    let error = parse_error(&filled(&keys.public.to_file(), KEY_FILE_BYTES + 1));
    assert_eq!(error.to_string(), "this is not a public key: expected a text of at most 65536 bytes");
    let error = SecretKeyFile::parse(&filled(&keys.secret_file, KEY_FILE_BYTES + 1)).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "this is not a secret key: expected a text of at most 65536 bytes");
    let error = parse_error(b"untrusted comment: \xff\n");
    assert_eq!(error.kind(), Kind::Content, "{error}");
}

#[test]
fn only_the_line_of_a_key_is_meant_as_one() {
    let line = keys().public.line();
    assert!(PublicKey::is_meant(&line));
    for path in ["", "RW", "keys/vendor.pub", &line[..55], &format!("{line}A"), &format!("RX{}", &line[2..])] {
        assert!(!PublicKey::is_meant(path), "{path}");
    }
    // A path of the same length that starts alike.
    assert!(!PublicKey::is_meant(&format!("RW{}.pub", "a".repeat(50))));
}

#[test]
fn a_secret_key_is_two_lines_of_a_certain_length() {
    let keys = keys();
    for (form, is_one) in [
        (secret_file(&keys, |_| ()), true),
        (secret_file(&keys, |bytes| bytes.push(0)), false),
        (secret_file(&keys, |bytes| bytes.truncate(SECRET_BYTES - 1)), false),
        (secret_file(&keys, |bytes| bytes[1] = b'D'), false),
        (keys.secret_file.lines().nth(1).unwrap().to_owned(), false),
        (keys.public.to_file(), false),
        (String::new(), false),
    ] {
        match SecretKeyFile::parse(form.as_bytes()) {
            Ok(_) => assert!(is_one, "{form}"),
            Err(error) => {
                assert!(!is_one && error.to_string().starts_with("this is no secret key"), "{form}: {error}");
                assert_eq!((error.kind(), error.hint().is_some()), (Kind::Content, true));
            }
        }
    }
}

#[test]
fn a_key_that_minisign_wrote_without_a_password_has_no_checksum_and_is_taken() {
    let keys = keys();
    let without = secret_file(&keys, |bytes| bytes[CHECKSUM_AT..].fill(0));
    let key = SecretKeyFile::parse(without.as_bytes()).unwrap().unlock("").unwrap();
    assert!(key.public().is(&keys.public));
}

#[test]
fn a_checksum_that_is_there_must_be_right() {
    let keys = keys();
    // The ID, the key and the checksum of both; what is before says only how they are encrypted.
    for at in (54..SECRET_BYTES).step_by(4).chain([CHECKSUM_AT, SECRET_BYTES - 1]) {
        let error = unlock_error(&secret_file(&keys, |bytes| bytes[at] ^= 1), "");
        assert_eq!(error.kind(), Kind::Content, "byte {at}: {error}");
        assert!(error.to_string().starts_with("the secret key cannot be used: "), "byte {at}: {error}");
    }
    // The last byte of a checksum alone, where the others are zero, is a checksum still.
    let last = secret_file(&keys, |bytes| {
        bytes[CHECKSUM_AT..].fill(0);
        bytes[SECRET_BYTES - 1] = 1;
    });
    assert_eq!(unlock_error(&last, "").kind(), Kind::Content);
}

#[test]
fn how_a_key_is_encrypted_is_believed_within_bounds() {
    let keys = keys();
    // Where the work of scrypt stands: what it may cost in steps, and in memory.
    let (steps, memory) = (38..46, 46..54);
    for (what, file) in [
        ("another cipher", secret_file(&keys, |bytes| bytes[2..4].copy_from_slice(b"Xx"))),
        ("half a name", secret_file(&keys, |bytes| bytes[3] = 1)),
        (
            "more memory than there is",
            secret_file(&keys, |bytes| {
                bytes[2..4].copy_from_slice(b"Sc");
                bytes[steps.clone()].copy_from_slice(&1_u64.to_le_bytes());
                bytes[memory.clone()].copy_from_slice(&u64::MAX.to_le_bytes());
            }),
        ),
    ] {
        assert!(SecretKeyFile::parse(file.as_bytes()).unwrap().is_locked(), "{what}");
        assert_eq!(unlock_error(&file, "password").kind(), Kind::Content, "{what}");
    }
}

#[test]
fn a_wrong_password_is_a_content_error() {
    let keys = NewKeys::generate(Some("right")).unwrap();
    let error = unlock_error(&keys.secret_file, "wrong");
    assert_eq!(error.kind(), Kind::Content);
    assert!(error.to_string().contains("Wrong password"), "{error}");
}

#[test]
fn a_password_has_something_in_it_and_not_more_than_minisign_takes() {
    require_password("x").unwrap();
    require_password(&"x".repeat(PASSWORD_BYTES)).unwrap();
    let error = require_password("").unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, "the password is empty"));
    assert!(error.hint().unwrap().contains("--no-password"));
    let error = require_password(&"x".repeat(PASSWORD_BYTES + 1)).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, "the password has more than 1024 bytes"));
    // Bytes count, not letters.
    assert!(require_password(&"ü".repeat(PASSWORD_BYTES / 2)).is_ok());
    assert!(require_password(&"ü".repeat(PASSWORD_BYTES / 2 + 1)).is_err());
    for wrong in ["", &"x".repeat(PASSWORD_BYTES + 1)] {
        assert_eq!(NewKeys::generate(Some(wrong)).map(|_| ()).unwrap_err().kind(), Kind::Usage);
    }
}

#[test]
fn the_id_of_a_key_is_that_in_its_bytes() {
    let key = keys().public;
    let bytes = STANDARD.decode(key.line()).unwrap();
    assert_eq!(key.id(), KeyId::of_bytes(bytes[2..10].try_into().unwrap()));
    let other = keys().public;
    assert!(!key.is(&other) && key.is(&key.clone()));
}
