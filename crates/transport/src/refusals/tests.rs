use super::*;

fn said(refusals: &Refusals) -> String {
    let say = |file: &str, refused: io::Error| Error::io(format!("writing {file}"))(refused);
    refusals.instead_of(Error::content("making it"), say).to_string()
}

/// A writer that takes nothing.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn what_was_refused_is_told_in_the_place_of_what_came_of_it_and_once() {
    let refusals = Arc::new(Refusals::default());
    assert_eq!(said(&refusals), "making it");
    for file in ["first", "second"] {
        let mut out = NotingRefusals::new(full(), file.to_owned(), refusals.clone());
        out.write_all(b"held").unwrap();
        assert_eq!(out.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        out.discard();
    }
    let told = said(&refusals);
    assert!(told.starts_with("writing first: No space left on device"), "{told}");
    assert_eq!(said(&refusals), "making it");
}

#[test]
fn what_is_discarded_goes_nowhere_and_what_is_finished_is_written() {
    let refusals = Arc::new(Refusals::default());
    let mut written = Vec::new();
    let mut out = NotingRefusals::new(&mut written, "file".to_owned(), refusals.clone());
    out.write_all(b"held").unwrap();
    out.discard();
    assert!(written.is_empty());
    let mut out = NotingRefusals::new(&mut written, "file".to_owned(), refusals.clone());
    out.write_all(b"held").unwrap();
    let (name, _) = out.finish().unwrap();
    assert_eq!((name.as_str(), written.as_slice()), ("file", b"held".as_slice()));
    assert!(refusals.take().is_none());
}
