//! What a person at a terminal sees of long work: `script` of util-linux gives the program a terminal of its own.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::support::{Folder, docker_delta, image, layer, noise, real};

/// All that the program writes to a terminal of `columns`, while half of an archive has come through a pipe and its bar is awaited.
fn watched(columns: usize, options: &str) -> String {
    let folder = Folder::new();
    let archive = image(&folder, "v1.tar", "app:v1", &[layer(&[("noise", &noise(1, 4_000_000))])]);
    let (pipe, package) = (folder.file("pipe"), folder.file("app.ddelta"));
    real("coreutils", "mkfifo", &[&pipe]);
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let call = format!("stty cols {columns} rows 24; exec {program} create {options} {pipe} {package}");
    let mut child = Command::new("script")
        .args(["-qec", &call, "/dev/null"])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`script` of the Debian package `bsdutils` does not run: {error}"));
    let bytes = fs::read(&archive).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut into = OpenOptions::new().write(true).open(&pipe).unwrap();
    into.write_all(first).unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    while options.is_empty() && !String::from_utf8_lossy(&seen).contains("MB") {
        let count = screen.read(&mut piece).unwrap();
        assert!(count > 0, "it ended without a bar: {}", String::from_utf8_lossy(&seen));
        seen.extend(&piece[..count]);
    }
    into.write_all(second).unwrap();
    drop(into);
    screen.read_to_end(&mut seen).unwrap();
    assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&seen));
    docker_delta(&["verify", &package]).ok();
    String::from_utf8(seen).unwrap()
}

/// What stands between two moves of the cursor to the front, without colours.
pub(crate) fn lines(screen: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut characters = screen.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // A control sequence ends in a letter (ECMA-48, 5.4).
                let end = characters.by_ref().skip(1).find(|one| one.is_ascii_alphabetic());
                plain.extend(end.filter(|end| *end != 'm').map(|_| '\n'));
            }
            '\r' => plain.push('\n'),
            other => plain.push(other),
        }
    }
    plain.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn a_bar_fits_its_terminal_and_goes_when_all_is_done() {
    for columns in [80, 120] {
        let screen = watched(columns, "");
        let lines = lines(&screen);
        let bars: Vec<&String> = lines.iter().filter(|line| line.contains("pipe") && line.contains("MB")).collect();
        assert!(!bars.is_empty() && bars.iter().all(|bar| bar.chars().count() <= columns), "{lines:#?}");
        assert!(!lines.last().unwrap().contains("left"), "{lines:#?}");
        assert!(lines.last().unwrap().contains("weighs"), "{lines:#?}");
    }
}

#[test]
fn who_wants_quiet_sees_no_bar() {
    assert_eq!(lines(&watched(80, "--quiet")), Vec::<String>::new());
}
