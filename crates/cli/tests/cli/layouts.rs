//! OCI layouts as other programs write them: what they say of images, and what lies in them that is none.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use delta_core::digest::BlobDigest;
use serde_json::{Value, json};

use crate::support::{Folder, docker_delta, layer, noise};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const TAG: &str = "org.opencontainers.image.ref.name";

/// A layout that is being written.
struct Layout(PathBuf);

impl Layout {
    fn new(folder: &Folder, name: &str) -> Self {
        let path = PathBuf::from(folder.file(name));
        fs::create_dir_all(path.join("blobs/sha256")).unwrap();
        fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self(path)
    }

    fn put(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = BlobDigest::of(bytes);
        fs::write(self.0.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn document(&self, media_type: &str, value: &Value) -> Value {
        self.put(media_type, &serde_json::to_vec(value).unwrap())
    }

    /// An image of one uncompressed layer.
    fn image(&self, seed: u64) -> Value {
        let layer = layer(&[("file", &noise(seed, 4000))]);
        let config = json!({"architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [BlobDigest::of(&layer)]}});
        self.manifest(&self.document(CONFIG, &config), &[self.put(LAYER, &layer)], &json!({}))
    }

    fn manifest(&self, config: &Value, layers: &[Value], more: &Value) -> Value {
        let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.document(MANIFEST, &manifest)
    }

    /// A signature of what this descriptor points to, as notation and cosign 3 write it.
    fn signature(&self, subject: &Value) -> Value {
        let layer = self.put("application/jose+json", subject["digest"].as_str().unwrap().as_bytes());
        let more = json!({"artifactType": "application/vnd.cncf.notary.signature", "subject": subject});
        self.manifest(&self.put(EMPTY, b"{}"), &[layer], &more)
    }

    fn index(&self, entries: &[Value]) {
        self.index_text(&json!({"schemaVersion": 2, "manifests": entries}).to_string());
    }

    fn index_text(&self, text: &str) {
        fs::write(self.0.join("index.json"), text).unwrap();
    }

    fn reference(&self) -> String {
        format!("oci:{}", self.0.display())
    }
}

fn tagged(mut descriptor: Value, tag: &str) -> Value {
    descriptor["annotations"] = json!({TAG: tag});
    descriptor
}

fn with(mut descriptor: Value, key: &str, value: Value) -> Value {
    descriptor[key] = value;
    descriptor
}

/// Every file under a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            all.insert(path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(path).unwrap());
        }
    }
    all
}

/// Packs and applies; returns what came out and what `create` told.
fn applied(folder: &Folder, source: &str) -> (PathBuf, String) {
    let (package, out) = (folder.file("p.ddelta"), folder.file("out"));
    let _ = (fs::remove_file(&package), fs::remove_dir_all(&out));
    let ran = docker_delta(&["create", source, &package]).ok();
    for command in ["verify", "list", "info"] {
        docker_delta(&[command, &package]).ok();
    }
    docker_delta(&["apply", &package, "-o", &format!("oci:{out}")]).ok();
    (PathBuf::from(out), ran.stderr)
}

/// The whole layout comes back, file by file.
#[track_caller]
fn comes_back(folder: &Folder, layout: &Layout) -> String {
    let (out, told) = applied(folder, &layout.reference());
    assert!(files(&out) == files(&layout.0), "{:?}\n{:?}\n{told}", files(&out).keys(), files(&layout.0).keys());
    told
}

#[test]
fn index_json_comes_back_byte_for_byte() {
    let folder = Folder::new();
    let layout = Layout::new(&folder, "layout");
    let [one, two] = [1, 2].map(|seed| layout.image(seed));
    let gone = json!({"mediaType": MANIFEST, "digest": BlobDigest::of(b"gone"), "size": 4});
    let (digest, size) = (two["digest"].as_str().unwrap(), &two["size"]);
    let text = format!(
        r#"{{ "schemaVersion" : 2,
  "manifests": [
    {{"size":{size},"digest":"{digest}","mediaType":"{MANIFEST}","annotations":{{"{TAG}":"v2","x":"\u001b"}},"platform":{{"os":"linux","architecture":"amd64","os.version":"1"}}}},
    {},
    {gone},
    {{"size":0,"digest":"{digest}","artifactType":"","more":[1,{{"a":null}}],"annotations":null}}
  ], "annotations": {{"index":"note"}}, "unknown": 7 }}
"#,
        tagged(one, "registry.example:5000/team/app:v1"),
    );
    layout.index_text(&text);
    let told = comes_back(&folder, &layout);
    assert!(told.contains("an entry of index.json is left out: it is incomplete: the manifest"), "{told}");
    let archive = folder.file("out.tar");
    docker_delta(&["apply", &folder.file("p.ddelta"), "-o", &format!("oci-archive:{archive}")]).ok();
    let unpacked = folder.path().join("unpacked");
    tar::Archive::new(fs::File::open(&archive).unwrap()).unpack(&unpacked).unwrap();
    assert_eq!(fs::read_to_string(unpacked.join("index.json")).unwrap(), text);
}

