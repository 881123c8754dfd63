use std::fs;

use super::*;

#[test]
fn links_do_not_hide_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("tree")).unwrap();
    fs::write(path("file"), b"bytes").unwrap();
    fs::hard_link(path("file"), path("hard")).unwrap();
    std::os::unix::fs::symlink("file", path("soft")).unwrap();
    let inputs = Inputs::of([path("soft"), path("tree"), path("missing")].iter().map(PathBuf::as_path));
    let named = |name: &str| inputs.named(system::file_id(&path(name)).unwrap());
    assert!(["file", "hard", "soft", "tree"].iter().all(|name| named(name).is_some()));
    fs::write(path("other"), b"bytes").unwrap();
    assert_eq!(named("other"), None);
    assert!(inputs.around(&path("tree/deep/new")).is_some());
    assert!(inputs.around(&path("new")).is_none());
}

#[test]
fn an_input_is_called_as_it_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("file"), b"bytes").unwrap();
    std::os::unix::fs::symlink("file", path("soft")).unwrap();
    let inputs = Inputs::of([path("soft").as_path()]).with(&path("missing"));
    let id = system::file_id(&path("file")).unwrap();
    assert_eq!(inputs.named(id), Some(path("soft").display().to_string()));
    // The first of several that are the same.
    let inputs = inputs.with(&path("file"));
    assert_eq!(inputs.named(id), Some(path("soft").display().to_string()));
    assert_eq!(Inputs::default().named(id), None);
    assert_eq!(Inputs::default().with(&path("file")).named(id), Some(path("file").display().to_string()));
}

#[test]
fn only_folders_are_around_something_and_none_is_around_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("tree/deep")).unwrap();
    fs::write(path("file"), b"bytes").unwrap();
    std::os::unix::fs::symlink("tree", path("link")).unwrap();
    let around = |inputs: &[&str], place: &str| {
        let paths: Vec<PathBuf> = inputs.iter().map(|name| path(name)).collect();
        Inputs::of(paths.iter().map(PathBuf::as_path)).around(&path(place)).is_some()
    };
    for (inputs, place, expected) in [
        (&["tree"][..], "tree/new", true),
        (&["tree"], "tree/deep/new", true),
        (&["tree"], "tree/missing/deep/new", true),
        (&["link"], "tree/new", true),
        (&["tree"], "link/new", true),
        (&["tree/deep"], "tree/new", false),
        (&["tree"], "tree", false),
        (&["tree"], "trees/new", false),
        (&["file"], "file/new", false),
        (&[], "tree/new", false),
        (&["file", "tree"], "tree/new", true),
    ] {
        assert_eq!(around(inputs, place), expected, "{inputs:?} {place}");
    }
    let named = Inputs::of([path("tree").as_path()]).around(&path("tree/new"));
    assert_eq!(named, Some(path("tree").display().to_string()));
}

#[test]
fn standard_input_is_an_input() {
    let found = input(Path::new("-")).unwrap();
    let (id, is_folder) = system::stdin().unwrap();
    assert_eq!((found.id, found.is_folder, found.path.as_path()), (id, is_folder, Path::new("-")));
    assert!(Inputs::of([Path::new("-")]).named(id).is_some());
    // A file of that name is another thing, and is named with its folder.
    assert!(input(Path::new("./-")).is_none());
}
