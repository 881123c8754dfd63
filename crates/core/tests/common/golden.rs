//! The packages that pin the format: what they were made from, and what is wrong with those that must be refused.

use delta_codec::compress::{Compression, Level};
use delta_codec::flate::{go, modern, pigz};
use delta_core::create::CreateOptions;
use delta_core::create::create_stream;
use delta_core::digest::BlobDigest;
use delta_core::facts::{Attribute, Facts, Time};
use delta_core::image::{BlobCompression, Document, Image, Root};
use delta_core::job::choices::CompressionOptions;
use delta_core::job::choices::{Identity, Method};
use delta_core::job::context::Context;
use delta_core::package::Package;
use delta_core::package::metadata::StreamKind;
use serde_json::json;
use std::io::Write;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::layer_builder::LayerBuilder;
use super::recipe_parts::{RecipeParts, with_recipe, with_right_digests};
use super::{
    CONTEXT, Far, bytes, compressed, edited, edited_as_stored, encoded, gzip as gzip_member, image, image_of, layer,
    layers, members, noise, options, packed, sealed, zlib,
};

/// What every package was made against: two images, one with compressed layers.
pub(crate) fn bases() -> [Image; 2] {
    let gzip = |seed| layer(&noise(seed, 3000), BlobCompression::Gzip);
    [image("app:v1", &[&noise(1, 3000), &noise(2, 3000), &archive("1.0")]), image_of("web:v1", vec![gzip(3), gzip(4)])]
}

/// What the receiver has, as files: the layers of all bases as they are stored, and the base of files and trees.
pub(crate) fn base_files() -> Vec<(String, Vec<u8>)> {
    let layers = layers(&bases()).into_iter().map(|layer| bytes(&layer.content.stored().unwrap()));
    let named = |(number, file): (usize, Vec<u8>)| (format!("layer-{number}"), file);
    layers.enumerate().map(named).chain([("file".to_owned(), old())]).collect()
}

/// The base of the packages of a file or tree.
pub(crate) fn old() -> Vec<u8> {
    noise(2, 3000)
}

fn changed(seed: u64) -> Vec<u8> {
    let mut bytes = noise(seed, 3000);
    bytes.splice(1500..1510, *b"something else");
    bytes
}

pub(crate) fn targets() -> [Image; 2] {
    let gzip = |bytes: &[u8]| layer(bytes, BlobCompression::Gzip);
    [
        image("app:v2", &[&noise(1, 3000), &changed(2), b"a small layer", &archive("1.1")]),
        image_of("web:v2", vec![gzip(&noise(3, 3000)), gzip(&changed(4))]),
    ]
}

/// Images with layers that C zlib compressed: two that a base has uncompressed, of which one has many members, and one that changed;
/// and with one that an unknown encoder compressed.
fn recompressed() -> [Image; 2] {
    let held = archive("1.0");
    let member = |part: &[u8]| bytes(&zlib(part, 6).content.stored().unwrap());
    let many = encoded(&held, &held.chunks(500).flat_map(member).collect::<Vec<u8>>(), BlobCompression::Gzip);
    [
        image_of("app:v2", vec![zlib(&noise(1, 3000), 6), zlib(&archive("1.1"), 9)]),
        image_of("web:v2", vec![many, layer(&archive("1.2"), BlobCompression::Gzip)]),
    ]
}

