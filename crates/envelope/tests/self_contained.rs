//! Packages behind a program, as FORMAT.md, section 21, has them.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{MemoryScratch, ReadAt};
use delta_core::package::Closed;
use delta_envelope::limits::APPLIER_BYTES;
use delta_envelope::self_contained::{Applier, MARK, SelfContained, package_of};

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The start of an executable as the System V ABI has it, for this machine, with so many program headers of this kind; and what marks a
/// program that applies packages.
fn program(machine: u16, headers: &[u32]) -> Vec<u8> {
    let mut elf = vec![0; 64];
    elf[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    elf[16] = 3;
    elf[18..20].copy_from_slice(&machine.to_le_bytes());
    elf[32] = 64;
    elf[54] = 56;
    elf[56] = u8::try_from(headers.len()).unwrap();
    for kind in headers {
        elf.extend(kind.to_le_bytes());
        elf.extend([0; 52]);
    }
    elf.extend(MARK.as_bytes());
    elf
}

fn held(bytes: &dyn ReadAt) -> Vec<u8> {
    let mut held = vec![0; usize::try_from(bytes.len()).unwrap()];
    bytes.read_exact_at(&mut held, 0).unwrap();
    held
}

fn read(bytes: Vec<u8>) -> Result<Option<SelfContained>, String> {
    let bytes: Arc<dyn ReadAt> = Arc::new(bytes);
    SelfContained::read(&bytes).map_err(|error| error.to_string())
}

#[test]
fn the_document_has_the_text_of_the_head() {
    let document = std::fs::read_to_string(house().join("FORMAT.md")).unwrap();
    let head = std::fs::read_to_string(house().join("crates/envelope/src/self_contained/head.sh")).unwrap();
    let section = document.split("\n## 21. ").nth(1).unwrap().split("\n## ").next().unwrap();
    let lines = section.lines().skip_while(|line| *line != "    #!/bin/sh");
    let text: Vec<&str> = lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let text = text.join("\n");
    assert!(text.starts_with(&head), "FORMAT.md, section 21, has another head");
    assert!(section.contains(&format!("at most {APPLIER_BYTES}")));
}

#[test]
fn what_was_made_stays_readable() {
    let file = |name: &str| std::fs::read(house().join("testdata/golden/v1").join(name)).unwrap();
    let around = read(file("sealed/self-contained.run")).unwrap().unwrap();
    assert_eq!(around.machine.name(), "aarch64");
    assert_eq!(held(&around.package), file("accept/signed.ddelta"));
    Closed::read(around.package, &MemoryScratch).unwrap().open().unwrap();
}

#[test]
fn a_program_tells_its_machine_and_what_it_needs() {
    let read = |program: Vec<u8>| Applier::read(&program, "it").map_err(|error| error.to_string());
    for (number, name) in [(62, "x86_64"), (183, "aarch64"), (243, "riscv64")] {
        assert_eq!(read(program(number, &[1])).unwrap().machine().name(), name);
    }
    assert!(!read(program(62, &[1, 2])).unwrap().needs_libraries());
    assert!(read(program(62, &[1, 3])).unwrap().needs_libraries());
    for (bytes, reason) in [
        (program(2, &[]), "a machine of number 2"),
        (program(62, &[])[..64].to_vec(), "another program"),
        (program(62, &[])[..50].to_vec(), "no program of Linux"),
        (b"#!/bin/sh\n".to_vec(), "no program of Linux"),
        (Vec::new(), "no program of Linux"),
        // A table of headers beyond the end.
        ([&program(62, &[1])[..32], &[0xff; 8], &program(62, &[1])[40..]].concat(), "no program of Linux"),
    ] {
        let error = read(bytes).map(|_| ()).unwrap_err();
        assert!(error.contains(reason) && error.starts_with("it is no program that applies packages"), "{error}");
    }
}

#[test]
fn every_byte_before_the_package_counts() {
    let front = Applier::read(&program(62, &[1]), "it").unwrap().front().unwrap();
    let whole = [&front[..], b"package"].concat();
    assert_eq!(held(&read(whole.clone()).unwrap().unwrap().package), b"package");
    for at in (0..front.len()).step_by(7).chain([4_095, 4_096, front.len() - 1]) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let found = read(changed);
        // What does not begin like one is none, and then no package either.
        assert!(found.is_err() || (at < 27 && found.unwrap().is_none()), "byte {at}");
    }
    for length in [28, 4_095, 4_096, front.len() - 1] {
        assert!(read(front[..length].to_vec()).unwrap_err_text().contains("cut off"), "{length}");
    }
}

#[test]
fn a_head_cannot_promise_more_than_there_is() {
    let front = Applier::read(&program(62, &[1]), "it").unwrap().front().unwrap();
    let text = String::from_utf8(front[..4_096].to_vec()).unwrap();
    let said = text.lines().find(|line| line.starts_with("bytes=")).unwrap().to_owned();
    for more in ["bytes=67108864", "bytes=67108865", "bytes=18446744073709551616", "bytes=-1", "bytes=0064"] {
        let mut head = text.replacen(&said, more, 1).into_bytes();
        head.resize(4_096, b'\n');
        assert!(read([&head[..], &front[4_096..]].concat()).is_err(), "{more}");
    }
}

#[test]
fn another_package_gets_the_same_program() {
    let front = Applier::read(&program(183, &[]), "it").unwrap().front().unwrap();
    let around = read([&front[..], b"one"].concat()).unwrap().unwrap();
    let other: Arc<dyn ReadAt> = Arc::new(b"another".to_vec());
    let made = around.with_package(other);
    assert_eq!(held(&made), [&front[..], b"another"].concat());
    assert_eq!(held(&package_of(&made).unwrap()), b"another");
    let plain: Arc<dyn ReadAt> = Arc::new(b"plain".to_vec());
    assert_eq!(held(&package_of(&plain).unwrap()), b"plain");
}

trait ErrorText {
    fn unwrap_err_text(self) -> String;
}

impl<T> ErrorText for Result<Option<T>, String> {
    fn unwrap_err_text(self) -> String {
        self.map(|_| ()).unwrap_err()
    }
}
