//! How large a volume may be, as users say it.

use std::str::FromStr;

use delta_core::error::{Error, Result};

use crate::file_system::FAT32;

/// The most bytes of the file of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeSize(pub u64);

impl FromStr for VolumeSize {
    type Err = Error;

    /// A number with K, M, G or T (as sticks are sold: of 1000), or KiB, MiB, GiB or TiB (of 1024), or `fat32`.
    fn from_str(text: &str) -> Result<Self> {
        if text.eq_ignore_ascii_case("fat32") {
            return Ok(Self(FAT32));
        }
        let refused = || Error::usage(format!("expected a size such as 700M, 4G, 100MiB or fat32, found `{text}`"));
        let digits = text.len() - text.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refused())?;
        let unit = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "k" | "kb" => Some(1_000),
            "m" | "mb" => Some(1_000_000),
            "g" | "gb" => Some(1_000_000_000),
            "t" | "tb" => Some(1_000_000_000_000),
            "kib" => Some(1 << 10),
            "mib" => Some(1 << 20),
            "gib" => Some(1 << 30),
            "tib" => Some(1 << 40),
            _ => None,
        };
        unit.and_then(|unit| number.checked_mul(unit)).filter(|bytes| *bytes > 0).map(Self).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_sold() {
        let sizes = [("700M", 700_000_000), ("4G", 4_000_000_000), ("1kib", 1_024), ("2TiB", 2 << 40), ("5000", 5_000)];
        for (text, bytes) in sizes.into_iter().chain([("fat32", 4_294_967_295), ("100MB", 100_000_000)]) {
            assert_eq!(text.parse::<VolumeSize>().unwrap(), VolumeSize(bytes), "{text}");
        }
        for text in ["", "M", "0", "0G", "-1", "1.5G", "4 G", "4X", "fat16", "99999999999T", "٣M"] {
            let error = text.parse::<VolumeSize>().unwrap_err();
            assert!(error.to_string().contains("700M"), "{text}: {error}");
        }
    }
}