/// A tar stream of files that a recipe copies, patches, opens and brings.
fn archive(version: &str) -> Vec<u8> {
    let notes: Vec<String> =
        (0..2_000).map(|line: u32| format!("{line}: {}", line.wrapping_mul(7_919) % 1_013)).collect();
    let notes = format!("version {version}\n{}", notes.join("\n"));
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in [
        ("bin/tool".to_owned(), noise(7, 2000)),
        (format!("lib/{version}/data"), [noise(8, 900), version.as_bytes().to_vec(), noise(9, 900)].concat()),
        ("doc/notes.gz".to_owned(), compressed(notes.as_bytes(), Compression::Gzip)),
        ("bin/program".to_owned(), program(usize::from(version.as_bytes()[2]) * 8)),
        (format!("new-in-{version}"), version.repeat(40).into_bytes()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A layer of files that other encoders than zlib's compressed.
pub(crate) fn encoders(version: usize) -> Vec<u8> {
    let line = |line: u32| format!("{}: {}\n", line % 97, line.wrapping_mul(7_919) % 1_013 % 17);
    let notes: String = (0..25_000).map(line).collect();
    let notes = format!("{}{notes}", "another line\n".repeat(version)).into_bytes();
    let fill = |encoder: &mut dyn Write| encoder.write_all(&notes).unwrap();
    let mut go = go::Encoder::new(go::Level::new(6).unwrap(), Vec::new());
    let modern = |block| {
        let settings = modern::Settings {
            level: modern::Level::new(5).unwrap(),
            version: if block == 0 { modern::Version::V1_18_2 } else { modern::Version::V1_15_15 },
            block: NonZeroU32::new(block),
        };
        modern::Encoder::new(settings, Vec::new())
    };
    let (mut klauspost, mut pgzip) = (modern(0), modern(1 << 20));
    let settings = pigz::Settings::new(6, 128, pigz::Chaining::Independent, false).unwrap();
    let mut pigz = pigz::Encoder::new(settings, Vec::new()).unwrap();
    fill(&mut go);
    fill(&mut klauspost);
    fill(&mut pgzip);
    fill(&mut pigz);
    let streams = [
        ("go", go.finish().unwrap()),
        ("klauspost", klauspost.finish().unwrap()),
        ("pgzip", pgzip.finish().unwrap()),
        ("pigz", pigz.finish().unwrap()),
    ];
    let file = |layer: LayerBuilder, (name, stream): (&str, Vec<u8>)| {
        layer.file(&format!("doc/{name}.gz"), &gzip_member(&stream, &notes))
    };
    streams.into_iter().fold(LayerBuilder::new(), file).finish()
}

/// An ELF file of x86-64 with calls of functions behind `more` bytes.
fn program(more: usize) -> Vec<u8> {
    let names = b"\0.text\0.shstrtab\0";
    let call = |number: usize| {
        let distance = 4_000 + more - 5 * number + 11 * (number % 40);
        [vec![0xe8], u32::try_from(distance).unwrap().to_le_bytes().to_vec()].concat()
    };
    let code = [(0..400).flat_map(call).collect(), vec![0x90; more], noise(5, 3_000)].concat();
    let (code_at, names_at) = (120, 120 + code.len());
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
    let words = |out: &mut Vec<u8>, words: &[usize]| {
        words.iter().for_each(|word| out.extend_from_slice(&(*word as u64).to_le_bytes()));
    };
    words(&mut out, &[0x1078, 64, names_at + names.len()]);
    out.extend_from_slice(b"\0\0\0\0\x40\0\x38\0\x01\0\x40\0\x03\0\x02\0\x01\0\0\0\x05\0\0\0");
    words(&mut out, &[0, 0x1000, 0x1000, names_at, names_at, 4096]);
    out.extend_from_slice(&code);
    out.extend_from_slice(names);
    let rows =
        [(0, 0, 0, 0, 0), (1 | 1 << 32, 6, 0x1078, code_at, code.len()), (7 | 3 << 32, 0, 0, names_at, names.len())];
    for (name_and_kind, flags, address, offset, size) in rows {
        words(&mut out, &[name_and_kind, flags, address, offset, size, 0, 1, 0]);
    }
    out
}

/// The features that a package requires, as the table of packages has them.
pub(crate) fn features(package: &Package) -> String {
    let features: Vec<&str> = package.metadata().requires.iter().map(String::as_str).collect();
    features.join(" ")
}

/// Packages that every reader of this version must apply, by their file names.
pub(crate) fn accepted() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for method in Method::ALL {
        // What was once called auto.ddelta has corrections, and is among those that are refused.
        let name = if method == Method::Auto { "auto-zstd" } else { method.name() };
        all.push((format!("{name}.ddelta"), packed(&targets(), &bases(), &options(method))));
    }
    for compression in [Compression::None, Compression::Gzip, Compression::Bzip2, Compression::Xz] {
        let chosen = CreateOptions { compression: CompressionOptions::usual(compression), ..options(Method::Xdelta3) };
        all.push((format!("xdelta3-{compression}.ddelta"), packed(&targets(), &bases(), &chosen)));
    }
    let closed = CompressionOptions { recompress: false, ..CompressionOptions::usual(Compression::None) };
    let closed = CreateOptions { compression: closed, ..options(Method::Auto) };
    all.push(("auto-none.ddelta".to_owned(), packed(&targets(), &bases(), &closed)));
    let config = CreateOptions { identity: Identity::Config, ..options(Method::Xdelta3) };
    all.push(("identity-config.ddelta".to_owned(), packed(&targets(), &bases(), &config)));
    all.push(("no-base.ddelta".to_owned(), packed(&targets(), &[], &options(Method::Xdelta3))));
    all.push(("blobs-zlib.ddelta".to_owned(), packed(&recompressed(), &bases(), &options(Method::Auto))));
    let many = (0..40).map(|number| zlib(&noise(number, 90), 6)).collect();
    all.push(("implied.ddelta".to_owned(), packed(&[image_of("many:v1", many)], &bases(), &options(Method::Auto))));
    all.push((
        "unmeasured.ddelta".to_owned(),
        packed(&targets()[1..], &[far(bases()[1].clone())], &options(Method::Layer)),
    ));
    all.push(("layout-index.ddelta".to_owned(), packed(&[listed()], &bases(), &options(Method::Layer))));
    all.push(("mixed.ddelta".to_owned(), packed(&targets()[..1], &bases()[..1], &mixed_options())));
    all.push(("guided.ddelta".to_owned(), packed(&targets()[..1], &bases()[..1], &mixed_options())));
    all.push(("documents.ddelta".to_owned(), packed(&[listed()], &bases()[..1], &mixed_options())));
    let wrapped = compressed(&packed(&targets(), &bases(), &options(Method::Layer)), Compression::Gzip);
    all.push(("wrapped.ddelta.gz".to_owned(), wrapped));
    for (name, kind, method) in
        [("file.ddelta", StreamKind::File, Method::Xdelta3), ("tree.ddelta", StreamKind::Tree, Method::Bsdiff)]
    {
        all.push((name.to_owned(), stream((kind, None), method, CONTEXT)));
    }
    all.push(("file-facts.ddelta".to_owned(), stream((StreamKind::File, Some(facts())), Method::Auto, CONTEXT)));
    all
}

/// The options by which recipes are mixed.
pub(crate) fn mixed_options() -> CreateOptions {
    let level = Level::new(Compression::Zstd, 19).unwrap();
    let compression = CompressionOptions { level, ..CompressionOptions::usual(Compression::Zstd) };
    CreateOptions { compression, ..options(Method::Auto) }
}

/// The package with `edit` done to its first member that is mixed; every digest is right again.
pub(crate) fn with_mixed(package: &[u8], edit: impl FnOnce(&mut String, &mut Vec<u8>)) -> Vec<u8> {
    let mut members = members(package);
    let (name, bytes) = members.iter_mut().find(|(name, _)| name.ends_with(".recipe.mix")).unwrap();
    edit(name, bytes);
    with_right_digests(members)
}

/// The package with `edit` done to the member that has its documents; every other digest is right again.
pub(crate) fn with_documents(package: &[u8], edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut members = members(package);
    edit(&mut members.iter_mut().find(|(name, _)| name == "documents.mix").unwrap().1);
    with_right_digests(members)
}

/// Members that are mixed where every digest is right, and something else is wrong.
fn rejected_mixed() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = packed(&targets()[..1], &bases()[..1], &mixed_options());
    let with = |edit: fn(&mut Vec<u8>)| with_mixed(&whole, |_, bytes| edit(bytes));
    let unrequired = edited(&whole, |metadata| {
        metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "mix-1");
    });
    let undocumented = edited_as_stored(&whole, |metadata| {
        metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "documents-1");
    });
    let documents = |edit: fn(&mut Vec<u8>)| with_documents(&whole, edit);
    let unguided = edited(&whole, |metadata| {
        metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "mix-2");
    });
    vec![
        ("mixed-unrequired.ddelta", unrequired, "does not require `mix-1`"),
        ("guided-unrequired.ddelta", unguided, "does not require `mix-2`"),
        ("mixed-cut.ddelta", with(|bytes| bytes.truncate(bytes.len() - 1)), "the head of mixed segments is damaged"),
        ("mixed-model.ddelta", with(|bytes| bytes[1] = 4), "the head of mixed segments is damaged"),
        ("mixed-segments.ddelta", with(|bytes| bytes[0] = 17), "the head of mixed segments is damaged"),
        (
            "mixed-long.ddelta",
            with(|bytes| drop(bytes.splice(2..3, [0xff, 0xff, 0xff, 0xff, 1]))),
            "more bytes than they may have",
        ),
        ("documents-cut.ddelta", documents(|bytes| bytes.truncate(bytes.len() - 1)), "documents.mix is damaged"),
        ("documents-body.ddelta", documents(|bytes| bytes[100] ^= 0x40), "documents.mix is damaged"),
        ("documents-unrequired.ddelta", undocumented, "no member blobs/sha256/"),
        ("mixed-body.ddelta", with(|bytes| *bytes.last_mut().unwrap() ^= 0x80), "the recipe is damaged"),
    ]
}

