//! Sizes and tables for people.

use comfy_table::{CellAlignment, Table, presets};

/// A size in decimal units with three digits: `1.23 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Rounding to three digits must not give 1000 of a unit.
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// A size that may not be known, because nobody read what has it.
pub(crate) fn known(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "not read".to_owned(), size)
}

/// How much `part` is of `whole`, in per cent.
pub(crate) fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let per_cent = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    if per_cent < 1.0 { format!("{per_cent:.2} %") } else { format!("{per_cent:.1} %") }
}

/// A table without lines; the columns in `right` are aligned to the right.
pub(crate) fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header.to_vec()).add_rows(rows);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_500, "1.00 MB"),
            (2_300_000_000, "2.30 GB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
        assert_eq!((share(1, 1000), share(1, 2), share(1, 0)), ("0.10 %".into(), "50.0 %".into(), "0.00 %".into()));
    }
}
