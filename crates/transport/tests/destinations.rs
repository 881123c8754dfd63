//! What may be written where, for every product and every thing that can be there already.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use delta_core::{Error, Kind};
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::inputs::Inputs;
use delta_transport::spool::TempScratch;

const PRODUCTS: [Product; 7] = [
    Product::Package,
    Product::Volume,
    Product::Delta,
    Product::Archive,
    Product::Layout,
    Product::File,
    Product::Tree,
];

fn choose(product: Product, path: &Path, force: bool) -> Result<Destination, Error> {
    let inputs = Inputs::default();
    Destination::choose(Request { product, path, name: None, force, inputs: &inputs })
}

fn is_folder(product: Product) -> bool {
    matches!(product, Product::Layout | Product::Tree)
}

/// One thing of each kind, by name.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    let path = |name: &str| desk.path().join(name);
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    fs::write(path("empty"), b"").unwrap();
    fs::write(path("letter"), b"Dear reader").unwrap();
    fs::write(path("volume"), b"ddvolume and more").unwrap();
    fs::write(path("vcdiff"), [0xd6, 0xc3, 0xc4, 0, 0]).unwrap();
    fs::write(path("bsdiff"), b"BSDIFF40 and what follows").unwrap();
    fs::copy(testdata.join("golden/v1/accept/xdelta3.ddelta"), path("package")).unwrap();
    fs::copy(testdata.join("golden/v1/accept/wrapped.ddelta.gz"), path("wrapped")).unwrap();
    fs::copy(testdata.join("samples/tiny/docker28-classic/v1.tar"), path("archive")).unwrap();
    fs::create_dir(path("nothing")).unwrap();
    fs::create_dir(path("photos")).unwrap();
    fs::write(path("photos/photo"), b"precious").unwrap();
    fs::create_dir_all(path("layout/blobs/sha256")).unwrap();
    fs::write(path("layout/oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(path("layout/index.json"), b"{}").unwrap();
    desk
}

#[test]
fn each_product_replaces_its_own_kind_and_only_by_force() {
    let desk = desk();
    let replaceable: [(Product, &[&str]); 7] = [
        (Product::Package, &["empty", "package", "wrapped"]),
        (Product::Volume, &["empty", "volume"]),
        (Product::Delta, &["empty", "package", "wrapped", "vcdiff", "bsdiff"]),
        (Product::Archive, &["empty", "archive"]),
        (Product::Layout, &["nothing", "layout"]),
        (Product::File, &["empty", "letter", "vcdiff", "bsdiff", "package", "wrapped", "volume", "archive"]),
        (Product::Tree, &["nothing"]),
    ];
    for (product, replaceable) in replaceable {
        for name in
            ["empty", "letter", "vcdiff", "bsdiff", "package", "wrapped", "archive", "nothing", "photos", "layout"]
        {
            let path = desk.path().join(name);
            let by_force = choose(product, &path, true);
            assert_eq!(by_force.is_ok(), replaceable.contains(&name), "{product:?} over {name} by force");
            let gently = choose(product, &path, false);
            // An empty folder is as good as none.
            let is_free = is_folder(product) && name == "nothing";
            assert_eq!(gently.is_ok(), is_free, "{product:?} over {name}");
            for error in [by_force.err(), gently.err()].into_iter().flatten() {
                assert_eq!(error.kind(), Kind::Usage, "{error}");
                assert!(error.to_string().contains(name) && error.hint().is_some(), "{product:?} over {name}: {error}");
            }
        }
    }
}

#[test]
fn force_is_hinted_at_only_where_it_loses_nothing_else() {
    let desk = desk();
    for product in PRODUCTS {
        for entry in fs::read_dir(desk.path()).unwrap() {
            let path = entry.unwrap().path();
            let Err(error) = choose(product, &path, false) else { continue };
            if error.hint().is_some_and(|hint| hint.contains("-f")) {
                choose(product, &path, true).unwrap();
                assert!(product != Product::File && product != Product::Tree, "{path:?}: {error}");
            }
        }
    }
}

#[test]
fn a_free_name_in_a_folder_that_is_there_is_taken() {
    let desk = desk();
    for product in PRODUCTS {
        let to = choose(product, &desk.path().join("new"), false).unwrap();
        assert_eq!((to.product(), to.is_stdout()), (product, false));
        assert_eq!(to.to_string(), desk.path().join("new").display().to_string());
        assert!(!desk.path().join("new").exists(), "choosing makes nothing");
        for path in ["no/new", "no/deeper/new", "letter/new"] {
            let error = choose(product, &desk.path().join(path), true).unwrap_err();
            assert_eq!(error.kind(), Kind::Environment, "{product:?} to {path}: {error}");
        }
        let slashed = choose(product, &PathBuf::from(format!("{}/new/", desk.path().display())), false);
        assert_eq!(slashed.is_ok(), is_folder(product), "{product:?}");
    }
}

#[test]
fn a_folder_that_is_given_for_a_file_gets_it_under_its_name() {
    let desk = desk();
    let photos = desk.path().join("photos");
    let named = |product, name, force| {
        let inputs = Inputs::default();
        Destination::choose(Request { product, path: &photos, name: Some(name), force, inputs: &inputs })
    };
    for product in PRODUCTS.into_iter().filter(|product| !is_folder(*product)) {
        let to = named(product, "app.out", false).unwrap();
        assert_eq!(to.to_string(), photos.join("app.out").display().to_string());
        assert!(choose(product, &photos, true).unwrap_err().hint().unwrap().contains("name a file in it"));
        assert_eq!(named(product, "photo", true).is_ok(), product == Product::File);
        fs::create_dir_all(photos.join("taken")).unwrap();
        assert!(named(product, "taken", true).unwrap_err().to_string().contains("taken is a folder"));
    }
}

#[test]
fn what_a_run_reads_is_never_written_under_any_of_its_names() {
    let desk = desk();
    let path = |name: &str| desk.path().join(name);
    fs::hard_link(path("package"), path("hard")).unwrap();
    symlink("package", path("soft")).unwrap();
    symlink("photos", path("soft-photos")).unwrap();
    let read = [path("soft"), path("photos")];
    let inputs = Inputs::of(read.iter().map(PathBuf::as_path)).with(&path("letter"));
    for product in PRODUCTS {
        for name in ["package", "hard", "soft", "letter", "photos/../package"] {
            let path = path(name);
            let error = Destination::choose(Request { product, path: &path, name: None, force: true, inputs: &inputs });
            let error = error.unwrap_err();
            assert!(error.to_string().contains("which this run reads, cannot be written"), "{name}: {error}");
        }
        for name in ["photos/new", "soft-photos/new"] {
            let path = path(name);
            let error = Destination::choose(Request { product, path: &path, name: None, force: true, inputs: &inputs });
            let error = error.unwrap_err();
            assert!(error.to_string().contains("is inside of"), "{name}: {error}");
        }
    }
}

#[test]
fn a_link_to_nothing_is_not_followed() {
    let desk = desk();
    let path = desk.path().join("link");
    symlink("nowhere", &path).unwrap();
    for product in PRODUCTS {
        let error = choose(product, &path, true).unwrap_err();
        assert!(error.to_string().contains("a symbolic link to nowhere, which is not there"), "{error}");
    }
    assert!(!desk.path().join("nowhere").exists());
}

fn scratch() -> TempScratch {
    TempScratch::new(None).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let to = choose(Product::Package, &path, false).unwrap();
    let written = to.write_file(&scratch(), |out| {
        out.write_all(&vec![7; 1 << 20]).map_err(Error::io("writing"))?;
        out.flush().map_err(Error::io("flushing"))?;
        assert!(!path.exists(), "it has its name too early");
        Ok(17)
    });
    assert_eq!(written.unwrap(), 17);
    assert_eq!(fs::read(&path).unwrap(), vec![7; 1 << 20]);
    assert_eq!(names(folder.path()), ["new"]);
}

#[test]
fn when_making_fails_nothing_is_left_and_nothing_is_lost() {
    let desk = desk();
    let before = names(desk.path());
    let package = fs::read(desk.path().join("package")).unwrap();
    for (product, name, force) in [
        (Product::Package, "new", false),
        (Product::Package, "package", true),
        (Product::Archive, "new", false),
        (Product::File, "letter", true),
    ] {
        let to = choose(product, &desk.path().join(name), force).unwrap();
        let failed: Result<(), Error> = to.write_file(&scratch(), |out| {
            out.write_all(b"half of it").map_err(Error::io("writing"))?;
            Err(Error::content("the rest is damaged"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the rest is damaged");
        let failed = to.write_dressed(
            &scratch(),
            |out| out.write_all(b"all of it").map_err(Error::io("writing")),
            |_| Err::<(), _>(Error::environment("no attributes here")),
        );
        assert_eq!(failed.unwrap_err().to_string(), "no attributes here");
    }
    for product in [Product::Layout, Product::Tree] {
        for name in ["new", "nothing"] {
            let to = choose(product, &desk.path().join(name), true).unwrap();
            let failed: Result<(), Error> = to.write_folder(|folder| {
                fs::write(folder.join("half"), b"half of it").map_err(Error::io("writing"))?;
                Err(Error::content("the rest is damaged"))
            });
            assert_eq!(failed.unwrap_err().to_string(), "the rest is damaged");
        }
    }
    assert_eq!(names(desk.path()), before);
    assert!(names(&desk.path().join("nothing")).is_empty());
    assert_eq!(fs::read(desk.path().join("package")).unwrap(), package);
    assert_eq!(fs::read(desk.path().join("letter")).unwrap(), b"Dear reader");
}

#[test]
fn what_came_to_be_there_meanwhile_stays() {
    let desk = desk();
    let path = |name: &str| desk.path().join(name);
    let meanwhile = |to: &Destination, name: &str| {
        to.write_file(&scratch(), |out| {
            fs::write(path("other"), b"another program's").unwrap();
            fs::rename(path("other"), path(name)).unwrap();
            out.write_all(b"ours").map_err(Error::io("writing"))
        })
        .unwrap_err()
    };
    for (name, force) in [("new", false), ("new", true), ("package", true)] {
        let _ = fs::remove_file(path("new"));
        let to = choose(Product::Package, &path(name), force).unwrap();
        let error = meanwhile(&to, name);
        assert_eq!(error.kind(), Kind::Environment, "{error}");
        assert!(error.to_string().contains("came to be there meanwhile") && error.hint().is_some(), "{error}");
        assert_eq!(fs::read(path(name)).unwrap(), b"another program's");
    }
    let to = choose(Product::Layout, &path("folder"), true).unwrap();
    let error = to.write_folder(|_| fs::create_dir(path("folder")).map_err(Error::io("making"))).unwrap_err();
    assert!(error.to_string().contains("came to be there meanwhile"), "{error}");
    assert!(names(&path("folder")).is_empty());
}

#[test]
fn what_is_replaced_keeps_its_permissions_unless_it_is_dressed() {
    let desk = desk();
    let path = desk.path().join("package");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let to = choose(Product::Package, &path, true).unwrap();
    to.write_file(&scratch(), |out| out.write_all(b"").map_err(Error::io("writing"))).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    let to = choose(Product::File, &path, true).unwrap();
    let dressed = to.write_dressed(
        &scratch(),
        |out| out.write_all(b"bytes").map_err(Error::io("writing")),
        |file| file.set_permissions(fs::Permissions::from_mode(0o4711)).map_err(Error::io("dressing")),
    );
    assert_eq!(dressed.unwrap(), Some(()));
    assert_eq!((fs::metadata(&path).unwrap().mode() & 0o7777, fs::read(&path).unwrap()), (0o4711, b"bytes".to_vec()));
}

#[test]
fn a_folder_appears_when_all_in_it_is_written_and_takes_the_place_of_an_empty_one() {
    let desk = desk();
    for name in ["new", "nothing", "layout"] {
        let path = desk.path().join(name);
        let to = choose(Product::Layout, &path, true).unwrap();
        let before = fs::metadata(&path).ok().map(|found| found.ino());
        to.write_folder(|folder| {
            fs::write(folder.join("file"), b"bytes").map_err(Error::io("writing"))?;
            assert_eq!(fs::metadata(&path).ok().map(|found| found.ino()), before);
            Ok(())
        })
        .unwrap();
        assert_eq!(names(&path), ["file"]);
    }
}

#[test]
fn a_full_device_is_told_with_its_name() {
    let to = choose(Product::Package, Path::new("/dev/full"), false).unwrap();
    let error = to.write_file(&scratch(), |out| out.write_all(&[0; 4096]).map_err(Error::io("copying"))).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.to_string().starts_with("writing /dev/full: No space left"), "{error}");
    let to = choose(Product::Archive, Path::new("/dev/full"), false).unwrap();
    let large = vec![0; 1 << 20];
    let error = to.write_file(&scratch(), |out| out.write_all(&large).map_err(Error::io("copying"))).unwrap_err();
    assert!(error.to_string().starts_with("writing /dev/full: No space left"), "{error}");
    assert!(error.hint().unwrap().contains("free some room"), "{error}");
}

#[test]
fn room_is_asked_for_where_the_file_will_be() {
    let desk = desk();
    let to = choose(Product::Package, &desk.path().join("new"), false).unwrap();
    to.require(1).unwrap();
    let error = to.require(u64::MAX).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.to_string().contains("a package needs 18446744073710 MB"), "{error}");
    choose(Product::Package, Path::new("/dev/null"), false).unwrap().require(u64::MAX).unwrap();
}

#[test]
fn a_stream_that_fails_says_what_failed_and_not_what_was_held_back() {
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable was pulled"))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let to = choose(Product::File, &folder.path().join("new"), false).unwrap();
    let copied = to.write_file(&scratch(), |out| io::copy(&mut Broken, out).map_err(Error::io("reading the stick")));
    assert_eq!(copied.unwrap_err().to_string(), "reading the stick: the cable was pulled");
    assert!(names(folder.path()).is_empty());
}
