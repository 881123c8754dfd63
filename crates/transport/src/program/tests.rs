use super::*;

/// A client that runs its only argument.
fn shell() -> Program {
    Program::new("sh", &["-c".to_owned()])
}

fn zeros(stdin: &mut dyn Write, count: u64) -> Result<()> {
    io::copy(&mut io::repeat(0).take(count), stdin).map(|_| ()).map_err(Error::io("writing"))
}

#[test]
fn a_client_that_stops_reading_says_why() {
    // Longer than a pipe holds, so that writing breaks before the reason comes.
    let script = "exec 0<&-; sleep 0.3; echo no space left on device >&2; exit 1";
    for _ in 0..3 {
        let said = shell().write_to(&[script], |stdin| zeros(stdin, 1 << 20)).unwrap();
        assert!(!said.success && said.stderr == "no space left on device\n", "{}", said.stderr);
    }
    let silent = shell().write_to(&["exec 0<&-; sleep 0.1"], |stdin| zeros(stdin, 1 << 20));
    assert!(silent.is_err_and(|error| is_broken_pipe(&error)));
}

#[test]
fn an_input_that_fails_does_not_look_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let script = format!("cat > /dev/null && touch {}", whole.display());
    let failed = shell().write_to(&[&script], |stdin| {
        zeros(stdin, 1000)?;
        Err(Error::content("damaged"))
    });
    assert!(failed.is_err() && !whole.exists());
}

#[test]
fn the_first_bytes_of_what_never_ends_come() {
    let mut buffer = [0; 4];
    assert_eq!(shell().first_bytes(&["yes"], &mut buffer).unwrap(), 4);
    assert_eq!(&buffer, b"y\ny\n");
    assert_eq!(shell().first_bytes(&["printf abc"], &mut buffer).unwrap(), 3);
    let error = shell().first_bytes(&["echo not found >&2; exit 1"], &mut buffer).unwrap_err();
    assert!(error.to_string().ends_with("failed: not found"), "{error}");
}

#[test]
fn what_a_program_printed_is_its_answer_where_it_ended_well() {
    assert_eq!(shell().text(&["echo out; echo err >&2"]).unwrap(), "out\n");
    assert_eq!(shell().json::<Vec<u8>>(&["echo [1, 2]"]).unwrap(), [1, 2]);
    for (script, said) in [
        ("echo out; exit 1", "nothing"),
        ("echo first >&2; echo ' last ' >&2; echo >&2; exit 1", "last"),
        ("kill -9 $$", "nothing"),
    ] {
        let error = shell().text(&[script]).unwrap_err();
        assert_eq!(error.to_string(), format!("`sh -c {script}` failed: {said}"));
        assert_eq!(error.kind(), delta_core::error::Kind::Environment);
    }
    let error = shell().json::<Vec<u8>>(&["echo no JSON"]).unwrap_err();
    assert!(error.to_string().starts_with("`sh -c echo no JSON` printed what cannot be read: "), "{error}");
}

#[test]
fn what_was_run_is_shown_up_to_a_bound() {
    let of = |length: usize| Program::new("a", &["--context".to_owned()]).shown(&["x".repeat(length).as_str()]);
    assert_eq!(of(3), "a --context xxx");
    assert_eq!((of(188).len(), of(188).ends_with('x')), (200, true));
    assert_eq!((of(189).chars().count(), of(189).ends_with("x…")), (201, true));
    // Not in the middle of a letter.
    let umlauts = Program::new("a", &[]).shown(&["ü".repeat(200).as_str()]);
    assert_eq!(umlauts, format!("a {}…", "ü".repeat(99)));
}

#[test]
fn a_program_that_is_not_there_or_cannot_be_run_is_told_from_one_that_fails() {
    let missing = Program::new("no-such-program-of-these-tests", &[]);
    assert!(!missing.is_installed() && shell().is_installed());
    let error = missing.text(&["x"]).unwrap_err();
    assert_eq!(error.to_string(), "the program `no-such-program-of-these-tests` is not installed");
    let file = tempfile::NamedTempFile::new().unwrap();
    let unrunnable = Program::new("a", &[]).with_file(file.path().as_os_str());
    assert!(unrunnable.is_installed());
    let error = unrunnable.text(&["x"]).unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("the program `{}` cannot be run: ", file.path().display())),
        "{error}"
    );
    let named = shell().called("engine").with(&["echo hello"]);
    assert_eq!(
        (named.text(&[]).unwrap().as_str(), named.shown(&["x"])),
        ("hello\n", "engine -c echo hello x".to_owned())
    );
}

#[test]
fn what_is_read_is_taken_and_a_failure_ends_the_program() {
    let all = |stdout: &mut ChildStdout| {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map_err(Error::io("reading"))?;
        Ok(text)
    };
    assert_eq!(shell().read_from(&["printf abc"], all).unwrap(), "abc");
    let error = shell().read_from(&["printf abc; echo why >&2; exit 3"], all).unwrap_err();
    assert!(error.to_string().ends_with("failed: why"), "{error}");
    // One that would never end.
    let failed = shell().read_from::<()>(&["exec yes"], |_| Err(Error::content("damaged")));
    assert_eq!(failed.unwrap_err().to_string(), "damaged");
    let said = shell()
        .write_to(&["cat; echo err >&2"], |stdin| stdin.write_all(b"given").map_err(Error::io("giving")))
        .unwrap();
    assert!(said.success && said.stdout == "given" && said.stderr == "err\n");
    assert!(!shell().write_to(&["cat; exit 1"], |_| Ok(())).unwrap().success);
}
