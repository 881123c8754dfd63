//! Sound inputs, from which a fuzzer starts and which every target must take.

use delta_codec::align::Fineness;
use delta_codec::deflate::nested;
use delta_codec::mix::{Guided, Guides, Model, Segment, join};
use delta_codec::recreation::{SearchOutcome, find};
use delta_codec::{Concat, MemoryScratch, ReadAt, Reader, patch};
use delta_core::digest::BlobDigest;
use delta_envelope::self_contained::{Applier, MARK};
use delta_envelope::volumes::{Layout, Set};

use crate::gzip::gzipped;
use crate::joined;

/// A public key, a signature, and something encrypted.
const SIGNED: [&[u8]; 3] = [
    include_bytes!("../../testdata/golden/v1/sealed/vendor.pub"),
    include_bytes!("../../testdata/golden/v1/sealed/vendor.minisig"),
    include_bytes!("../../testdata/golden/v1/sealed/encrypted.ddelta"),
];

/// Sound inputs of the target of this name.
///
/// # Panics
/// When our own encoders fail.
pub fn of(name: &str) -> Vec<Vec<u8>> {
    let (old, new) = (words(1, 4_000), words(2, 4_000));
    match name {
        "vcdiff" | "vcdiff_peer" => vec![joined(&[&old, &vcdiff(&old, &new)])],
        "bsdiff" | "bsdiff_peer" => vec![joined(&[&old, &bsdiff(&old, &new)])],
        "patch" => vec![patched(&old, &new)],
        "mix" => vec![mixed(&old), joined(&[&new, &[1; 200], &old])],
        "guided" => vec![guided(&old, &new), joined(&[&old, &new, &[]])],
        "deflate" => vec![closed(&gzipped(&new, 6))],
        "opened" => vec![gzipped(&new, 6), gzipped(b"", 6)],
        "recreation" => {
            let blob = gzipped(&new, 6);
            let Ok(SearchOutcome::Exact(plan)) = find(&blob, &new) else { panic!("zlib's stream is not found") };
            vec![joined(&[plan.as_bytes(), &new]), blob]
        }
        "tar_index" | "tar_peer" => vec![tar(&[("a/file", &old), ("b", &new)])],
        "recipe_round_trip" => vec![joined(&[&tar(&[("file", &old)]), &tar(&[("file", &new), ("more", b"")])])],
        "documents" => DOCUMENTS.map(|text| text.as_bytes().to_vec()).into(),
        "lists" => LISTS.map(|text| text.as_bytes().to_vec()).into(),
        "registry" => vec![registry(&tar(&[("file", &old)]))],
        "self_contained" => vec![joined(&[&program(), &before(&old)])],
        "signature" => vec![joined(&[SIGNED[0], b"", SIGNED[1], b"docker_delta-signature-1 sequence=7", SIGNED[2]])],
        "names" => NAMES.map(|text| text.as_bytes().to_vec()).into(),
        "archive" => vec![archive(&tar(&[("file", &old)]))],
        "package" => vec![joined(&[PACKAGE.as_bytes(), b"[]", b"{}", &new, &old])],
        "recipe" => vec![joined(&[&tar(&[("file", &old)]), &[0; 2], &[1, 0], &[], &[], &[], &[], &[]])],
        "exec" => vec![joined(&[b"\x7fELF\x02\x01\x01", b"\x7fELF", &[]])],
        "volumes" => vec![joined(&[&volume(), &words(1, 30_000), &[40, 1, 7, 9]])],
        other => panic!("there is no target {other}"),
    }
}

const DOCUMENTS: [&str; 3] = [
    r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"#,
    r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":2,"platform":{"os":"linux","architecture":"arm","variant":"v7"},"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}"#,
    r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":2},"layers":[],"artifactType":"a/b","subject":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1}}"#,
];

const LISTS: [&str; 3] = [
    "app:v1 # the first\r\n\nregistry.example/team/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
    "x-base: &base {image: 'app:${T:-v1}', deploy: {}}\nservices:\n  a: *base\n  b: {image: \"b:$v\"}\n",
    "kind: Deployment\nspec: {template: {spec: {initContainers: [{image: a:v1}], containers: [{image: b}]}}}\n---\n- &a [*a]\n",
];

const REGISTRY_CONFIG: &str =
    r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["LAYER"]}}"#;
const REGISTRY_MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"CONFIG","size":SIZE1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"LAYER","size":SIZE2}]}"#;
const REFERRERS: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"CONFIG","size":3,"artifactType":"a/b"}]}"#;
const REGISTRY_HEADERS: &str = "Content-Type: application/vnd.oci.image.manifest.v1+json\nLocation: HOST/v2/a/b/manifests/v1\nWWW-Authenticate: Bearer realm=\"HOST/token\",scope=\"x\"\n";

const NAMES: [&str; 7] = [
    "app:v2",
    "registry.example:5000/team/app:v2@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "docker://[::1]:5000/app",
    "oci-archive:/tmp/a:b.tar:v1",
    "docker-archive:FILE:@1",
    "linux/arm/v7",
    "./folder",
];

const PACKAGE: &str = r#"{"format":1,"requires":["whole"],"created_by":"x","method":"auto","identity":"manifest","compression":"none","level":9,"stream":{"kind":"file","target":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","base":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","base_size":0},"bases":[],"layers":[{"diff_id":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0,"origin":{"coded":{"codec":"whole","members":["layer_deltas/a.tar"]}}}],"members":[{"name":"manifest.json"},{"name":"layer_deltas/a.tar"}]}"#;

