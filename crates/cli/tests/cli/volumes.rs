//! Packages in volumes: split, on several media, damaged, repaired, joined; what was stopped goes on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, Ran, command, docker_delta, finish, image, layer, names, noise, seen};

/// Two versions of an image, and the second as a package in volumes on a stick for each.
struct Journey {
    folder: Folder,
    base: String,
    target: String,
}

const STICK: u64 = 400_000;

impl Journey {
    fn new() -> Self {
        let folder = Folder::new();
        let shared = layer(&[("shared", &noise(1, 50_000))]);
        let base = image(&folder, "v1.tar", "app:v1", std::slice::from_ref(&shared));
        let target = image(&folder, "v2.tar", "app:v2", &[shared, layer(&[("new", &noise(2, 700_000))])]);
        for stick in ["one", "two", "three"] {
            fs::create_dir(folder.path().join(stick)).unwrap();
        }
        Self { folder, base, target }
    }

    fn create(&self, package: &str, more: &[&str]) -> Ran {
        let size = STICK.to_string();
        let usual = ["create", &self.target, package, "--base", &self.base, "--volume-size", &size];
        docker_delta(&[&usual[..], more].concat())
    }

    /// Three volumes, one of them parity, each on a stick of its own.
    fn on_sticks(&self) -> [String; 3] {
        self.create(&self.folder.file("app.ddelta"), &["--parity", "54%"]).ok();
        [("001", "one"), ("002", "two"), ("003", "three")].map(|(number, stick)| {
            let name = format!("app.ddelta.{number}");
            assert!(fs::metadata(self.folder.file(&name)).unwrap().len() <= STICK);
            let place = self.folder.file(&format!("{stick}/{name}"));
            fs::rename(self.folder.file(&name), &place).unwrap();
            place
        })
    }

