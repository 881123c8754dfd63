//! Packages and what their members hold.

use std::sync::Arc;

use delta_codec::compress::Compression;
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::digest::BlobDigest;
use delta_core::job::choices::CompressionOptions;
use delta_core::job::context::Context;
use delta_core::job::progress::Silent;
use delta_core::layer::matcher::Library;
use delta_core::layer::recipe::{Streams, decode, encode};
use delta_core::layer::tar_index as index;
use delta_core::package::Package;
use delta_core::package::features::Extent;
use delta_core::{report, verify};
use serde_json::{Value, json};

use crate::sealed::sealed;
use crate::{MOST, parts};

const CONTEXT: Context<'static> = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };

/// Metadata and four members of any bytes. The names that the metadata lists stay; sizes and digests are made right.
pub fn package(data: &[u8]) {
    let [metadata, bodies @ ..]: [&[u8]; 5] = parts(data);
    let bytes = match serde_json::from_slice::<Value>(metadata) {
        Ok(metadata) => sealed(&with_right_members(metadata, &bodies)),
        Err(_) => sealed(&[("metadata.json".to_owned(), metadata.to_vec())]),
    };
    let bytes: Arc<dyn ReadAt> = Arc::new(bytes);
    let Ok(package) = Package::open(bytes, &MemoryScratch) else { return };
    // Limits of sizes are those of the medium; nobody has an exabyte.
    if verify::room(package.metadata()) <= MOST {
        let _ = verify::verify(&package, &[], CONTEXT);
    }
    let _ = report::package(&package);
    report::layers(package.metadata());
}

/// The members that the metadata lists have these bodies, in turn.
fn with_right_members(mut metadata: Value, bodies: &[&[u8]; 4]) -> Vec<(String, Vec<u8>)> {
    let listed = metadata.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let names = listed.iter().filter_map(|member| member["name"].as_str()).filter(|name| name.len() < 100).take(64);
    let members: Vec<(String, Vec<u8>)> =
        names.zip(bodies.iter().cycle()).map(|(name, body)| (name.to_owned(), body.to_vec())).collect();
    let entry = |(name, bytes): &(String, Vec<u8>)| json!({"name": name, "size": bytes.len(), "digest": BlobDigest::of(bytes).to_string()});
    if let Value::Object(fields) = &mut metadata {
        fields.insert("members".to_owned(), members.iter().map(entry).collect());
    }
    [("metadata.json".to_owned(), metadata.to_string().into_bytes())].into_iter().chain(members).collect()
}

/// Any streams rebuild a layer, or say why not.
pub fn recipe(data: &[u8]) {
    let [base, length, streams @ ..]: [&[u8]; 8] = parts(data);
    let length = length.iter().fold(0_u64, |length, byte| (length << 8 | u64::from(*byte)) % MOST);
    let streams: Streams = streams.map(|stream| Arc::new(stream.to_vec()) as Arc<dyn ReadAt>);
    let mut out = Vec::new();
    let extent = Extent { length, recompressed: length };
    if decode(&[Arc::new(base.to_vec())], &streams, extent, &MemoryScratch, &mut out).is_ok() {
        assert_eq!(out.len() as u64, length);
    }
}

/// A recipe of any layer against any other rebuilds it.
pub fn recipe_round_trip(data: &[u8]) {
    let [base, target] = parts(data);
    let layers: Vec<Arc<dyn ReadAt>> = [base, target].map(|layer| Arc::new(layer.to_vec()) as Arc<dyn ReadAt>).into();
    let library = Library::new(layers.clone()).expect("memory is read");
    let recipe = encode(&library, 1, CompressionOptions::usual(Compression::Zstd), CONTEXT).expect("a recipe");
    let bases: Vec<_> = recipe.bases.iter().map(|base| layers[*base].clone()).collect();
    let mut out = Vec::new();
    decode(&bases, &recipe.streams, recipe.extent(target.len() as u64), &MemoryScratch, &mut out)
        .expect("it comes back");
    assert!(out == target, "another layer");
}

/// Entries tile a layer, whatever it is.
pub fn tar_index(data: &[u8]) {
    let layer = data.to_vec();
    let entries = index::entries(&layer).expect("memory is read");
    let end = entries.iter().fold(0, |end, entry| {
        assert_eq!(entry.start, end);
        entry.end()
    });
    assert_eq!(end, layer.len() as u64);
    assert_eq!(index::TarIndex::new(&layer).expect("memory is read").entries(), entries);
}