/// Text that no other seed gives, of about this many bytes.
fn words(seed: u64, length: usize) -> Vec<u8> {
    let line = |number: u64| format!("{} {}\n", number, number * number % (97 + number % 7 / (3 + seed) * seed));
    (0..).flat_map(|number| line(number).into_bytes()).take(length).collect()
}

/// A registry with an image of one layer.
fn registry(layer: &[u8]) -> Vec<u8> {
    let digest_length = "sha256:".len() + 64;
    let config_length = REGISTRY_CONFIG.len() - "LAYER".len() + digest_length;
    let manifest =
        REGISTRY_MANIFEST.replace("SIZE1", &config_length.to_string()).replace("SIZE2", &layer.len().to_string());
    joined(&[
        &[0],
        REGISTRY_HEADERS.as_bytes(),
        manifest.as_bytes(),
        REGISTRY_CONFIG.as_bytes(),
        layer,
        REFERRERS.as_bytes(),
    ])
}

/// As little of a program as can stand before a package: the header of an executable for x86_64, and the mark.
fn program() -> Vec<u8> {
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(64, 0);
    program[16] = 2;
    program[18] = 62;
    program.extend(MARK.as_bytes());
    program
}

/// A file behind a program.
fn before(file: &[u8]) -> Vec<u8> {
    let applier = Applier::read(&program(), "the program").expect("a program");
    [applier.front().expect("a head"), file.to_vec()].concat()
}

/// The header of a volume of three.
fn volume() -> Vec<u8> {
    let layout = Layout::plan(30_000, Some(16_384), "20%".parse().expect("a share")).expect("a layout");
    let blocks = (0..layout.blocks()).map(|block| BlobDigest::of(&block.to_le_bytes())).collect();
    Set { layout, whole: BlobDigest::of(b"whole"), blocks }.header(2)[..96].to_vec()
}

fn vcdiff(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    delta_codec::vcdiff::encode(&old.to_vec(), &new.to_vec(), &[], &mut out).expect("a delta");
    out
}

fn bsdiff(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    delta_codec::bsdiff::encode(&old.to_vec(), &new.to_vec(), &MemoryScratch, &mut out).expect("a delta");
    out
}

fn patched(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut streams = patch::Streams::<Vec<u8>>::default();
    patch::encode(&old.to_vec(), &new.to_vec(), &patch::no_prediction, Fineness::Every, &mut streams).expect("a patch");
    let length = u32::try_from(new.len()).unwrap_or_default().to_be_bytes();
    joined(&[old, &length, &streams.control, &streams.gaps, &streams.values, &streams.literals])
}

fn mixed(text: &[u8]) -> Vec<u8> {
    join(&[Segment::new(Model::Text, text, None)]).expect("one segment is joined")
}

/// A base, what a patch makes of it, and that patch with its values and literals guided.
fn guided(old: &[u8], new: &[u8]) -> Vec<u8> {
    let (base, target) = (old.to_vec(), new.to_vec());
    let mut written = patch::Streams::<Vec<u8>>::default();
    patch::encode(&base, &target, &patch::no_prediction, Fineness::Every, &mut written).expect("a patch");
    let patch::Streams { control, gaps, values, literals } = &written;
    let mut guides = Guides::encoders(Some(values.len()), Some(literals.len()));
    let mut left =
        patch::Streams { control: &control[..], gaps: &gaps[..], values: &values[..], literals: &literals[..] };
    let streams = (&mut left, &mut guides);
    patch::decode_guided(&base, target.len() as u64, &patch::no_prediction, streams, &mut std::io::sink())
        .expect("memory is read");
    guides.literals.truncate(1);
    let segments: Option<Vec<_>> = guides.values.into_iter().chain(guides.literals).map(Guided::finish).collect();
    let mixed = join(&segments.expect("each byte was told")).expect("two segments are joined");
    joined(&[old, new, &mixed, control, gaps])
}

/// A plan, and the opened content that it closes.
fn closed(content: &[u8]) -> Vec<u8> {
    let (content, nothing) = (content.to_vec(), Vec::new());
    let base = nested::unfold(&nothing, &MemoryScratch).expect("memory is read");
    let opened =
        nested::open(&content, &base, &MemoryScratch).expect("memory is read").expect("zlib's stream is opened");
    joined(&[&opened.plan, &bytes(&opened.bytes)])
}

fn bytes(source: &Concat<Box<dyn ReadAt + '_>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::copy(&mut Reader::new(source), &mut bytes).expect("memory is read");
    bytes
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len());
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).expect("memory is written");
    }
    builder.into_inner().expect("memory is written")
}

/// What `docker save` writes of an image of one layer.
fn archive(layer: &[u8]) -> Vec<u8> {
    let digest = delta_core::digest::DiffId::of_reader(&mut &*layer).expect("memory is read").0;
    let config =
        format!(r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{digest}"]}}}}"#);
    let manifest = br#"[{"Config":"config.json","RepoTags":["app:v1"],"Layers":["layer.tar"]}]"#;
    tar(&[("config.json", config.as_bytes()), ("layer.tar", layer), ("manifest.json", manifest)])
}
