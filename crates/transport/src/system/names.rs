//! What Windows makes of names: drives with a colon, and names that no file can have. It is looked at there alone.

use std::path::Path;

/// Whether paths may begin with a drive, and be parted by `\`.
pub(crate) const DRIVE: bool = cfg!(windows);

/// Names of devices, with any ending (Windows, "Naming Files, Paths, and Namespaces").
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// The bytes with which a drive begins a path, whose colon parts nothing: `C:` in `C:\dir`.
pub(crate) fn drive_bytes(text: &str) -> usize {
    if DRIVE { drive(text) } else { 0 }
}

fn drive(text: &str) -> usize {
    let long = if text.starts_with(r"\\?\") || text.starts_with(r"\\.\") { 4 } else { 0 };
    match text.as_bytes().get(long..) {
        Some([letter, b':', b'\\' | b'/', ..]) if letter.is_ascii_alphabetic() => long + 2,
        _ => 0,
    }
}

/// Why nothing can have the last name of this path.
pub(crate) fn odd_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    if DRIVE { odd(&name) } else { None }
}

fn odd(name: &str) -> Option<String> {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    let is_port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")).is_some_and(|rest| {
        let mut digits = rest.chars();
        digits.next().is_some_and(|digit| "123456789¹²³".contains(digit)) && digits.next().is_none()
    });
    if is_port || DEVICES.contains(&stem.as_str()) {
        return Some(format!("{stem} is the name of a device, with any ending"));
    }
    if name.ends_with(['.', ' ']) {
        return Some("a name that ends in a dot or a space loses that".to_owned());
    }
    let foreign = name.chars().find(|character| r#"<>:"/\|?*"#.contains(*character) || character.is_control());
    foreign.map(|character| format!("no name can have {character:?}"))
}

#[cfg(test)]
mod tests {
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
}
