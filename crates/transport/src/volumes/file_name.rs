//! What the file of a volume is called: the name of the package, and the number of the volume in three digits.

use std::path::{Path, PathBuf};

/// The name of a volume, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeName {
    /// The path without the number.
    pub stem: PathBuf,
    /// The number.
    pub volume: u64,
}

impl VolumeName {
    /// Takes a path apart that ends in a dot and three digits; `000` is no number of a volume.
    pub fn parse(path: &Path) -> Option<Self> {
        // A path that ends in a separator is no file's.
        let digits = path.extension()?.as_encoded_bytes();
        if digits.len() != 3 || !path.as_os_str().as_encoded_bytes().ends_with(digits) {
            return None;
        }
        let volume = digits
            .iter()
            .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))?;
        (volume > 0).then(|| Self { stem: path.with_extension(""), volume })
    }

    /// The path of a volume.
    pub fn path(stem: &Path, volume: u64) -> PathBuf {
        let mut name = stem.as_os_str().to_owned();
        name.push(format!(".{volume:03}"));
        name.into()
    }

    /// What the number of a volume is put behind: the path without a number, if it has one.
    pub fn stem(path: &Path) -> PathBuf {
        Self::parse(path).map_or_else(|| path.to_owned(), |name| name.stem)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (path, stem, volume) in
            [("a.001", "a", 1), ("/m/app.ddelta.999", "/m/app.ddelta", 999), ("b c.010", "b c", 10)]
        {
            let name = VolumeName::parse(Path::new(path)).unwrap();
            assert_eq!(name, VolumeName { stem: stem.into(), volume });
            assert_eq!(VolumeName::path(&name.stem, volume), Path::new(path));
        }
        for path in ["a", "a.01", "a.000", "a.0001", ".001", "m/.001", "a.1x1", "a.٠٠١", ""] {
            assert_eq!(VolumeName::parse(Path::new(path)), None, "{path}");
        }
        let odd = Path::new(OsStr::from_bytes(b"\xff.007"));
        assert_eq!(VolumeName::path(&VolumeName::stem(odd), 7), odd);
    }
}
