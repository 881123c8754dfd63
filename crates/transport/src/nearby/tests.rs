use super::*;

#[test]
fn the_likest_name_of_the_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["app-v1.tar", "app-v2.tar", "notes.txt"] {
        std::fs::write(folder.path().join(name), b"").unwrap();
    }
    let ask = |name: &str| hint(&folder.path().join(name));
    let expected = folder.path().join("app-v2.tar").display().to_string();
    assert_eq!(ask("app_v2.tar"), Some(format!("did you mean {expected}?")));
    assert_eq!(ask("zzz"), None);
    assert!(ask("none/app-v2.tar").unwrap().contains("there is no folder"));
    assert!(ask("app-v2.tar\r").unwrap().contains("white space"));
    assert!(hint(Path::new("~/app-v2.tar")).unwrap().contains("quoted"));
}

#[test]
fn what_is_odd_about_a_path_is_told_before_what_is_like_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.tar"), b"").unwrap();
    let ask = |name: &str| hint(&folder.path().join(name)).unwrap_or_default();
    for (name, expected) in [
        ("app.tar ", "ends in white space"),
        ("app.tar\n", "ends in white space"),
        ("app.tar\t", "did you mean"),
        ("app.ta", "did you mean"),
        ("APP.TAR", ""),
        ("appx", "did you mean"),
        ("tar.app", ""),
        ("none/none/app.tar", "there is no folder"),
    ] {
        let found = ask(name);
        assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{name:?}: {found}");
    }
    // Of two that are as like the first by name.
    for name in ["aab.tar", "aac.tar"] {
        std::fs::write(folder.path().join(name), b"").unwrap();
    }
    assert!(ask("aax.tar").ends_with("aab.tar?"), "{}", ask("aax.tar"));
    let beside = hint(Path::new("Cargo.tom"));
    assert_eq!(beside.as_deref(), Some("did you mean Cargo.toml?"), "where one is");
    use std::os::unix::ffi::OsStrExt;
    assert_eq!(hint(Path::new(std::ffi::OsStr::from_bytes(b"\xff"))), None);
    assert_eq!(hint(&folder.path().join("app.tar/..")), None);
}
