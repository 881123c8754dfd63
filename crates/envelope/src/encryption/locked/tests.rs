//! The keys of ssh are for these tests alone; `ssh-keygen` made them.

use delta_core::error::Kind;

use super::*;
use crate::encryption::Recipients;
use crate::limits::MOST_RECIPIENTS;

/// Of ed25519, not encrypted, and its recipient.
const SSH: &str = include_str!("../../../../../testdata/keys/ssh/ed25519");
const SSH_RECIPIENT: &str = include_str!("../../../../../testdata/keys/ssh/ed25519.pub").trim_ascii_end();

/// The same kind, encrypted with the passphrase `secret`, of one round.
const LOCKED_SSH: &str = include_str!("../../../../../testdata/keys/ssh/locked");
const LOCKED_SSH_RECIPIENT: &str = include_str!("../../../../../testdata/keys/ssh/locked.pub").trim_ascii_end();

/// Of a kind that cannot decrypt.
const ECDSA: &str = include_str!("../../../../../testdata/keys/ssh/ecdsa");

fn nobody() -> Ask {
    Arc::new(|_: &str| None)
}

/// A key of age, as a file has it, and its recipient.
fn key() -> (String, String) {
    use age::secrecy::ExposeSecret;
    let key = age::x25519::Identity::generate();
    (key.to_string().expose_secret().to_owned(), key.to_public().to_string())
}

fn encrypted(recipient: &str, plain: &[u8]) -> Vec<u8> {
    let mut recipients = Recipients::default();
    recipients.add(recipient).unwrap();
    let mut out = Vec::new();
    recipients.encrypt(&mut &plain[..], &mut out).unwrap();
    out
}

fn opened(bytes: Vec<u8>, identity: &str) -> Result<Arc<dyn ReadAt>> {
    let mut identities = Identities::default();
    identities.add_file(identity.as_bytes(), "key", &nobody())?;
    Locked::read(Arc::new(bytes))?.unlock(&identities)
}

#[test]
fn every_place_is_decrypted_alike() {
    let (identity, recipient) = key();
    let piece = 65_536;
    for length in [0, 1, piece - 1, piece, piece + 1, 3 * piece, 3 * piece + 77] {
        let plain: Vec<u8> = (0..length).map(|number: usize| (number / 7).to_le_bytes()[0]).collect();
        let bytes = opened(encrypted(&recipient, &plain), &identity).unwrap();
        assert_eq!(bytes.len(), length as u64);
        for offset in [0, 1, piece - 1, piece, 2 * piece + 5, length.saturating_sub(1), length, length + 9, 3, 0] {
            let mut buffer = vec![0; 70_000];
            let count = bytes.read_at(&mut buffer, offset as u64).unwrap();
            let expected = plain.get(offset..).unwrap_or_default();
            assert_eq!(buffer[..count], expected[..expected.len().min(70_000)], "{length} {offset}");
        }
    }
}

#[test]
fn damage_and_other_keys_are_content_errors() {
    let (identity, recipient) = key();
    let plain = vec![7; 200_000];
    let whole = encrypted(&recipient, &plain);
    let error = opened(whole.clone(), &key().0).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("encrypted for others"), "{error}");
    for length in [whole.len() - 1, whole.len() - 65_552, 250, 30] {
        let error = opened(whole[..length].to_vec(), &identity).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), delta_core::error::Kind::Content, "{length}: {error}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(opened(longer, &identity).is_err());
    for at in (0..whole.len()).step_by(1_013) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let read = opened(changed, &identity).and_then(|bytes| {
            let mut back = vec![0; plain.len()];
            bytes.read_exact_at(&mut back, 0).map_err(Error::io("reading"))
        });
        assert_eq!(read.unwrap_err().kind(), delta_core::error::Kind::Content, "byte {at}");
    }
}

#[test]
fn every_changed_byte_of_a_header_is_refused() {
    let (identity, recipient) = key();
    let whole = encrypted(&recipient, b"plain");
    let end = whole.windows(HEADER_END.len()).position(|window| window == HEADER_END).unwrap();
    // Up to the MAC of the header, and the nonce behind it.
    for at in 0..end + 65 {
        for change in [1, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= change;
            let error = opened(changed, &identity).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), Kind::Content, "byte {at}: {error}");
        }
    }
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_a_content_error() {
    let (identity, recipient) = key();
    let whole = encrypted(&recipient, b"plain");
    for length in 0..whole.len() {
        let error = opened(whole[..length].to_vec(), &identity).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::Content, "{length}: {error}");
    }
}

