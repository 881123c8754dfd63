use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use delta_core::error::Kind;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::*;
use crate::fixtures::{is_refused, names};
use crate::spool::TempScratch;

const PRODUCTS: [Product; 7] = [
    Product::Package,
    Product::Volume,
    Product::Delta,
    Product::Archive,
    Product::Layout,
    Product::File,
    Product::Tree,
];

const THINGS: [Content; 8] = [
    Content::Nothing,
    Content::Package,
    Content::Volume,
    Content::Encrypted,
    Content::Difference,
    Content::Archive,
    Content::Layout,
    Content::Other,
];

fn choose(product: Product, path: &Path, force: bool) -> Result<Destination> {
    let inputs = Inputs::default();
    Destination::choose(Request { product, path, name: None, force, inputs: &inputs })
}

fn chosen(path: &Path) -> Destination {
    choose(Product::File, path, true).unwrap()
}

#[test]
fn each_product_is_called_what_it_is_and_may_be_called_by_its_ending() {
    for (product, noun, example, is_folder) in [
        (Product::Package, "a package", "NAME.ddelta", false),
        (Product::Volume, "a volume of a package", "NAME.ddelta.001", false),
        (Product::Delta, "a difference", "NAME.delta", false),
        (Product::Archive, "an image archive", "NAME.tar", false),
        (Product::Layout, "an OCI layout", "NAME", true),
        (Product::File, "a file", "NAME", false),
        (Product::Tree, "a folder", "NAME", true),
    ] {
        assert_eq!((product.noun(), product.example(), product.is_folder()), (noun, example, is_folder));
        let folder = tempfile::tempdir().unwrap();
        let error = choose(product, folder.path(), true);
        // An empty folder is free for what is a folder.
        assert_eq!(error.is_ok(), is_folder);
        let Err(error) = error else { continue };
        let shown = folder.path().display();
        assert_eq!(error.to_string(), format!("{shown} is a folder, where {noun} is to be written"));
        assert_eq!(error.hint(), Some(&*format!("name a file in it: {shown}/{example}")));
    }
}

#[test]
fn what_may_be_replaced_by_what_is_one_table() {
    for (product, replaceable) in [
        (Product::Package, &[Content::Nothing, Content::Package, Content::Encrypted][..]),
        (Product::Volume, &[Content::Nothing, Content::Volume]),
        (Product::Delta, &[Content::Nothing, Content::Package, Content::Encrypted, Content::Difference]),
        (Product::Archive, &[Content::Nothing, Content::Archive]),
        (Product::Layout, &[Content::Nothing, Content::Layout]),
        (Product::File, &THINGS),
        (Product::Tree, &[Content::Nothing]),
    ] {
        for there in THINGS {
            assert_eq!(product.may_replace(there), replaceable.contains(&there), "{product:?} {there:?}");
        }
    }
}

#[test]
fn what_is_there_is_told_with_a_way_out_that_loses_nothing() {
    for (product, there, message, hint) in [
        (Product::Package, Content::Package, "x exists already", "replace it with -f"),
        (Product::Package, Content::Encrypted, "x exists already", "replace it with -f"),
        (Product::Layout, Content::Layout, "x exists already", "replace it with -f"),
        (Product::Package, Content::Nothing, "x exists already and is empty", "name another file, or remove"),
        (Product::File, Content::Nothing, "x exists already", "name another file, or remove"),
        (Product::File, Content::Package, "x exists already", "name another file, or remove"),
        (Product::Package, Content::Other, "x exists already and is not a package", "name another file, or remove"),
        (
            Product::Package,
            Content::Archive,
            "x is an image archive, where a package is to be written",
            "the package is named last",
        ),
        (
            Product::Delta,
            Content::Archive,
            "x exists already and is an image archive, not a difference",
            "name another file, or remove",
        ),
        (
            Product::Volume,
            Content::Package,
            "x exists already and is a package, not a volume of a package",
            "name another file, or remove",
        ),
        (Product::Tree, Content::Layout, "x exists already and is not empty", "name a new folder, or remove this one"),
        (Product::Tree, Content::Other, "x exists already and is not empty", "name a new folder, or remove this one"),
        (
            Product::Layout,
            Content::Other,
            "x holds other things than an OCI layout, so it is not replaced",
            "name a new folder, such as x/image",
        ),
    ] {
        let error = taken(product, "x", there);
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Usage, message), "{product:?} {there:?}");
        assert!(error.hint().unwrap().starts_with(hint), "{product:?} {there:?}: {:?}", error.hint());
    }
    for (product, there) in PRODUCTS.into_iter().flat_map(|product| THINGS.map(|there| (product, there))) {
        let error = taken(product, "x", there);
        let leads_to_force = error.hint().unwrap().contains("-f");
        assert!(!leads_to_force || product.may_replace(there) && there != Content::Nothing, "{product:?} {there:?}");
    }
}

