use std::path::Path;

use delta_core::error::Kind;
use delta_core::job::progress::Silent;
use serde_json::Value;

use super::super::Store;
use super::super::scripted::{Script, inspected};
use super::*;

const LIST: &str = "images -a -q --no-trunc";

/// A package of a released version.
fn package(name: &str, scratch: &TempScratch) -> Package {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/v1/accept").join(name);
    Package::open(Arc::new(std::fs::read(path).unwrap()), scratch).unwrap()
}

/// An engine that has these images, and does this with what is loaded.
fn script(images: &[(BlobDigest, &[DiffId])], load: &str) -> Script {
    let listed: String = images.iter().map(|(id, _)| format!("{id}\n")).collect();
    let ids: Vec<String> = images.iter().map(|(id, _)| id.to_string()).collect();
    let printed = Value::Array(images.iter().map(|(id, layers)| inspected(*id, &[], layers)).collect());
    Script::new()
        .says(LIST, listed)
        .says(&format!("image inspect {}", ids.join(" ")), printed.to_string())
        .does("load", load)
        .does("'tag '*", "true")
        .does("'rmi -f '*", "true")
}

struct Desk {
    scratch: Arc<TempScratch>,
    package: Package,
}

impl Desk {
    fn with(name: &str) -> Self {
        let scratch = Arc::new(TempScratch::new(None).unwrap());
        Self { package: package(name, &scratch), scratch }
    }

    fn image(&self, engine: &Engine) -> RebuiltImage {
        delta_core::apply::images(&self.package, &engine.delivery(), &[]).unwrap().remove(0)
    }

    fn installation<'a>(&'a self, engine: &'a Engine) -> Installation<'a> {
        Installation::new(engine, &self.package, Vec::new(), &self.scratch, &Silent).unwrap()
    }
}

#[test]
fn an_image_that_is_there_only_gets_its_names_unless_it_shall_come_anew() {
    let desk = Desk::with("no-base.ddelta");
    let image = desk.image(&Script::new().engine(Store::Classic));
    let id = BlobDigest::from(image.manifests[0].config);
    let layers: Vec<DiffId> = image.manifests[0].layers.iter().map(|(diff_id, _)| *diff_id).collect();
    let script = script(&[(id, &layers)], "cat > /dev/null; exit 1");
    let engine = script.engine(Store::Classic);
    let installation = desk.installation(&engine);
    let planned = installation.plan(image.clone(), false).unwrap();
    assert!(planned.is_there() && planned.lacking().is_empty() && planned.id() == id);
    assert_eq!(planned.image().names, image.names);
    assert!(installation.carry_out(planned).unwrap().is_empty());
    assert_eq!((script.times("load"), script.times("tag")), (0, image.names.len()));
    let anew = installation.plan(image.clone(), true).unwrap();
    assert!(!anew.is_there() && anew.lacking().is_empty(), "its layers are there");
    assert!(installation.carry_out(anew).is_err());
    // What it holds may be a guess: it is loaded with every layer then.
    assert_eq!(script.times("load"), 2);
    assert!(installation.plan(RebuiltImage { manifests: Vec::new(), ..image }, false).is_err());
}

#[test]
fn an_image_comes_without_what_is_held_and_with_all_where_that_was_wrong() {
    let desk = Desk::with("no-base.ddelta");
    let image = desk.image(&Script::new().engine(Store::Classic));
    let id = BlobDigest::from(image.manifests[0].config);
    let [(lowest, blob), ..] = image.manifests[0].layers[..] else { panic!("an image with layers") };
    let other = BlobDigest::of(b"an image with the lowest layer");
    let all = image.wanted().len();
    // It refuses the first archive, and takes the second.
    let load = format!(
        "cat > \"$here/now\"; if [ -e \"$here/loaded\" ]; then echo 'Loaded image ID: {id}'; else mv \"$here/now\" \"$here/loaded\"; \
         echo 'layer does not exist' >&2; exit 1; fi"
    );
    let script = script(&[(other, &[lowest])], &load);
    let engine = script.engine(Store::Classic);
    let installation = desk.installation(&engine);
    let planned = installation.plan(image.clone(), false).unwrap();
    assert!(!planned.is_there() && !planned.lacking().contains_key(&blob) && planned.lacking().len() == all - 1);
    installation.carry_out(planned).unwrap();
    let has = |name: &str, blob: BlobDigest| {
        String::from_utf8_lossy(&script.written(name)).contains(&format!("blobs/sha256/{}\0", blob.hex()))
    };
    assert_eq!((has("loaded", blob), has("now", blob), script.times("load")), (false, true, 2));
    // With all of them there is nothing else to try.
    let script = self::script(&[], "cat > /dev/null; echo 'no room' >&2; exit 1");
    let engine = script.engine(Store::Classic);
    let installation = desk.installation(&engine);
    let planned = installation.plan(image, false).unwrap();
    assert_eq!(planned.lacking().len(), all);
    let error = installation.carry_out(planned).unwrap_err();
    assert!(error.kind() == Kind::Environment && error.to_string().ends_with("failed: no room"), "{error}");
    assert_eq!((script.times("load"), script.times("tag")), (1, 0));
}

#[test]
fn a_base_that_is_missing_is_told_before_anything_is_read() {
    let desk = Desk::with("xdelta3.ddelta");
    let script = script(&[], "exit 1");
    let engine = script.engine(Store::Podman);
    let installation = desk.installation(&engine);
    let image = desk.image(&engine);
    let error = installation.plan(image.clone(), false).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment);
    let asked = script.asked();
    // An image with the layers that it is made of is enough.
    let metadata = desk.package.metadata();
    let needed: Vec<DiffId> = needed_bases(metadata, &image.wanted()).into_iter().collect();
    assert!(!needed.is_empty() && asked == [LIST]);
    let script = self::script(&[(BlobDigest::of(b"base"), &needed)], "exit 1");
    let engine = script.engine(Store::Podman);
    assert!(!desk.installation(&engine).plan(image, false).unwrap().is_there());
}
