//! Packages behind a program, as FORMAT.md, section 21, has them.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{MemoryScratch, ReadAt};
use delta_core::error::Kind;
use delta_core::package::Closed;
use delta_envelope::limits::APPLIER_BYTES;
use delta_envelope::self_contained::{Applier, MARK, Machine, SelfContained, package_of};

/// What every version of such a file starts with.
const START: &str = "#!/bin/sh\n# self-contained-";

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
    for at in 0..front.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        let found = read(changed);
        // What does not begin like one is none, and then no package either.
        assert!(found.is_err() || (at < START.len() && found.unwrap().is_none()), "byte {at}");
    }
    for length in 0..front.len() {
        let found = read(front[..length].to_vec());
        if length < START.len() {
            assert!(found.unwrap().is_none(), "{length}");
        } else {
            assert!(found.unwrap_err_text().contains("cut off"), "{length}");
        }
    }
    assert_eq!(held(&read(front).unwrap().unwrap().package), b"");
}

/// A front whose head has this line in the place of the one that starts alike.
fn with_line(front: &[u8], line: &str) -> Vec<u8> {
    let text = String::from_utf8(front[..4_096].to_vec()).unwrap();
    let name = line.split_inclusive('=').next().unwrap();
    let said = text.lines().find(|said| said.starts_with(name)).unwrap();
    let mut head = text.replacen(said, line, 1).into_bytes();
    head.resize(4_096, b'\n');
    [&head[..], &front[4_096..]].concat()
}

#[test]
fn a_head_cannot_promise_more_than_there_is() {
    let front = Applier::read(&program(62, &[1]), "it").unwrap().front().unwrap();
    let bytes = front.len() - 4_096;
    for (line, reason) in [
        (format!("bytes={bytes}"), ""),
        (format!("bytes={}", bytes + 1), "cut off"),
        (format!("bytes={}", bytes - 1), "the program before the package: expected sha256:"),
        ("bytes=0".to_owned(), "the program before the package: expected sha256:"),
        ("bytes=67108864".to_owned(), "cut off"),
        ("bytes=67108865".to_owned(), "was changed"),
        ("bytes=18446744073709551615".to_owned(), "was changed"),
        ("bytes=18446744073709551616".to_owned(), "was changed"),
        ("bytes=-1".to_owned(), "was changed"),
        (format!("bytes=0{bytes}"), "was changed"),
        (format!("bytes=+{bytes}"), "was changed"),
        ("machine=aarch64".to_owned(), ""),
        ("machine=i686".to_owned(), "was changed"),
        ("machine=".to_owned(), "was changed"),
        ("machine=x86_64; touch /tmp/x".to_owned(), "was changed"),
        ("digest=".to_owned(), "was changed"),
        (format!("digest={}", "0".repeat(64)), "the program before the package: expected sha256:"),
        (format!("digest={}", "A".repeat(64)), "was changed"),
        (format!("digest={}", "0".repeat(63)), "was changed"),
    ] {
        match read(with_line(&front, &line)) {
            Ok(found) => assert!(found.is_some() && reason.is_empty(), "{line}"),
            Err(error) => assert!(!reason.is_empty() && error.contains(reason), "{line}: {error}"),
        }
    }
}

