use super::*;

#[test]
fn the_colon_of_a_drive_is_no_other() {
    for (text, bytes) in [
        (r"C:\dir\a.tar:app:v1", 2),
        ("c:/dir", 2),
        (r"\\?\C:\dir", 6),
        (r"\\server\share\a.tar", 0),
        ("C:name", 0),
        ("C:", 0),
        ("a.tar:v1", 0),
        ("é:/x", 0),
        ("", 0),
    ] {
        assert_eq!(drive(text), bytes, "{text}");
    }
}

#[test]
fn names_of_devices_and_odd_endings_are_told() {
    for name in ["NUL", "con.tar", "Com1.ddelta", "lpt¹", "aux .x", "a.", "a ", "a:b", "a*", "a\u{7}"] {
        assert!(odd(name).is_some(), "{name}");
    }
    for name in ["null", "console.tar", "com10", "COM", "a.b", ".a", "a b", "é.tar"] {
        assert_eq!(odd(name), None, "{name}");
    }
}

#[test]
fn each_name_of_a_device_is_one_in_any_case_and_with_any_ending() {
    for device in DEVICES.into_iter().chain(["COM1", "COM9", "LPT1", "LPT9", "COM\u{b9}", "LPT\u{b2}", "COM\u{b3}"]) {
        for name in [device.to_owned(), device.to_lowercase(), format!("{device}.tar.gz"), format!("{device}  .x")] {
            let expected = format!("{device} is the name of a device, with any ending");
            assert_eq!(odd(&name), Some(expected), "{name}");
        }
        assert_eq!(odd(&format!("x{device}")), None);
        assert_eq!(odd(&format!("{device}x")), None);
    }
    for name in ["COM0", "LPT", "COM\u{b9}\u{b9}", "COMx", "LPT11", "PRN1", "\u{3bc}"] {
        assert_eq!(odd(name), None, "{name}");
    }
}

#[test]
fn characters_that_no_name_can_have_are_named() {
    for foreign in ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1f}', '\u{7f}'] {
        let expected = format!("no name can have {foreign:?}");
        assert_eq!(odd(&format!("a{foreign}b")), Some(expected));
    }
    assert_eq!(odd("a?b*c"), Some("no name can have '?'".to_owned()), "the first of several");
    for name in ["a. ", "a .", "..", " "] {
        assert!(odd(name).unwrap().contains("loses that"), "{name}");
    }
    assert_eq!(odd(""), None);
}

#[test]
fn a_drive_is_one_letter_and_a_separator_behind_the_colon() {
    for (text, bytes) in [
        (r"\\.\z:\x", 6),
        (r"\\?\C:", 0),
        (r"\\?\", 0),
        ("1:/x", 0),
        ("CC:/x", 0),
        ("C/x", 0),
        ("C:/", 2),
        (r"Z:\", 2),
        (r"\?\C:\x", 0),
    ] {
        assert_eq!(drive(text), bytes, "{text}");
    }
}

#[cfg(not(windows))]
#[test]
fn names_are_odd_on_windows_alone() {
    assert_eq!((odd_name(Path::new("NUL")), odd_name(Path::new("a:b")), odd_name(Path::new("/"))), (None, None, None));
    assert_eq!(drive_bytes(r"C:\dir"), 0);
}