#[test]
fn tags_and_annotations_are_shown_and_a_new_name_takes_their_place() {
    let folder = Folder::new();
    let layout = Layout::new(&folder, "layout");
    let image = with(layout.image(1), "annotations", json!({TAG: "v2", "key\u{1b}": "value"}));
    layout.index(&[image]);
    let (_, _) = applied(&folder, &layout.reference());
    let package = folder.file("p.ddelta");
    for command in ["info", "list"] {
        let told = docker_delta(&[command, "--json", &package]).ok().stdout;
        let report: Value = serde_json::from_str(&told).unwrap();
        let listed = &report["images"][0]["listed"][0];
        assert_eq!((&listed["tag"], &listed["annotations"]["key\u{1b}"]), (&json!("v2"), &json!("value")), "{told}");
    }
    let info = docker_delta(&["info", &package]).ok().stdout;
    assert!(info.contains("tag           v2") && info.contains(r"key\u{1b}=value"), "{info}");
    let again = folder.file("again");
    docker_delta(&["apply", &package, "app:next", "-o", &format!("oci:{again}")]).ok();
    let index: Value = serde_json::from_slice(&fs::read(format!("{again}/index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["annotations"]["key\u{1b}"], "value");
    assert_eq!(index["manifests"][0]["annotations"][TAG], "next");
}

#[test]
fn artifacts_come_back_beside_images_and_alone() {
    let folder = Folder::new();
    let empty = |layout: &Layout| layout.put(EMPTY, b"{}");
    let chart = |layout: &Layout| {
        let config = layout.document("application/vnd.cncf.helm.config.v1+json", &json!({"name": "app"}));
        let content = layout.put("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &noise(7, 2000));
        layout.manifest(&config, &[content], &json!({}))
    };
    let nothing = |layout: &Layout| {
        let empty = empty(layout);
        layout.manifest(&empty, std::slice::from_ref(&empty), &json!({"artifactType": "application/x"}))
    };
    let cosign = |layout: &Layout| {
        let signed = layout.put("application/vnd.dev.cosign.simplesigning.v1+json", b"{\"critical\":{}}");
        let config =
            json!({"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": [signed["digest"]]}});
        layout.manifest(&layout.document(CONFIG, &config), &[signed], &json!({}))
    };
    type Make<'a> = &'a dyn Fn(&Layout) -> Vec<Value>;
    let cases: [(&str, Make<'_>); 7] = [
        ("chart", &|layout| vec![tagged(chart(layout), "1.0.0")]),
        ("empty", &|layout| vec![nothing(layout)]),
        ("with-chart", &|layout| vec![layout.image(1), chart(layout)]),
        ("cosign", &|layout| vec![layout.image(1), cosign(layout)]),
        ("signature", &|layout| {
            let image = layout.image(1);
            let signature = layout.signature(&image);
            vec![image, with(signature, "artifactType", json!("application/vnd.cncf.notary.signature"))]
        }),
        ("index", &|layout| {
            let entries = json!({"schemaVersion": 2, "manifests": [layout.image(1), chart(layout)]});
            vec![layout.document("application/vnd.oci.image.index.v1+json", &entries)]
        }),
        ("index-of-charts", &|layout| {
            let entries = json!({"schemaVersion": 2, "manifests": [chart(layout), nothing(layout)]});
            vec![layout.document("application/vnd.oci.image.index.v1+json", &entries)]
        }),
    ];
    for (name, make) in cases {
        let layout = Layout::new(&folder, name);
        layout.index(&make(&layout));
        comes_back(&folder, &layout);
    }
    let info = docker_delta(&["info", &folder.file("p.ddelta")]).ok().stdout;
    assert!(info.contains("Artifact") && info.contains("application/vnd.cncf.helm.config.v1+json"), "{info}");
}

#[test]
fn what_belongs_to_an_image_comes_with_its_tag_and_nothing_else() {
    let folder = Folder::new();
    let layout = Layout::new(&folder, "layout");
    let [meant, other] = [1, 2].map(|seed| layout.image(seed));
    let signature = layout.signature(&meant);
    let of_signature = layout.signature(&signature);
    let by_tag = layout.signature(&json!({"digest": "about nothing"}));
    let hex = meant["digest"].as_str().unwrap().replace(':', "-");
    let (no_companion, sha512) =
        (layout.signature(&other), json!({"digest": format!("sha512:{}", "0".repeat(128)), "size": 1}));
    let entries = [
        tagged(meant.clone(), "new"),
        tagged(meant, "latest"),
        tagged(other, "old"),
        of_signature.clone(),
        signature.clone(),
        tagged(by_tag.clone(), &format!("{hex}.sig")),
        no_companion,
        sha512,
    ];
    layout.index(&entries);
    let (out, _) = applied(&folder, &format!("{}:new", layout.reference()));
    let index: Value = serde_json::from_slice(&fs::read(out.join("index.json")).unwrap()).unwrap();
    let expected = [0, 3, 4, 5].map(|at: usize| entries[at].clone());
    assert_eq!(index["manifests"], json!(expected));
    assert_eq!(fs::read_dir(out.join("blobs/sha256")).unwrap().count(), 10, "{:?}", files(&out).keys());
    for (pick, tag) in [("@2", "old"), ("old", "old")] {
        let (out, _) = applied(&folder, &format!("{}:{pick}", layout.reference()));
        let index = fs::read_to_string(out.join("index.json")).unwrap();
        assert!(index.contains(&format!("\"{tag}\"")) && !index.contains("\"new\""), "{index}");
    }
    for (pick, text) in
        [("@9", "no image `@9`, which counts from 0; it holds"), ("none", "no image `none`; it holds latest, new, old")]
    {
        let reference = format!("{}:{pick}", layout.reference());
        docker_delta(&["create", &reference, &folder.file("q.ddelta")]).failed(2, &[text]);
    }
}

#[test]
fn signatures_of_a_base_are_no_base() {
    let folder = Folder::new();
    let [old, new] = ["old", "new"].map(|name| Layout::new(&folder, name));
    for (layout, seed) in [(&old, 1), (&new, 2)] {
        let image = layout.image(seed);
        let signature = layout.signature(&image);
        layout.index(&[tagged(image, "v1"), signature]);
    }
    let package = folder.file("p.ddelta");
    docker_delta(&["create", &new.reference(), &package, "--base", &old.reference()]).ok();
    let info: Value = serde_json::from_str(&docker_delta(&["info", "--json", &package]).ok().stdout).unwrap();
    assert_eq!((info["bases"].as_array().unwrap().len(), info["images"].as_array().unwrap().len()), (1, 2));
}

#[test]
fn an_odd_entry_refuses_no_other_and_is_refused_by_name_alone() {
    let folder = Folder::new();
    type Make = fn(&Layout) -> Value;
    let cases: [(&str, Make, &str); 4] = [
        (
            "foreign",
            |layout| {
                let absent = json!({"mediaType": LAYER, "digest": BlobDigest::of(b"gone"), "size": 4, "urls": ["https://x.example/f"]});
                layout.manifest(&layout.document(CONFIG, &json!({"os": "windows"})), &[absent], &json!({}))
            },
            "is a foreign one, which is to be had from its URLs alone",
        ),
        ("stale", |_| json!({"digest": BlobDigest::of(b"gone"), "size": 4}), "it is incomplete: the manifest"),
        (
            "sha512",
            |_| json!({"digest": format!("sha512:{}", "0".repeat(128)), "size": 4}),
            "another digest than SHA-256",
        ),
        ("schema1", |layout| layout.document("x", &json!({"schemaVersion": 1, "fsLayers": []})), "Docker's schema 1"),
    ];
    for (name, make, text) in cases {
        let layout = Layout::new(&folder, name);
        let odd = make(&layout);
        layout.index(std::slice::from_ref(&odd));
        docker_delta(&["create", &layout.reference(), &folder.file("q.ddelta")]).failed(4, &[text]);
        let image = layout.image(1);
        layout.index(&[odd, image]);
        let (_, told) = applied(&folder, &layout.reference());
        assert!(told.contains("an entry of index.json is left out: ") && told.contains(text), "{told}");
    }
}

#[test]
fn sizes_that_lie_are_not_believed() {
    let folder = Folder::new();
    for (number, size) in [json!(0), json!(-1), json!(9), Value::Null].into_iter().enumerate() {
        let layout = Layout::new(&folder, &format!("layout{number}"));
        let content = layer(&[("file", b"bytes")]);
        let config =
            json!({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [BlobDigest::of(&content)]}});
        let lying = with(layout.put(LAYER, &content), "size", size.clone());
        let manifest = layout.manifest(&layout.document(CONFIG, &config), &[lying], &json!({}));
        layout.index(&[with(manifest, "size", size)]);
        comes_back(&folder, &layout);
    }
}

#[test]
fn what_is_called_an_image_but_cannot_be_opened_travels_as_it_is_with_a_word() {
    let folder = Folder::new();
    let content = layer(&[("file", &noise(1, 3000))]);
    let good = json!({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [BlobDigest::of(&content)]}});
    let good = serde_json::to_vec(&good).unwrap();
    let bom = [&b"\xef\xbb\xbf"[..], &good].concat();
    let upper = String::from_utf8(good.clone()).unwrap().replace("sha256:", "SHA256:").into_bytes();
    let xz = [&b"\xfd7zXZ\0"[..], &noise(2, 500)].concat();
    let encrypted = noise(3, 500);
    for (name, config, layer, text) in [
        ("bom", &bom, &content, "begins with a byte order mark"),
        ("upper", &upper, &content, "expected a digest"),
        ("no-json", &b"this is no json".to_vec(), &content, "cannot be read"),
        ("no-rootfs", &b"{}".to_vec(), &content, "its manifest lists 1 layers, its config 0"),
        ("xz", &good, &xz, "is in no form that can be opened"),
        ("encrypted", &good, &encrypted, "is in no form that can be opened"),
    ] {
        let layout = Layout::new(&folder, name);
        let manifest = layout.manifest(&layout.put(CONFIG, config), &[layout.put(LAYER, layer)], &json!({}));
        layout.index(&[layout.image(9), manifest]);
        let told = comes_back(&folder, &layout);
        assert!(told.contains("travels as documents and blobs: ") && told.contains(text), "{name}: {told}");
    }
}

#[test]
fn an_index_that_no_program_reads_is_refused_by_name() {
    let folder = Folder::new();
    let layout = Layout::new(&folder, "layout");
    let image = layout.image(1);
    for (text, expected) in [
        (
            format!("\u{feff}{}", json!({"manifests": [image]})),
            "index.json is not valid: it begins with a byte order mark",
        ),
        (
            json!({"manifests": [with(image.clone(), "annotations", json!({"a": 1}))]}).to_string(),
            "the annotation `a` is no text",
        ),
        (json!({"manifests": []}).to_string(), "holds no image"),
        ("{".to_owned(), "index.json is not valid"),
    ] {
        layout.index_text(&text);
        docker_delta(&["create", &layout.reference(), &folder.file("p.ddelta")]).failed(4, &[expected]);
    }
    let text = json!({"manifests": [image]}).to_string();
    layout.index_text(&text.replacen(r#""manifests""#, r#""manifests":null,"annotations":null,"Manifests""#, 1));
    comes_back(&folder, &layout);
}