#[test]
fn encrypted_bytes_are_told_by_the_first_of_them() {
    let whole = encrypted(&key().1, b"plain");
    for (bytes, is) in [
        (whole.clone(), true),
        (MAGIC.to_vec(), true),
        (MAGIC[..MAGIC.len() - 1].to_vec(), false),
        (b"age-encryption.org/v2\n".to_vec(), false),
        (whole[1..].to_vec(), false),
        (Vec::new(), false),
    ] {
        assert_eq!(is_encrypted(&bytes).unwrap(), is);
    }
    assert_eq!(is_encrypted(&Broken).unwrap_err().kind(), Kind::Environment);
    assert_eq!(Locked::read(Arc::new(Broken)).map(|_| ()).unwrap_err().kind(), Kind::Environment);
}

/// Bytes on a disk that gives none of them.
struct Broken;

impl ReadAt for Broken {
    fn len(&self) -> u64 {
        1_000
    }

    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(5))
    }
}

#[test]
fn a_header_ends_within_its_bound() {
    // A line that cannot be meant, so that age reads a header to its end and refuses it then.
    let with_end_at = |end: u64| {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(b"-> X25519 aaaa\n");
        bytes.resize(usize::try_from(end).unwrap() - HEADER_END.len(), b'a');
        bytes.extend(HEADER_END);
        bytes.extend([b'a'; 100]);
        Locked::read(Arc::new(bytes)).map(|_| ()).unwrap_err().to_string()
    };
    let too_long = "it is encrypted, and its header does not end within 1048576 bytes";
    assert!(with_end_at(HEADER_BYTES).contains("damaged or incomplete"), "{}", with_end_at(HEADER_BYTES));
    assert_eq!(with_end_at(HEADER_BYTES + 1), too_long);
    for header in
        [MAGIC.to_vec(), [MAGIC, b"--\n--"].concat(), [MAGIC, &b"-> X25519 aaaa\n".repeat(200_000)[..]].concat()]
    {
        let error = Locked::read(Arc::new(header)).map(|_| ()).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Content, too_long));
        assert!(error.hint().is_some());
    }
}

/// A header for a passphrase that takes this work, as a power of two.
fn with_work(work: &str) -> Vec<u8> {
    let (salt, body, mac) = ("A".repeat(22), "A".repeat(43), "A".repeat(43));
    let header = format!("age-encryption.org/v1\n-> scrypt {salt} {work}\n{body}\n--- {mac}\n");
    [header.as_bytes(), &[0; 100]].concat()
}

#[test]
fn whoever_sends_a_package_does_not_choose_how_long_its_receiver_works() {
    for work in [21, 22, 40, 63] {
        let locked = Locked::read(Arc::new(with_work(&work.to_string()))).unwrap();
        assert!(locked.takes_passphrase());
        let mut identities = Identities::default();
        identities.add_passphrase("secret".to_owned());
        let error = locked.unlock(&identities).map(|_| ()).unwrap_err();
        let expected =
            format!("its passphrase takes more work than a sound one: 2^{work} rounds, where at most 2^20 are done");
        assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
    }
    for work in ["0", "64", "256", "-1", "01", "x", ""] {
        let mut identities = Identities::default();
        identities.add_passphrase("secret".to_owned());
        let opened = Locked::read(Arc::new(with_work(work))).and_then(|locked| locked.unlock(&identities));
        assert_eq!(opened.map(|_| ()).unwrap_err().kind(), Kind::Content, "{work}");
    }
}

/// Encrypted for this passphrase, with little work.
fn for_passphrase(passphrase: &str, plain: &[u8]) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(2);
    age::encrypt(&recipient, plain).unwrap()
}

fn held(bytes: &dyn ReadAt) -> Vec<u8> {
    let mut held = vec![0; usize::try_from(bytes.len()).unwrap()];
    bytes.read_exact_at(&mut held, 0).unwrap();
    held
}

