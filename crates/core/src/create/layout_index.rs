//! What a layout of the images has as its `index.json`.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::image::documents::{LayoutEntry, LayoutIndex};
use crate::image::{Document, Image};

/// The source's own where all images are of one layout; of several layouts, what each says of its images. `None` where that
/// says nothing but the names.
pub(super) fn of(images: &[Image]) -> Result<Option<Document>> {
    let found: BTreeSet<&[u8]> = images.iter().filter_map(|image| Some(image.layout_index.as_ref()?.bytes())).collect();
    let Some(first) = images.iter().find_map(|image| image.layout_index.clone()) else { return Ok(None) };
    let entries =
        images.iter().map(|image| own_entries(image, image.layout_index.as_ref())).collect::<Result<Vec<_>>>()?;
    let stands = found.len() == 1
        && images.iter().zip(&entries).all(|(image, own)| !own.is_empty() && own.len() == count(image, &first));
    let document = if stands { first } else { merged(images, &entries)? };
    let made = LayoutIndex::made(images.iter().map(|image| (image.names.as_slice(), &image.root)))?;
    Ok((document != made).then_some(document))
}

/// What the layout of an image and another one, which has it too, say of it; and its names, as far as neither says them.
pub(super) fn joined(image: &Image, other: Option<&Document>) -> Result<Option<Document>> {
    if image.layout_index.is_none() && other.is_none() {
        return Ok(None);
    }
    let mut entries = own_entries(image, image.layout_index.as_ref())?;
    for entry in own_entries(image, other)? {
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Ok(Some(merged(std::slice::from_ref(image), &[entries])?))
}

/// What an index says of an image, but for what the package would contradict: it may have been given other names since.
fn own_entries(image: &Image, index: Option<&Document>) -> Result<Vec<LayoutEntry>> {
    let is_own = |entry: &LayoutEntry| {
        let is_same = entry.media_type.is_empty() || entry.media_type == image.root.media_type;
        let is_known = |full: String| image.names.iter().any(|known| known.full() == full);
        is_same && entry.name().is_none_or(|name| is_known(name.full()))
    };
    let index = index.map(LayoutIndex::read).transpose()?;
    let entries = index.iter().flat_map(|index| index.of(image.root.digest));
    Ok(entries.filter(|entry| is_own(entry)).cloned().collect())
}

fn count(image: &Image, index: &Document) -> usize {
    LayoutIndex::read(index).map_or(0, |index| index.of(image.root.digest).count())
}

/// All entries of the images, in the order of the images, and made ones for names that stand in none.
fn merged(images: &[Image], entries: &[Vec<LayoutEntry>]) -> Result<Document> {
    let mut all = Vec::new();
    for (image, own) in images.iter().zip(entries) {
        let is_listed = |full: &str| own.iter().filter_map(LayoutEntry::name).any(|name| name.full() == full);
        let more: Vec<_> = image.names.iter().filter(|name| !is_listed(&name.full())).cloned().collect();
        all.extend(own.iter().cloned());
        if own.is_empty() || !more.is_empty() {
            let made = LayoutIndex::made([(more.as_slice(), &image.root)])?;
            all.extend(LayoutIndex::read(&made)?.entries);
        }
    }
    Ok(LayoutIndex::of_entries(&all))
}
