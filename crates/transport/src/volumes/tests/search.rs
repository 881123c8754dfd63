//! Which files are volumes of a set.

use delta_envelope::volumes::{Header, Odd};

use super::super::search::{find, header, is_volume};
use super::*;

fn header_of(path: &Path) -> Result<Header, Odd> {
    header(&File::open(path).unwrap()).unwrap()
}

#[test]
fn a_file_has_a_header_or_it_is_told_what_it_is() {
    let (desk, split) = five_blocks();
    let path = desk.path("app.002");
    let sound = header_of(&path).unwrap();
    assert_eq!((sound.volume, &sound.set), (2, &split.set));
    let whole = fs::read(&path).unwrap();
    // Too short for a header, though it begins like one; and whole to its end.
    for (length, is_foreign) in [(0, true), (1, true), (8, true), (95, true), (96, false), (BLOCK - 1, false)] {
        fs::write(desk.path("cut"), &whole[..length]).unwrap();
        match header_of(&desk.path("cut")) {
            Err(Odd::Foreign) => assert!(is_foreign, "{length}"),
            Err(Odd::Damaged) => assert!(!is_foreign, "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
    desk.cut("app.002", BLOCK);
    assert_eq!(header_of(&path).unwrap(), sound);
    for at in (0..160).chain((160..BLOCK).step_by(97)).chain([BLOCK - 1]) {
        desk.turn("app.002", at);
        match header_of(&path) {
            Err(Odd::Foreign) => assert!(at < 8, "{at}"),
            Err(Odd::Version(_)) => assert!((8..12).contains(&at), "{at}"),
            Err(Odd::Damaged) => assert!(at >= 12, "{at}"),
            Ok(found) => panic!("{at}: {found:?}"),
        }
        desk.turn("app.002", at);
    }
}

#[test]
fn a_path_names_a_volume_by_what_is_in_it_or_by_what_lies_beside_it() {
    let (desk, _) = five_blocks();
    let elsewhere = tempfile::tempdir().unwrap();
    let package = [&b"metadata.json\0"[..], &noise(5_000, 3)].concat();
    let whole = fs::read(desk.path("app.001")).unwrap();
    let mut newer = whole.clone();
    newer[8] = 2;
    for (name, bytes) in [
        ("alone/damaged", &whole[..BLOCK - 1]),
        ("alone/newer", &newer),
        ("alone/letter.001", b"Dear reader, this is longer than sixteen bytes"),
        ("app.004", b"Dear reader, this is longer than sixteen bytes"),
        ("app.005", b"short"),
        ("app.006", &package),
        ("app.007", b"metadata.json"),
        ("letter", b"Dear reader, this is longer than sixteen bytes"),
    ] {
        fs::create_dir_all(desk.path("alone")).unwrap();
        fs::write(desk.path(name), bytes).unwrap();
    }
    fs::create_dir(desk.path("app.008")).unwrap();
    for (name, expected) in [
        ("app.001", true),
        ("app.003", true),
        ("app", true),
        ("app.999", true),
        ("alone/damaged", true),
        ("alone/newer", true),
        ("alone/letter.001", false),
        ("alone/app.001", false),
        ("app.004", true),
        ("app.005", true),
        ("app.006", false),
        // Too short to be a package.
        ("app.007", true),
        ("app.008", false),
        ("letter", false),
        ("other", false),
        ("other.001", false),
        ("app.001.001", false),
        ("app.0001", false),
    ] {
        assert_eq!(is_volume(&desk.path(name), &[]), expected, "{name}");
    }
    let [own, path] = [desk.folder.path().to_owned(), elsewhere.path().join("app.001")];
    assert!(!is_volume(&path, &[]) && is_volume(&path, &[own]));
}

#[test]
fn a_set_is_found_by_its_own_header_or_by_that_of_a_neighbour() {
    let (desk, split) = five_blocks();
    let found = |name: &str| find(&desk.path(name), &[]);
    for name in ["app.001", "app.003", "app", "app.999"] {
        let found = found(name).unwrap();
        assert_eq!((&found.set, found.stem), (&split.set, desk.path("app")), "{name}");
        let volumes: Vec<_> = found.candidates.iter().map(|one| (one.volume, one.is_named, one.bytes)).collect();
        let mut sorted = volumes.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [(1, true, 12_288), (2, true, 12_288), (3, true, 4_196)], "{name}");
        assert!(found.remarks.is_empty());
    }
    // The one that was named is looked at first, then those whose names are expected.
    let order: Vec<_> = found("app.003").unwrap().candidates.iter().map(|one| one.volume).collect();
    assert_eq!(order, [3, 1, 2]);
    desk.turn("app.001", 50);
    let damaged = found("app.001").unwrap();
    assert_eq!(damaged.set, split.set);
    assert!(damaged.candidates.iter().all(|one| one.is_named == (one.volume != 1)));
    fs::remove_file(desk.path("app.002")).unwrap();
    fs::remove_file(desk.path("app.003")).unwrap();
    let shown = desk.path("app.001").display().to_string();
    let words = format!("the header of {shown} is damaged, and no other volume of its set is there");
    is_refused(found("app.001").map(|_| ()), Kind::Content, &[&words]);
    let hint = found("app.001").map(|_| ()).unwrap_err();
    assert!(hint.hint().unwrap().contains("--volumes DIR"));
}

#[test]
fn a_volume_of_another_version_is_no_damaged_one() {
    let (desk, _) = five_blocks();
    let mut bytes = fs::read(desk.path("app.002")).unwrap();
    bytes[8] = 7;
    fs::write(desk.path("app.002"), bytes).unwrap();
    let shown = desk.path("app.002").display().to_string();
    let words = format!("{shown} is a volume of format version 7, and this program knows version 1");
    is_refused(find(&desk.path("app.002"), &[]).map(|_| ()), Kind::Content, &[&words]);
    let found = find(&desk.path("app.001"), &[]).unwrap();
    assert_eq!(found.remarks, [format!("{shown} is a volume of format version 7 and is left out")]);
    assert_eq!(found.candidates.len(), 2);
}

#[test]
fn files_are_taken_by_their_headers_and_remarked_upon_where_their_names_say_otherwise() {
    let (desk, split) = five_blocks();
    let other = desk.split(&noise(2 * BLOCK, 8), "");
    desk.write("other", &other, GENTLY).unwrap();
    let rename = |from: &str, to: &str| fs::rename(desk.path(from), desk.path(to)).unwrap();
    rename("app.002", "photo.jpg");
    fs::copy(desk.path("other.001"), desk.path("app.002")).unwrap();
    fs::hard_link(desk.path("app.001"), desk.path("app.001.kept")).unwrap();
    fs::write(desk.path("app.004"), noise(5_000, 3)).unwrap();
    fs::write(desk.path("notes.002"), noise(5_000, 3)).unwrap();
    let found = find(&desk.path("app.001"), &[]).unwrap();
    let mut taken: Vec<_> = found.candidates.iter().map(|one| (one.volume, one.path.clone())).collect();
    taken.sort();
    let expected = [(1, "app.001"), (2, "photo.jpg"), (3, "app.003")].map(|(volume, name)| (volume, desk.path(name)));
    assert_eq!((&found.set, taken), (&split.set, expected.to_vec()), "neither a fourth of three, nor the same twice");
    let mut remarks = found.remarks;
    remarks.sort();
    let shown = |name: &str| desk.path(name).display().to_string();
    let of_another =
        format!("{} is volume 1 of another set ({}) and is left out", shown("app.002"), other.set.id().short());
    assert_eq!(remarks, [of_another, format!("{} is volume 2, whatever it is called", shown("photo.jpg"))]);
}

#[test]
fn a_file_without_a_header_counts_by_its_name_up_to_the_last_volume() {
    let (desk, _) = five_blocks();
    for volume in 2..=4 {
        fs::write(desk.path(&format!("app.00{volume}")), b"nothing of it").unwrap();
    }
    let found = find(&desk.path("app.001"), &[]).unwrap();
    let taken: Vec<_> = found.candidates.iter().map(|one| (one.volume, one.is_named, one.bytes)).collect();
    assert_eq!(taken, [(1, true, 12_288), (2, false, 13), (3, false, 13)]);
}

#[test]
fn a_volume_is_expected_in_every_folder_under_the_name_of_its_set() {
    let (desk, _) = five_blocks();
    let found = find(&desk.path("app.001"), &[]).unwrap();
    assert_eq!(found.expected(Path::new("/media/stick"), 2), Path::new("/media/stick/app.002"));
    assert_eq!(found.expected(Path::new("."), 2), Path::new("./app.002"), "the set lies elsewhere");
}

/// The names of what is missing, where these files are there.
#[cfg(target_os = "linux")]
fn missing_of(desk: &Desk, there: &[&str]) -> Vec<String> {
    let files: Vec<_> = there.iter().map(|name| (desk.path(name), File::open(desk.path(name)).unwrap())).collect();
    let missing = missing(&desk.path("app"), &files).unwrap();
    missing.iter().map(|path| Path::new(path).file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_missing_is_told_by_headers_names_and_lengths() {
    let (desk, _) = five_blocks();
    let all = ["app.001", "app.002", "app.003"];
    assert_eq!(missing_of(&desk, &all), Vec::<String>::new());
    assert_eq!(missing_of(&desk, &all[..1]), ["app.002", "app.003"]);
    assert_eq!(missing_of(&desk, &all[2..]), ["app.001", "app.002"]);
    assert_eq!(missing_of(&desk, &[]), Vec::<String>::new(), "nobody says how many there are");
    // Still on its way.
    desk.cut("app.002", 3 * BLOCK - 1);
    assert_eq!(missing_of(&desk, &all), ["app.002"]);
    desk.cut("app.002", 3 * BLOCK + 1);
    assert_eq!(missing_of(&desk, &all), Vec::<String>::new(), "longer ones are there");
    // A header may be lost, and the name then says which one it is.
    desk.turn("app.002", 20);
    assert_eq!(missing_of(&desk, &all), Vec::<String>::new());
    fs::rename(desk.path("app.002"), desk.path("photo")).unwrap();
    assert_eq!(missing_of(&desk, &["app.001", "photo", "app.003"]), ["app.002"]);
    fs::rename(desk.path("app.003"), desk.path("app.002")).unwrap();
    assert_eq!(missing_of(&desk, &["app.001", "app.002"]), ["app.002"], "the header counts more than the name");
    let files = [(desk.path("photo"), File::open(desk.path("photo")).unwrap())];
    assert!(missing(&desk.path("app"), &files).unwrap().is_empty());
}
