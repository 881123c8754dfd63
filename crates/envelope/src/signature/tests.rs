use delta_core::error::Kind;

use super::*;
use crate::key::{NewKeys, SecretKeyFile};
use crate::limits::KEY_FILE_BYTES;

fn key() -> SecretKey {
    let keys = NewKeys::generate(None).unwrap();
    SecretKeyFile::parse(keys.secret_file.as_bytes()).unwrap().unlock("").unwrap()
}

fn signed(key: &SecretKey, bytes: &[u8], comment: &str) -> Signature {
    Signature::make(key, &mut &bytes[..], comment).unwrap()
}

/// The text of a signature with one of its lines exchanged.
fn with_line(text: &str, number: usize, line: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines[number] = line;
    lines.join("\n") + "\n"
}

/// The bytes of one of its lines.
fn bytes_of(text: &str, number: usize) -> Vec<u8> {
    STANDARD.decode(text.lines().nth(number).unwrap()).unwrap()
}

fn parse_error(text: &[u8]) -> Error {
    Signature::parse(text).map(|_| ()).unwrap_err()
}

#[test]
fn a_signature_is_of_its_bytes_its_comment_and_its_key() {
    let key = key();
    let made = signed(&key, b"what is signed", "said with it");
    assert_eq!(made.check(key.public(), &mut &b"what is signed"[..]).unwrap(), "said with it");
    assert_eq!(made.key(), key.public().id());
    assert_eq!(made.untrusted_comment(), format!("signature by key {}", key.public().id()));
    assert!(made.check(key.public(), &mut &b"what is Signed"[..]).is_err());
    assert!(made.check(self::key().public(), &mut &b"what is signed"[..]).is_err());
    let other = made.to_file().replace("said with it", "said by another");
    assert!(Signature::parse(other.as_bytes()).unwrap().check(key.public(), &mut &b"what is signed"[..]).is_err());
}

#[test]
fn a_signature_that_does_not_fit_names_the_key_and_what_to_do() {
    let key = key();
    let error = signed(&key, b"one", "").check(key.public(), &mut &b"other"[..]).unwrap_err();
    let expected = format!("the signature by key {} is not that of these bytes: ", key.public().id());
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert_eq!(error.kind(), Kind::Content);
    assert!(error.hint().unwrap().contains("were changed"));
}

#[test]
fn every_changed_byte_is_refused_or_in_the_untrusted_comment() {
    let key = key();
    let text = signed(&key, b"bytes", "comment").to_file().into_bytes();
    let untrusted = text.iter().position(|byte| *byte == b'\n').unwrap();
    for at in 0..text.len() {
        for change in [1, 0x20, 0x80] {
            let mut changed = text.clone();
            changed[at] ^= change;
            let is_good = Signature::parse_exactly(&changed)
                .is_ok_and(|changed| changed.check(key.public(), &mut &b"bytes"[..]).is_ok());
            assert!(!is_good || at < untrusted, "byte {at}");
        }
    }
}

#[test]
fn a_signature_that_was_cut_off_anywhere_is_none() {
    let text = signed(&key(), b"bytes", "comment").to_file();
    for length in 0..text.len() {
        assert!(Signature::parse_exactly(&text.as_bytes()[..length]).is_err(), "{length}");
    }
    // A file may lack the last newline; a package has it.
    assert!(Signature::parse(&text.as_bytes()[..text.len() - 1]).is_ok());
}

#[test]
fn other_texts_are_no_signatures() {
    let text = signed(&key(), b"bytes", "comment").to_file();
    let of_length = |number, length| {
        let mut bytes = bytes_of(&text, number);
        bytes.resize(length, 0);
        with_line(&text, number, &STANDARD.encode(bytes))
    };
    for (wrong, expected) in [
        (String::new(), "expected four lines"),
        (text.lines().take(3).collect::<Vec<_>>().join("\n"), "expected four lines"),
        (format!("{text}more\n"), "expected four lines"),
        (format!("{text}\n"), "expected four lines"),
        ("\n\n\n\n".to_owned(), "expected 74 bytes in base64"),
        (of_length(1, 73), "expected 74 bytes in base64"),
        (of_length(1, 75), "expected 74 bytes in base64"),
        (of_length(3, 63), "expected 64 bytes in base64"),
        (of_length(3, 65), "expected 64 bytes in base64"),
        (text.replace('=', ""), "expected 74 bytes in base64"),
        (with_line(&text, 0, "comment: a"), "expected its four lines"),
        (with_line(&text, 2, "untrusted comment: a"), "expected its four lines"),
        (with_line(&text, 2, "trusted comment:a"), "expected its four lines"),
    ] {
        let error = parse_error(wrong.as_bytes());
        assert!(error.to_string().contains("this is no signature of minisign: "), "{wrong}: {error}");
        assert!(error.to_string().contains(expected), "{wrong}: {error}");
        assert_eq!(error.kind(), Kind::Content, "{wrong}");
    }
}