#[test]
fn other_versions_are_told_from_changed_ones() {
    let front = Applier::read(&program(62, &[1]), "it").unwrap().front().unwrap();
    let of_version = |version: &str| {
        let mut bytes = format!("{START}{version}\n").into_bytes();
        bytes.resize(4_096, b'\n');
        bytes
    };
    for (bytes, reason) in [
        (of_version("2: a package"), "in the form self-contained-1, found `self-contained-2`"),
        (of_version("10: a package"), "in the form self-contained-1, found `self-contained-10`"),
        (of_version("\x1b[31m: a"), "in the form self-contained-1, found `self-contained-\\u{1b}[31m`"),
        (of_version(&"9".repeat(100)), &format!("found `self-contained-{}`", "9".repeat(25))),
        (of_version("1: a package"), "the script at its start was changed"),
        (of_version("1"), "in the form self-contained-1, found `self-contained-1`"),
        ([&front[..4_095], b"x"].concat(), "the script at its start was changed"),
        ([&front[..4_095], b"\xff"].concat(), "the script at its start was changed"),
    ] {
        let error = read(bytes).unwrap_err_text();
        assert!(error.contains(reason), "{error}");
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

/// So many zeros, which are nowhere.
struct Zeros(u64);

impl ReadAt for Zeros {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        assert!(self.0 <= 256 << 20, "what is too large is not read");
        let count = usize::try_from(self.0.saturating_sub(offset)).unwrap().min(buffer.len());
        buffer[..count].fill(0);
        Ok(count)
    }
}

#[test]
fn a_program_that_is_too_large_is_not_held() {
    let refused = |bytes| Applier::read(&Zeros(bytes), "it").map(|_| ()).unwrap_err();
    let error = refused((256 << 20) + 1);
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.to_string(), "it is no program that applies packages: it has more than 268435456 bytes");
    assert!(refused(u64::MAX).to_string().contains("it has more than"));
    assert!(refused(256 << 20).to_string().contains("it is no program of Linux for 64 bits"));
}

#[test]
fn what_is_no_executable_of_linux_for_64_bits_is_refused() {
    let sound = program(62, &[1, 3]);
    let changed = |at: usize, byte: u8| {
        let mut program = sound.clone();
        program[at] = byte;
        Applier::read(&program, "it").map(|read| read.needs_libraries()).map_err(|error| error.to_string())
    };
    for (what, at, byte) in [
        ("another format", 0, 0x7e),
        ("32 bits", 4, 1),
        ("big-endian", 5, 2),
        ("another version", 6, 0),
        ("an object file", 16, 1),
        ("a core dump", 16, 4),
        ("no kind", 16, 0),
        ("more headers than there are", 57, 1),
        ("headers beyond the end", 33, 2),
        ("headers beyond every end", 39, 0xff),
    ] {
        assert!(changed(at, byte).unwrap_err().contains("no program of Linux"), "{what}");
    }
    for (what, at, byte, needs_libraries) in [
        ("at a fixed address", 16, 2, true),
        ("at any address", 16, 3, true),
        ("without headers", 56, 0, false),
        ("with the first header alone", 56, 1, false),
        ("all of one place", 54, 0, false),
        ("of another system", 7, 9, true),
    ] {
        assert_eq!(changed(at, byte), Ok(needs_libraries), "{what}");
    }
}

#[test]
fn an_executable_that_was_cut_off_in_what_is_looked_at_is_none() {
    let program = program(62, &[1, 3]);
    let headers = 64 + 56 + 4;
    for length in 0..=headers {
        let error = Applier::read(&program[..length].to_vec(), "it").map(|_| ()).unwrap_err().to_string();
        let reason = if length < headers { "no program of Linux" } else { "it is another program" };
        assert!(error.contains(reason), "{length}: {error}");
    }
}

#[test]
fn the_mark_counts_as_a_whole_and_at_any_place() {
    let elf = program(62, &[]);
    let without = elf[..64].to_vec();
    for (behind, applies) in [
        (MARK.as_bytes().to_vec(), true),
        ([b"before", MARK.as_bytes(), b"behind"].concat(), true),
        (MARK.as_bytes()[1..].to_vec(), false),
        (MARK.as_bytes()[..MARK.len() - 1].to_vec(), false),
        (MARK.to_uppercase().into_bytes(), false),
    ] {
        let found = Applier::read(&[&without[..], &behind].concat(), "it");
        assert_eq!(found.is_ok(), applies, "{}", String::from_utf8_lossy(&behind));
    }
}

#[test]
fn a_program_is_for_a_machine_of_a_known_name() {
    for name in ["x86_64", "aarch64", "riscv64"] {
        assert_eq!(Machine::of_name(name).unwrap().name(), name);
    }
    for name in ["", "amd64", "arm64", "X86_64", "x86_64 ", "i686"] {
        assert!(Machine::of_name(name).is_none(), "{name}");
    }
}

trait ErrorText {
    fn unwrap_err_text(self) -> String;
}

impl<T> ErrorText for Result<Option<T>, String> {
    fn unwrap_err_text(self) -> String {
        self.map(|_| ()).unwrap_err()
    }
}