    fn apply(&self, volume: &str, sticks: &[&str]) -> Ran {
        let out = self.folder.file("again.tar");
        let _ = fs::remove_file(&out);
        let mut words = vec!["apply".to_owned(), volume.to_owned(), "--base".to_owned(), self.base.clone()];
        words.extend(["-o".to_owned(), out]);
        for stick in sticks {
            words.extend(["--volumes".to_owned(), self.folder.file(stick)]);
        }
        docker_delta(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn came_back(&self) {
        assert_eq!(seen(&self.folder.file("again.tar")), seen(&self.target));
    }
}

fn turn(path: &str, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn three_sticks_bring_an_image_and_one_of_them_may_be_broken() {
    let journey = Journey::new();
    let volumes = journey.on_sticks();
    // In any order, by any volume.
    journey.apply(&volumes[2], &["two", "one"]).ok();
    journey.came_back();
    for broken in 0..3 {
        let whole = fs::read(&volumes[broken]).unwrap();
        for damage in ["missing", "zeros", "cut", "bit"] {
            match damage {
                "missing" => fs::remove_file(&volumes[broken]).unwrap(),
                "zeros" => fs::write(&volumes[broken], vec![0; whole.len()]).unwrap(),
                "cut" => fs::write(&volumes[broken], &whole[..whole.len() / 2]).unwrap(),
                _ => turn(&volumes[broken], whole.len() - 100),
            }
            let ran = journey.apply(&volumes[(broken + 1) % 3], &["one", "two", "three"]).ok();
            journey.came_back();
            let is_data = broken < 2;
            assert_eq!(ran.stderr.contains("parity made up for"), is_data, "{damage}: {}", ran.stderr);
            fs::write(&volumes[broken], &whole).unwrap();
        }
    }
}

#[test]
fn what_is_missing_is_named_and_so_is_what_is_mixed() {
    let journey = Journey::new();
    let volumes = journey.on_sticks();
    journey
        .apply(&volumes[0], &[])
        .failed(3, &["of 3 volumes are missing: app.ddelta.002, app.ddelta.003", "--volumes DIR"]);
    journey.create(&journey.folder.file("other.ddelta"), &["-m", "layer", "-l", "1", "--parity", "100%"]).ok();
    fs::copy(journey.folder.file("other.ddelta.002"), journey.folder.file("one/app.ddelta.002")).unwrap();
    let ran = journey.apply(&volumes[0], &[]).failed(3, &["app.ddelta.002 is volume 2 of another set"]);
    assert!(ran.stderr.contains("missing: app.ddelta.002"), "{}", ran.stderr);
    let ran = docker_delta(&["apply", &volumes[0], "--json"]).failed(3, &["missing"]);
    let error: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(error["error"]["exit_code"], 3);
    // Without parity a bit is a fault of the content.
    journey.create(&journey.folder.file("plain.ddelta"), &[]).ok();
    turn(&journey.folder.file("plain.ddelta.002"), 70_000);
    let ran = docker_delta(&["verify", &journey.folder.file("plain.ddelta.001")]);
    ran.failed(4, &["plain.ddelta.002 is damaged in 1 of", "copy what is damaged again"]);
}

#[test]
fn verify_tells_of_every_volume_and_repair_writes_what_is_bad() {
    let journey = Journey::new();
    let package = journey.folder.file("app.ddelta");
    journey.create(&package, &["--parity", "54%"]).ok();
    let volume = |number: u32| format!("{package}.00{number}");
    let before = [1, 2, 3].map(|number| fs::read(volume(number)).unwrap());
    turn(&volume(3), 50_000);
    fs::remove_file(volume(1)).unwrap();
    let ran = docker_delta(&["verify", &volume(2)]);
    ran.failed(3, &["app.ddelta.001", "app.ddelta.003 is damaged in 1 of"]);
    fs::write(volume(1), &before[0]).unwrap();
    let ran = docker_delta(&["verify", &volume(1), "--json"]).ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["volumes"]["spare_volumes"], 1);
    let whole: Vec<&Value> = report["volumes"]["volumes"].as_array().unwrap().iter().map(|one| &one["whole"]).collect();
    assert_eq!(whole, [true, true, false]);
    fs::write(volume(1), &before[0][..before[0].len() / 2]).unwrap();
    fs::write(volume(3), &before[2]).unwrap();
    let ran = docker_delta(&["repair", &volume(2)]).ok();
    assert!(ran.stderr.contains("app.ddelta.001 is written again"), "{}", ran.stderr);
    assert!([1, 2, 3].map(|number| fs::read(volume(number)).unwrap()) == before);
    let ran = docker_delta(&["repair", &volume(2)]).ok();
    assert!(ran.stderr.contains("all 3 volumes are whole"), "{}", ran.stderr);
    docker_delta(&["repair", &journey.target]).failed(2, &["is no volume of a package"]);
    let info = docker_delta(&["info", &volume(2)]).ok().stdout;
    assert!(info.contains("Volumes         3, 1 of them parity"), "{info}");
}

#[test]
fn split_and_join_are_each_the_other_undone() {
    let journey = Journey::new();
    let package = journey.folder.file("app.ddelta");
    docker_delta(&["create", &journey.target, &package]).ok();
    docker_delta(&["split", &package, "--parity", "5%"]).ok();
    assert!(!Path::new(&format!("{package}.003")).exists());
    docker_delta(&["split", &package, "--volume-size", "200K"]).failed(2, &["app.ddelta.001 exists already"]);
    docker_delta(&["split", &package, "--volume-size", "200K", "-f"]).ok();
    docker_delta(&["split", &package]).failed(2, &["--volume-size SIZE"]);
    docker_delta(&["split", &package, "-", "--parity", "1%"]).failed(2, &["standard output"]);
    let three = journey.folder.file("three");
    docker_delta(&["split", &package, &three, "--volume-size", "4K"]).failed(2, &["too small", "would do"]);
    docker_delta(&["create", &journey.target, &package, "--resume"]).failed(2, &["--resume goes on with volumes"]);
    let ran = docker_delta(&["join", &format!("{package}.002"), &journey.folder.file("one"), "--json"]).ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["package_bytes"], fs::metadata(&package).unwrap().len());
    assert!(fs::read(journey.folder.file("one/app.ddelta")).unwrap() == fs::read(&package).unwrap());
    // A copy of a set is the set.
    docker_delta(&["split", &format!("{package}.003"), &journey.folder.file("two")]).ok();
    for name in names(&journey.folder.path().join("two")) {
        let [copy, original] = [format!("two/{name}"), name].map(|name| fs::read(journey.folder.file(&name)).unwrap());
        assert!(copy == original);
    }
    // What is none of ours is not replaced.
    fs::write(journey.folder.file("two/app.ddelta.002"), b"Dear reader").unwrap();
    let ran = docker_delta(&["split", &package, &journey.folder.file("two"), "--volume-size", "200K", "-f"]);
    ran.failed(2, &["two/app.ddelta.002 exists already"]);
}

/// The inodes of the volumes in a folder, by name.
fn inodes(folder: &Path) -> Vec<(String, u64)> {
    let all = names(folder).into_iter().filter(|name| name.starts_with("set."));
    all.map(|name| (name.clone(), fs::metadata(folder.join(name)).unwrap().ino())).collect()
}

#[test]
fn what_was_killed_goes_on_and_what_was_done_stays() {
    let folder = Folder::new();
    let package = folder.write("package", &noise(3, 40_000_000));
    let stem = folder.file("set");
    let words = ["split", &package, &stem, "--volume-size", "1M", "--parity", "10%"];
    let mut killed = 0;
    loop {
        let mut child =
            command("docker_delta", &[&words[..], &["--resume"]].concat()).stderr(Stdio::null()).spawn().unwrap();
        let before = inodes(folder.path());
        while inodes(folder.path()).len() < before.len() + 5 && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        let ended = child.wait().unwrap();
        let after = inodes(folder.path());
        assert!(before.iter().all(|volume| after.contains(volume)), "what was done stays");
        if ended.success() {
            break;
        }
        killed += 1;
        let joined = folder.file("joined");
        let ran = docker_delta(&["join", &stem, &joined]);
        // Near the end parity stands for what was not written yet.
        if ran.code == 0 {
            assert!(fs::read(&joined).unwrap() == fs::read(&package).unwrap());
            fs::remove_file(&joined).unwrap();
        } else {
            ran.failed(3, &["missing"]);
        }
    }
    assert!(killed >= 2, "{killed}");
    docker_delta(&["join", &stem, &folder.file("joined")]).ok();
    assert!(fs::read(folder.file("joined")).unwrap() == fs::read(&package).unwrap());
    assert!(names(folder.path()).iter().all(|name| !name.contains("partial")));
}

#[test]
fn two_runs_at_once_leave_one_set() {
    let folder = Folder::new();
    let package = folder.write("package", &noise(4, 5_000_000));
    let stem = folder.file("set");
    let words = ["split", &package, &stem, "--volume-size", "300K"];
    let runs = [0, 1].map(|_| command("docker_delta", &words).stderr(Stdio::null()).spawn().unwrap());
    let ended = runs.map(|mut run| run.wait().unwrap().code().unwrap());
    assert!(ended.iter().all(|code| [0, 2, 3].contains(code)), "{ended:?}");
    docker_delta(&[&words[..], &["--resume"]].concat()).ok();
    docker_delta(&["join", &stem, &folder.file("joined")]).ok();
    assert!(fs::read(folder.file("joined")).unwrap() == fs::read(&package).unwrap());
}

#[test]
fn a_full_disk_is_told_before_anything_is_written() {
    let folder = Folder::new();
    let package = folder.write("package", &noise(5, 900_000));
    let mount = folder.file("mount");
    fs::create_dir(&mount).unwrap();
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let script = format!(
        "mount -t tmpfs -o size=600k tmpfs '{mount}' && '{program}' split '{package}' '{mount}/set' --volume-size 200K; \
         code=$?; ls '{mount}'; exit $code"
    );
    let mut inside = Command::new("unshare");
    let ran = finish(inside.args(["-m", "sh", "-c", &script]));
    let ran = ran.failed(3, &["the volumes needs 1 MB", "name a place with more of it"]);
    assert_eq!(ran.stdout, "");
}
