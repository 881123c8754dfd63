//! Where images come from: archives, documents, names.

use std::sync::Arc;

use delta_core::image::documents::{
    LayoutIndex, media_type, read_about, read_config, read_pointers, synthesise_manifest,
};
use delta_core::image::{Document, ImageName, Platform};
use delta_core::job::progress::Silent;
use delta_transport::output::Output;
use delta_transport::reference::{Reference, Target, stem_of_name};
use delta_transport::registry::Address;
use delta_transport::source::open_archive;
use delta_transport::spool::TempScratch;

/// Any file is an image, or says why not.
pub fn archive(data: &[u8]) {
    let scratch = Arc::new(TempScratch::new(None).expect("a folder for temporary files"));
    let Ok(images) = open_archive(Arc::new(data.to_vec()), "input", None, &scratch, &Silent) else { return };
    for layer in images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers) {
        // What cannot be opened says so.
        let _ = (layer.content.stored(), layer.content.plain());
    }
}

pub fn documents(data: &[u8]) {
    let document = Document::new(data.to_vec());
    let _ = read_pointers(&document);
    let _ = (read_about(&document), media_type(&document));
    if let Ok(config) = read_config(&document) {
        let sizes: Vec<_> = config.diff_ids.iter().map(|diff_id| (*diff_id, 1)).collect();
        let made = synthesise_manifest(&document, &sizes).expect("a manifest is made of any config");
        assert!(read_pointers(&made).is_ok());
    }
    if let Ok(index) = LayoutIndex::read(&document) {
        let again = LayoutIndex::of_entries(index.entries.iter());
        assert_eq!(LayoutIndex::read(&again).map(|again| again.entries.len()).ok(), Some(index.entries.len()));
    }
}

/// A name that is taken prints one that is taken.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(name) = text.parse::<ImageName>() {
        assert_eq!(name.to_string().parse::<ImageName>().map(|again| again.full()).ok(), Some(name.full()));
    }
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse::<Address>().ok(), Some(address));
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>().ok(), Some(platform));
    }
    let _ = (text.parse::<Reference>().is_ok(), text.parse::<Target>().is_ok(), text.parse::<Output>().is_ok());
    if let Some(stem) = stem_of_name(text) {
        assert!(!stem.contains('/') && !stem.is_empty(), "{stem}");
    }
}
