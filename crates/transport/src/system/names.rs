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
mod tests;