/// An image of a registry.
pub(crate) fn far(mut image: Image) -> Image {
    for layer in image.manifests.iter_mut().flat_map(|manifest| &mut manifest.layers) {
        layer.content = Arc::new(Far(layer.content.clone()));
    }
    image
}

/// An image out of a layout that says more of it than its name.
pub(crate) fn listed() -> Image {
    let image = targets().into_iter().next().unwrap();
    let Root { media_type, digest, size, .. } = &image.root;
    let index = format!(
        r#"{{
  "schemaVersion": 2,
  "manifests": [
    {{"mediaType": "{media_type}", "size": {size}, "digest": "{digest}", "platform": {{"os": "linux", "architecture": "amd64"}},
     "annotations": {{"org.opencontainers.image.ref.name": "v2", "com.example.key": "value"}}, "more": [1, null]}}
  ],
  "annotations": {{"com.example.index": "\u001b"}}
}}"#
    );
    Image { layout_index: Some(Document::new(index.into_bytes())), ..image }
}

fn facts() -> Facts {
    let attribute = |name: &[u8], value: &[u8]| Attribute { name: name.to_vec(), value: value.to_vec() };
    Facts {
        mode: 0o4750,
        uid: 1000,
        gid: 1001,
        modified: Time { seconds: -2, nanoseconds: 500_000_000 },
        attributes: vec![attribute(b"user.key", b"value"), attribute(b"user.\xff=", b"\n\0")],
    }
}