#[test]
fn algorithms_that_are_not_the_one_are_refused() {
    let text = signed(&key(), b"bytes", "comment").to_file();
    let by = |algorithm: &[u8; 2]| {
        let bytes = [algorithm, &bytes_of(&text, 1)[2..]].concat();
        with_line(&text, 1, &STANDARD.encode(bytes))
    };
    let error = parse_error(by(b"Ed").as_bytes());
    assert!(error.to_string().contains("minisign's old kind"), "{error}");
    assert_eq!((error.kind(), error.hint()), (Kind::Content, Some("sign again without -l")));
    assert_eq!(parse_error(by(b"Ee").as_bytes()).kind(), Kind::Content);
    assert!(Signature::parse(by(b"ED").as_bytes()).is_ok());
}

#[test]
fn blanks_are_borne_beside_a_package_and_not_in_it() {
    let key = key();
    let text = signed(&key, b"bytes", "comment").to_file();
    for form in [text.replace('\n', "\r\n"), text.replace("comment\n", "comment \n"), text.trim_end().to_owned()] {
        let beside = Signature::parse(form.as_bytes()).unwrap();
        assert_eq!(beside.check(key.public(), &mut &b"bytes"[..]).unwrap(), "comment", "{form:?}");
        let error = Signature::parse_exactly(form.as_bytes()).map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with("four lines that end in a newline, and no other blanks"), "{error}");
    }
}

#[test]
fn a_signature_is_as_long_as_any_may_be_and_no_longer() {
    let text = signed(&key(), b"bytes", "").to_file();
    let with_comment = |bytes: u64| {
        let line = text.lines().next().unwrap();
        let more = usize::try_from(bytes).unwrap() - text.len();
        with_line(&text, 0, &format!("{line}{}", "x".repeat(more)))
    };
    assert!(Signature::parse(with_comment(KEY_FILE_BYTES).as_bytes()).is_ok());
    let error = parse_error(with_comment(KEY_FILE_BYTES + 1).as_bytes());
    assert_eq!(error.to_string(), "this is not a signature: expected a text of at most 65536 bytes");
    assert_eq!(parse_error(&[0xff; 4]).kind(), Kind::Content);
}

#[test]
fn a_comment_that_would_not_come_back_is_not_signed() {
    let key = key();
    for comment in ["two\nlines", "ends\n", "\r", " before", "behind ", "\ttab"] {
        let error = Signature::make(&key, &mut &b"bytes"[..], comment).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{comment:?}: {error}");
    }
    for comment in ["", "one line", "ünïcode", "a: b=c, d"] {
        assert_eq!(signed(&key, b"bytes", comment).check(key.public(), &mut &b"bytes"[..]).unwrap(), comment);
    }
}

/// Reads some bytes and then reports an error of this kind; once, or for ever.
struct Faulty {
    bytes: &'static [u8],
    faults: Vec<io::ErrorKind>,
}

impl Read for Faulty {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.faults.pop() {
            Some(kind) => Err(kind.into()),
            None => self.bytes.read(buffer),
        }
    }
}

#[test]
fn what_reading_reports_is_kept() {
    let key = key();
    let signature = signed(&key, b"bytes", "");
    for (fault, kind) in [
        (io::ErrorKind::PermissionDenied, Kind::Environment),
        (io::ErrorKind::InvalidData, Kind::Content),
        (io::ErrorKind::UnexpectedEof, Kind::Content),
    ] {
        let faulty = || Faulty { bytes: b"bytes", faults: vec![fault] };
        let made = Signature::make(&key, &mut faulty(), "").map(|_| ()).unwrap_err();
        assert!(made.to_string().starts_with("reading what is to be signed: "), "{made}");
        let checked = signature.check(key.public(), &mut faulty()).unwrap_err();
        assert!(checked.to_string().starts_with("reading what is signed: "), "{checked}");
        assert_eq!((made.kind(), checked.kind()), (kind, kind));
    }
}

#[test]
fn a_reading_that_was_interrupted_goes_on() {
    let key = key();
    let interrupted = || Faulty { bytes: b"bytes", faults: vec![io::ErrorKind::Interrupted; 3] };
    let signature = Signature::make(&key, &mut interrupted(), "comment").unwrap();
    assert_eq!(signature.check(key.public(), &mut interrupted()).unwrap(), "comment");
}