#[test]
fn a_passphrase_opens_what_was_encrypted_for_it_and_another_does_not() {
    let whole = for_passphrase("secret", b"plain");
    let opened = |passphrase: &str| {
        let mut identities = Identities::default();
        identities.add_passphrase(passphrase.to_owned());
        Locked::read(Arc::new(whole.clone())).unwrap().unlock(&identities)
    };
    assert_eq!(held(&opened("secret").unwrap()), b"plain");
    let error = opened("Secret").map(|_| ()).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Content, "it is encrypted, and the passphrase is another one")
    );
    assert!(!Locked::read(Arc::new(encrypted(&key().1, b"plain"))).unwrap().takes_passphrase());
    // A key opens nothing that was encrypted for a passphrase, and the other way about.
    assert_eq!(self::opened(whole, &key().0).map(|_| ()).unwrap_err().kind(), Kind::Content);
}

#[test]
fn no_passphrase_is_no_lock() {
    let error = Recipients::of_passphrase(String::new()).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, "the passphrase is empty"));
}

#[test]
fn an_identity_is_found_in_a_file_among_others() {
    let ((one, recipient), (other, _)) = (key(), key());
    let whole = encrypted(&recipient, b"plain");
    let file = format!("# created: today\n# public key: {recipient}\n{other}\n\n{one}\n");
    assert_eq!(held(&opened(whole.clone(), &file).unwrap()), b"plain");
    let error = opened(whole.clone(), &other).map(|_| ()).unwrap_err();
    assert!(error.hint().unwrap().contains("--identity-file"));
    // Without any identity it is encrypted for others too.
    let error = Locked::read(Arc::new(whole)).unwrap().unlock(&Identities::default()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("encrypted for others"), "{error}");
}

#[test]
fn an_identity_that_is_encrypted_itself_asks_for_its_passphrase() {
    let (identity, recipient) = key();
    let whole = encrypted(&recipient, b"plain");
    let file = for_passphrase("secret", identity.as_bytes());
    let opened_by = |answer: Option<&'static str>| {
        let mut identities = Identities::default();
        let ask: Ask = Arc::new(move |description: &str| {
            assert!(description.contains("our.age"), "{description}");
            answer.map(str::to_owned)
        });
        identities.add_file(&file, "our.age", &ask)?;
        Locked::read(Arc::new(whole.clone())).unwrap().unlock(&identities)
    };
    assert_eq!(held(&opened_by(Some("secret")).unwrap()), b"plain");
    for answer in [None, Some("other")] {
        assert_eq!(opened_by(answer).map(|_| ()).unwrap_err().kind(), Kind::Content, "{answer:?}");
    }
    // A file that is encrypted for a key holds no identity that anybody can be asked for.
    let for_key = encrypted(&recipient, identity.as_bytes());
    let error = Identities::default().add_file(&for_key, "our.age", &nobody()).unwrap_err();
    assert_eq!(error.to_string(), "it holds no identity: it is encrypted for a key");
}

#[test]
fn keys_of_ssh_decrypt_and_those_that_cannot_say_so() {
    let whole = encrypted(SSH_RECIPIENT, b"plain");
    assert_eq!(held(&opened(whole.clone(), SSH).unwrap()), b"plain");
    assert_eq!(held(&opened(whole, &format!("\n{SSH}")).unwrap()), b"plain");
    let error = Identities::default().add_file(ECDSA.as_bytes(), "key", &nobody()).unwrap_err();
    assert_eq!(error.to_string(), "it holds no identity: this kind of key cannot decrypt");
    assert!(error.hint().unwrap().contains("id_ed25519"));
}

#[test]
fn a_locked_key_of_ssh_asks_for_its_passphrase() {
    let whole = encrypted(LOCKED_SSH_RECIPIENT, b"plain");
    let opened_by = |answer: Option<&'static str>| {
        let mut identities = Identities::default();
        let ask: Ask = Arc::new(move |_: &str| answer.map(str::to_owned));
        identities.add_file(LOCKED_SSH.as_bytes(), "id_ed25519", &ask)?;
        Locked::read(Arc::new(whole.clone())).unwrap().unlock(&identities)
    };
    assert_eq!(held(&opened_by(Some("secret")).unwrap()), b"plain");
    for answer in [None, Some("other")] {
        let error = opened_by(answer).map(|_| ()).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (Kind::Content, "the identity is locked, and its passphrase was not given or is another one")
        );
    }
}