#[test]
fn devices_and_pipes_are_written_through_and_nothing_else_special_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    mknodat(CWD, path("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _listener = UnixListener::bind(path("socket")).unwrap();
    for (path, kind, refusal) in [
        (path("pipe"), "a FIFO", None),
        ("/dev/null".into(), "a device", None),
        (path("socket"), "a socket", Some("a socket, which cannot be opened as a file")),
        ("/dev/tty".into(), "a device", Some("a terminal, which PRODUCT would garble")),
    ] {
        for product in PRODUCTS {
            let shown = path.display();
            let chosen = choose(product, &path, true);
            if product.is_folder() {
                let words = format!("{shown} is {kind}, where {} is to be written", product.noun());
                is_refused(chosen, Kind::Usage, &[&words]);
            } else if let Some(refusal) = refusal {
                let refusal = refusal.replace("PRODUCT", product.noun());
                is_refused(chosen, Kind::Usage, &[&format!("{shown} is {refusal}")]);
            } else {
                let chosen = chosen.unwrap();
                assert!(chosen.path().is_none() && !chosen.is_stdout() && chosen.largest_file().is_none());
                assert_eq!((chosen.to_string(), chosen.product()), (shown.to_string(), product));
            }
        }
    }
}

#[test]
fn a_disk_is_never_written_over() {
    let is_disk = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| system::special(&found) == Some(Special::Disk));
    let devices = fs::read_dir("/dev").unwrap().map(|entry| entry.unwrap().path());
    let mut disks = devices.filter(is_disk).peekable();
    assert!(disks.peek().is_some(), "/dev has no disk, which this test looks at and never opens");
    for disk in disks {
        for product in PRODUCTS.into_iter().filter(|product| !product.is_folder()) {
            let words = format!("{} is a disk, whose content would be lost", disk.display());
            is_refused(choose(product, &disk, true), Kind::Usage, &[&words]);
        }
    }
}

#[test]
fn standard_output_has_several_names() {
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        for product in [Product::Layout, Product::Tree] {
            let error = choose(product, Path::new(name), true).unwrap_err();
            assert_eq!(error.to_string(), format!("{} cannot go to standard output", product.noun()));
            assert_eq!((error.kind(), error.hint()), (Kind::Usage, Some("name a folder")));
        }
        // Whether it is a terminal is for whoever runs this test.
        match choose(Product::Package, Path::new(name), false) {
            Ok(to) => {
                assert!(to.is_stdout() && to.path().is_none() && to.largest_file().is_none(), "{name}");
                assert_eq!(to.to_string(), "standard output");
                to.require(u64::MAX).unwrap();
            }
            Err(error) => assert!(error.to_string().contains("a package would garble"), "{error}"),
        }
    }
    assert!(!is_stdout(Path::new("./-")) && !is_stdout(Path::new("/dev/fd/2")));
}

#[test]
fn only_what_has_a_name_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let named = chosen(&folder.path().join("new"));
    assert!(named.clone().reading_back(true).unwrap().reads_back);
    assert!(!named.reading_back(true).unwrap().reading_back(false).unwrap().reads_back);
    let device = || chosen(Path::new("/dev/null"));
    let error = device().reading_back(true).unwrap_err();
    assert_eq!(error.to_string(), "nothing can be read back from /dev/null");
    assert_eq!((error.kind(), error.hint()), (Kind::Usage, Some("name a file")));
    assert!(!device().reading_back(false).unwrap().reads_back);
}

#[test]
fn an_executable_may_be_run_by_whoever_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = TempScratch::new(None).unwrap();
    let path = folder.path().join("new");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let write = |to: Destination| to.write_file(&scratch, |out| out.write_all(b"").map_err(Error::io("x"))).unwrap();
    write(chosen(&path));
    let plain = mode();
    assert_eq!(plain & 0o111, 0);
    write(chosen(&path).executable(true));
    assert_eq!(mode(), plain | ((plain & 0o444) >> 2), "whatever what it replaces could do");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    write(chosen(&path).executable(true).executable(false));
    assert_eq!(mode(), 0o600);
}

#[test]
fn room_is_asked_for_with_what_goes_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let to = choose(Product::Package, &folder.path().join("new"), false).unwrap();
    let free = file_system::free(folder.path()).unwrap();
    // Far more than half and less than all, though other programs write meanwhile.
    let much = free / 4 * 3;
    to.require(much).unwrap();
    to.require_besides(much, Path::new("/dev/shm"), (0, "temporary files")).unwrap();
    to.require_besides(much, folder.path(), (0, "temporary files")).unwrap();
    let error = to.require_besides(much, folder.path(), (much, "temporary files")).unwrap_err();
    assert!(error.to_string().starts_with("a package needs "), "{error}");
    assert_eq!(error.hint(), Some("free some room, or name a place with more of it"));
    // Those of another file system need no room here.
    let elsewhere = file_system::free(Path::new("/dev/shm")).unwrap() / 4 * 3;
    to.require_besides(much, Path::new("/dev/shm"), (elsewhere, "temporary files")).unwrap();
    let error = to.require_besides(0, Path::new("/proc"), (1, "temporary files")).unwrap_err();
    assert!(error.to_string().starts_with("temporary files needs 1 MB in /proc"), "{error}");
    to.require_besides(u64::MAX, folder.path(), (much, "x")).unwrap_err();
    let stream = chosen(Path::new("/dev/null"));
    stream.require_besides(u64::MAX, folder.path(), (1, "x")).unwrap();
    stream.require_besides(0, Path::new("/proc"), (1, "x")).unwrap_err();
}