fn stream(kind: (StreamKind, Option<Facts>), method: Method, context: Context<'_>) -> Vec<u8> {
    let chosen = (method, CompressionOptions::usual(Compression::Zstd));
    let (base, target) = (Arc::new(old()), Arc::new(changed(2)));
    let mut out = Vec::new();
    create_stream(kind, base, target, chosen, context).unwrap().write(&mut out).unwrap();
    out
}

/// Packages that every reader of this version must refuse, with what ours says.
pub(crate) fn rejected() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = packed(&targets()[..1], &bases()[..1], &options(Method::Xdelta3));
    let with = |edit: fn(&mut serde_json::Value)| edited(&whole, edit);
    let mut cut = whole.clone();
    cut.truncate(whole.len() - 1536);
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    let mut longer = whole.clone();
    longer.resize(whole.len() + 8704, 0);
    let mut unlisted = members(&whole);
    unlisted.push(("layer_deltas/unlisted".to_owned(), Vec::new()));
    let mut exchanged = members(&whole);
    let last = exchanged.len() - 1;
    exchanged[last].1[4] ^= 1;
    vec![
        ("cut.ddelta", cut, "it ends"),
        ("altered.ddelta", altered, "the package is damaged or incomplete"),
        ("longer.ddelta", longer, "8704 bytes follow behind its end"),
        ("unlisted.ddelta", sealed(&unlisted), "other members than its metadata.json lists"),
        ("exchanged.ddelta", sealed(&exchanged), "the member layer_deltas/"),
        ("version-2.ddelta", with(|metadata| metadata["format"] = json!(2)), "the package has format version 2"),
        ("feature.ddelta", with(|metadata| metadata["requires"] = json!(["teleport"])), "the feature `teleport`"),
        ("field.ddelta", with(|metadata| metadata["colour"] = json!("red")), "unknown field `colour`"),
        ("order.ddelta", with(against_a_later_layer), "nor listed before it"),
        ("size.ddelta", with(|metadata| metadata["layers"][1]["size"] = json!(3005)), "the rebuilt layer"),
        ("huge.ddelta", with(|metadata| metadata["layers"][1]["size"] = json!(1_u64 << 50)), "at most 1099511627776"),
        (
            "no-size.ddelta",
            with(|metadata| drop(metadata["layers"][1].as_object_mut().unwrap().remove("size"))),
            "has no size",
        ),
        (
            "unmeasured.ddelta",
            with(|metadata| drop(metadata["layers"][0].as_object_mut().unwrap().remove("size"))),
            "it does not require `unmeasured-1`",
        ),
        ("not.ddelta", b"This is a text.\n".to_vec(), "this is no package of docker_delta"),
        ("itself.ddelta", with(against_itself), "nor listed before it"),
        (
            "implied.ddelta",
            edited_as_stored(&whole, |metadata| metadata["bases"][0]["layers"][0] = json!(99)),
            "the layer number 99",
        ),
        (
            "not-implied.ddelta",
            edited_as_stored(&whole, |metadata| {
                metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "implied-1");
            }),
            "the layer number 0; there are 0 such",
        ),
    ]
    .into_iter()
    .chain(rejected_indexes())
    .chain(rejected_recipes())
    .chain(rejected_mixed())
    .collect()
}