#[test]
fn other_files_are_no_identities() {
    for wrong in ["", "# nothing\n", "AGE-SECRET-KEY-1", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "RWQ", &key().1] {
        let error = Identities::default().add_file(wrong.as_bytes(), "key", &nobody()).unwrap_err();
        assert!(error.to_string().starts_with("it holds no identity: "), "{wrong}: {error}");
        assert_eq!(error.kind(), Kind::Content);
    }
    for wrong in [&[0xff; 10][..], &vec![b'\n'; 65_537]] {
        let error = Identities::default().add_file(wrong, "key", &nobody()).unwrap_err();
        assert_eq!(error.to_string(), "this is not an identity: expected a text of at most 65536 bytes");
    }
}

#[test]
fn recipients_are_lines_that_are_told_from_paths() {
    let (_, recipient) = key();
    for line in [recipient.as_str(), SSH_RECIPIENT, "ssh-rsa AAAA", "age1"] {
        assert!(Recipients::is_meant(line), "{line}");
    }
    for path in ["", "age", "keys/age1", "ssh-ed25519", "ssh-rsa.pub", "ssh-ecdsa AAAA"] {
        assert!(!Recipients::is_meant(path), "{path}");
    }
    let mut recipients = Recipients::default();
    for wrong in ["", "age1", "ssh-ecdsa AAAA", "somebody@example.org", "ssh-ed25519 AAAA", &recipient[..40]] {
        let error = recipients.add(wrong).unwrap_err();
        assert!(error.to_string().ends_with(&format!("found `{wrong}`")), "{error}");
        assert_eq!((error.kind(), error.hint().is_some()), (Kind::Usage, true));
    }
}

#[test]
fn a_file_of_recipients_names_at_least_one() {
    let ((one, first), (other, second)) = (key(), key());
    let mut recipients = Recipients::default();
    for nobody in [&b""[..], b"# nobody\n\n", b"   \n"] {
        let error = recipients.add_file(nobody).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, "it names no recipients"));
    }
    recipients.add_file(format!("# us\n  {first}\r\n\n#{first}\n{second}\n").as_bytes()).unwrap();
    // One that names nobody is refused though others were named before.
    assert!(recipients.add_file(b"# nobody").is_err());
    assert!(recipients.add_file(&[0xff]).unwrap_err().to_string().contains("a list of recipients"));
    let mut out = Vec::new();
    assert_eq!(recipients.encrypt(&mut &b"plain"[..], &mut out).unwrap(), 5);
    for identity in [one, other] {
        assert_eq!(held(&opened(out.clone(), &identity).unwrap()), b"plain");
    }
}

#[test]
fn a_package_has_a_thousand_recipients_and_no_more() {
    let (identity, recipient) = key();
    let mut recipients = Recipients::default();
    for _ in 0..MOST_RECIPIENTS {
        recipients.add(&recipient).unwrap();
    }
    let error = recipients.add(&recipient).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, "more than 1000 recipients"));
    // Whoever reads it takes a header with all of them.
    let mut out = Vec::new();
    recipients.encrypt(&mut &b"plain"[..], &mut out).unwrap();
    assert_eq!(held(&opened(out, &identity).unwrap()), b"plain");
}

#[test]
fn what_reading_and_writing_report_is_told() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut recipients = Recipients::default();
    recipients.add(&key().1).unwrap();
    for error in [
        recipients.encrypt(&mut &b"plain"[..], &mut Full).unwrap_err(),
        recipients.encrypt(&mut Reader::new(Broken), &mut Vec::new()).unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("encrypting the package: "), "{error}");
        assert_eq!(error.kind(), Kind::Environment);
    }
    let nobody = Recipients::default().encrypt(&mut &b"plain"[..], &mut Vec::new()).unwrap_err();
    assert_eq!(nobody.kind(), Kind::Usage);
}
