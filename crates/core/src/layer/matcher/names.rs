//! What stays of a path when versions and hashes in it change.

use xxhash_rust::xxh3::xxh3_64;

/// Hexadecimal digits of a hash in a name: `main.3f9a2c1b.js`, `libgfortran-040039e1.so`.
const HASH_DIGITS: usize = 6;

/// The hash of `path` with `#` for every version and hash in it.
pub(crate) fn without_versions(path: &[u8]) -> u64 {
    let mut plain = Vec::with_capacity(path.len());
    for word in path.split_inclusive(|byte| !byte.is_ascii_alphanumeric()) {
        let (letters, separator) = match word.split_last() {
            Some((last, rest)) if !last.is_ascii_alphanumeric() => (rest, Some(*last)),
            _ => (word, None),
        };
        push_word(&mut plain, letters);
        // `1.2.3` and `1.3` are one version each.
        if !(plain.ends_with(b"#") && separator == Some(b'.')) {
            plain.extend(separator);
        }
    }
    xxh3_64(&plain)
}

/// The part behind the last slash.
pub(crate) fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn push_word(plain: &mut Vec<u8>, word: &[u8]) {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && word.len() >= HASH_DIGITS && word.iter().all(u8::is_ascii_hexdigit) {
        push_version(plain);
        return;
    }
    for byte in word {
        if byte.is_ascii_digit() { push_version(plain) } else { plain.push(*byte) }
    }
}

fn push_version(plain: &mut Vec<u8>) {
    if !plain.ends_with(b"#") {
        plain.push(b'#');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_hashes_do_not_count() {
        for [one, other] in [
            ["lib/libfoo.so.1.2", "lib/libfoo.so.1.3.1"],
            ["Django-4.2.7.dist-info/RECORD", "Django-4.2.11.dist-info/RECORD"],
            ["static/main.3f9a2c1b.js", "static/main.0badc0de.js"],
            ["numpy.libs/libgfortran-040039e1.so.5.0.0", "numpy.libs/libgfortran-91cc3cb1.so.5.0.0"],
        ] {
            assert_eq!(without_versions(one.as_bytes()), without_versions(other.as_bytes()), "{one}");
        }
    }

    #[test]
    fn words_count() {
        assert_ne!(without_versions(b"lib/libfoo.so.1"), without_versions(b"lib/libbar.so.1"));
        assert_ne!(without_versions(b"a/decade"), without_versions(b"a/facade"));
        assert_eq!(file_name(b"usr/lib/x"), b"x");
    }
}