#[test]
fn a_folder_that_cannot_be_moved_is_not_replaced() {
    let id = |path: &str| system::file_id(Path::new(path)).unwrap();
    let here = fs::canonicalize(".").unwrap();
    let error = check_movable(".", &here, id(".")).unwrap_err();
    assert_eq!(error.to_string(), ". is the folder in which you are");
    assert_eq!((error.kind(), error.hint()), (Kind::Usage, Some("name a new folder in it: ./NAME")));
    for mounted in ["/", "/proc", "/dev/shm"] {
        let error = check_movable(mounted, Path::new(mounted), id(mounted)).unwrap_err();
        assert_eq!(error.to_string(), format!("{mounted} is where a file system is mounted"));
        assert_eq!(error.kind(), Kind::Usage);
    }
    let folder = tempfile::tempdir().unwrap();
    check_movable("x", folder.path(), system::file_id(folder.path()).unwrap()).unwrap();
}

#[test]
fn a_name_must_be_one_in_a_folder_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display();
    fs::write(folder.path().join("file"), b"").unwrap();
    for (path, product, message) in [
        (format!("{root}/new/"), Product::File, format!("the folder {root}/new/ does not exist")),
        (format!("{root}/no/new"), Product::File, format!("the folder {root}/no does not exist")),
        (format!("{root}/no/.."), Product::Tree, format!("the folder {root}/no/.. does not exist")),
        (format!("{root}/no/new"), Product::Layout, format!("the folder {root}/no does not exist")),
        (format!("{root}/file/new"), Product::File, format!("{root}/file/new lies in a file, which is no folder")),
    ] {
        let error = choose(product, Path::new(&path), true).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (Kind::Environment, message), "{path}");
    }
    let long = folder.path().join("n".repeat(256));
    is_refused(choose(Product::File, &long, false), Kind::Environment, &["looking at "]);
    assert_eq!(folder_of(Path::new("new")), Path::new("."));
    assert_eq!(folder_of(Path::new("a/new")), Path::new("a"));
    assert_eq!(folder_of(Path::new("/")), Path::new("."));
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("inner")).unwrap();
    fs::write(path("inner/file"), b"old").unwrap();
    std::os::unix::fs::symlink("inner/file", path("link")).unwrap();
    let to = chosen(&path("link"));
    assert_eq!(to.path().unwrap(), fs::canonicalize(path("inner/file")).unwrap());
    assert_eq!(to.to_string(), path("link").display().to_string(), "it is shown as it was typed");
    let scratch = TempScratch::new(None).unwrap();
    to.write_file(&scratch, |out| out.write_all(b"new").map_err(Error::io("writing"))).unwrap();
    assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
    assert_eq!(
        (fs::read(path("inner/file")).unwrap(), names(&path("inner"))),
        (b"new".to_vec(), vec!["file".to_owned()])
    );
}

#[test]
fn an_input_is_told_by_the_name_that_it_has_besides() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("read"), b"bytes").unwrap();
    fs::hard_link(path("read"), path("other")).unwrap();
    let inputs = Inputs::of([path("read").as_path()]);
    let refused = |name: &str| {
        let path = path(name);
        let request = Request { product: Product::File, path: &path, name: None, force: true, inputs: &inputs };
        Destination::choose(request).unwrap_err().to_string()
    };
    let [read, other] = ["read", "other"].map(|name| path(name).display().to_string());
    assert_eq!(refused("read"), format!("{read}, which this run reads, cannot be written"));
    assert_eq!(refused("other"), format!("{other} is {read}, which this run reads, cannot be written"));
}

#[test]
fn a_name_in_a_given_folder_is_judged_as_if_it_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("taken"), b"Dear reader").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let inputs = Inputs::default();
    let choose = |name| {
        let (product, path) = (Product::Package, folder.path());
        Destination::choose(Request { product, path, name: Some(name), force: true, inputs: &inputs })
    };
    assert_eq!(choose("new").unwrap().path(), Some(&*fs::canonicalize(folder.path()).unwrap().join("new")));
    is_refused(choose("taken"), Kind::Usage, &["taken exists already and is not a package"]);
    let error = choose("folder").unwrap_err();
    assert!(error.to_string().ends_with("folder is a folder, where a package is to be written"), "{error}");
    assert_eq!(error.hint(), Some("name a file"));
}