/// Indexes of layouts that say other than the metadata.
fn rejected_indexes() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = packed(&[listed()], &bases(), &options(Method::Layer));
    let with = |from: &str, to: &str| with_index(&whole, |text| text.replace(from, to));
    let unlisted =
        edited(&whole, |metadata| metadata["layout_index"] = metadata["images"][0]["root"]["digest"].clone());
    let unrequired = edited(&whole, |metadata| {
        metadata["requires"].as_array_mut().unwrap().retain(|feature| feature != "layout-index-1");
    });
    vec![
        ("index-unlisted.ddelta", unlisted, "does not list the image"),
        ("index-unrequired.ddelta", unrequired, "it does not require `layout-index-1`"),
        ("index-name.ddelta", with(r#"name": "v2""#, r#"name": "app:v3""#), "gives another name than metadata.json"),
        ("index-type.ddelta", with("manifest.v1", "manifest.v2"), "gives another media type than metadata.json"),
        ("index-text.ddelta", with(r#""value""#, "7"), "the annotation `com.example.key` is no text"),
    ]
}

/// The package with `edit` done to its index of a layout.
pub(crate) fn with_index(package: &[u8], edit: impl FnOnce(&str) -> String) -> Vec<u8> {
    let mut members = members(package);
    let mut metadata: serde_json::Value = serde_json::from_slice(&members[0].1).unwrap();
    let digest = metadata["layout_index"].as_str().unwrap().to_owned();
    let at = members.iter().position(|(name, _)| digest.strip_prefix("sha256:") == name.strip_prefix("blobs/sha256/"));
    let (name, bytes) = &mut members[at.unwrap()];
    let listed = metadata["members"].as_array_mut().unwrap().iter_mut().find(|entry| entry["name"] == **name).unwrap();
    *bytes = edit(std::str::from_utf8(bytes).unwrap()).into_bytes();
    let edited = BlobDigest::of(bytes);
    *name = format!("blobs/sha256/{}", edited.hex());
    *listed = json!({"name": name, "size": bytes.len(), "digest": edited});
    metadata["layout_index"] = json!(edited);
    members[0].1 = serde_json::to_vec(&metadata).unwrap();
    sealed(&members)
}

/// A package of recipes that are not compressed.
pub(crate) fn plain_recipes() -> Vec<u8> {
    let plain = CompressionOptions { recompress: false, ..CompressionOptions::usual(Compression::None) };
    let chosen = CreateOptions { compression: plain, ..options(Method::Auto) };
    packed(&targets()[..1], &bases()[..1], &chosen)
}

/// Recipes that are wrong where every digest is right.
fn rejected_recipes() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let whole = plain_recipes();
    let with = |edit: fn(&mut RecipeParts)| with_recipe(&whole, edit);
    vec![
        ("left-over.ddelta", with(|parts| parts.column("rare").push(0)), "more in its columns than the layer has"),
        ("padding.ddelta", with(|parts| parts.describe(8 + 16, &[("lengths", 512)])), "a padding of more than a block"),
        ("groups.ddelta", with(|parts| parts.groups.resize(257, 0)), "too many groups"),
        ("kind.ddelta", with(|parts| parts.describe(7, &[])), "an entry of kind 7"),
        ("run.ddelta", with(|parts| *parts.column("runs") = vec![100]), "a run of more entries than the layer has"),
        ("repeat.ddelta", with(|parts| parts.describe(16 + 3, &[("contents", 1)])), "a repeat of nothing"),
        (
            "hint.ddelta",
            with(|parts| parts.describe(16 + 64 + 5, &[("contents", 0), ("lengths", 0), ("hints", 16_385)])),
            "a description is too long",
        ),
        (
            "plan.ddelta",
            with(|parts| parts.describe(16 + 32 + 6, &[("lengths", 0), ("plans", 16_777_217)])),
            "a description is too long",
        ),
        ("match.ddelta", with(|parts| parts.stream("control").splice(.., [0, 0, 1]).for_each(drop)), "the patch"),
        ("cut-stream.ddelta", with(|parts| parts.stream("control").clear()), "patching a content"),
    ]
}

fn against_itself(metadata: &mut serde_json::Value) {
    let own = metadata["layers"][1]["diff_id"].clone();
    metadata["layers"][1]["origin"]["coded"]["bases"] = json!([own]);
}

fn against_a_later_layer(metadata: &mut serde_json::Value) {
    let later = metadata["layers"][2]["diff_id"].clone();
    metadata["layers"][1]["origin"]["coded"]["bases"] = json!([later]);
}
