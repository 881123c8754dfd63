//! What a user may have meant by a path that is not there.

use std::path::Path;

/// Names that are less alike than this are no advice.
const ALIKE: f64 = 0.8;

/// Names the file in the same folder whose name is most like that of `path`, or says what is odd about the path.
pub(crate) fn hint(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    if text.starts_with("~/") {
        return Some("the shell replaces `~` only where it is not quoted".to_owned());
    }
    if text.ends_with(['\r', '\n', ' ']) {
        return Some("the name ends in white space: was it read from a file of another system?".to_owned());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        return Some(format!("there is no folder {} either", folder.display()));
    }
    let wanted = path.file_name()?.to_str()?;
    let names = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let scored = names.map(|name| (strsim::jaro_winkler(wanted, &name), name)).filter(|(score, _)| *score >= ALIKE);
    let (_, best) = scored.max_by(|(left, one), (right, other)| left.total_cmp(right).then_with(|| other.cmp(one)))?;
    Some(format!("did you mean {}?", path.with_file_name(best).display()))
}

#[cfg(test)]
mod tests;
