//! What a person or a script hears: one style, as much as was asked for, and JSON whatever happens.

use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, command, docker_delta, file_delta, finish, image, layer, sample};

fn pair() -> [String; 2] {
    ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-classic/{version}.tar")))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn what_was_typed_wrong_is_said_like_every_other_error() {
    let error = docker_delta(&["crate", "a", "b"]).failed(2, &["hint:", "'create'", "--help"]);
    assert!(error.stderr.starts_with("ERROR: unrecognized subcommand 'crate'\n"), "{}", error.stderr);
    assert_eq!(error.stdout, "");
    docker_delta(&["create", "v2.tar", "--base", "v1.tar"]).failed(2, &["only one was given", "app.ddelta"]);
    docker_delta(&["create", "-l", "nine", "a", "b"]).failed(2, &["ERROR:", "expected a number"]);
    file_delta(&["create", "-m", "layer", "a", "b", "c"]).failed(2, &["possible values: auto, xdelta3, bsdiff]"]);
}

#[test]
fn errors_are_json_too() {
    let folder = Folder::new();
    folder.write("app-v1.tar", b"no archive");
    let missing = docker_delta(&["info", "--json", &folder.file("app-v2.tar")]);
    assert_eq!(missing.code, 3);
    let error = &json(&missing.stdout)["error"];
    assert_eq!((&error["kind"], &error["exit_code"]), (&"environment".into(), &3.into()));
    assert!(error["hint"].as_str().unwrap().contains("did you mean"), "{error}");
    let wrong = docker_delta(&["info", "--json", &folder.file("app-v1.tar")]);
    assert_eq!((wrong.code, &json(&wrong.stdout)["error"]["kind"]), (4, &"content".into()));
    let typed = docker_delta(&["frobnicate", "--json"]);
    assert_eq!((typed.code, &json(&typed.stdout)["error"]["kind"]), (2, &"usage".into()));
    let typed = file_delta(&["create", "--json"]);
    assert_eq!((typed.code, &json(&typed.stdout)["error"]["exit_code"]), (2, &2.into()));
}

/// Every key of a document, at every depth.
fn keys(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.push(key.clone());
                keys(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

/// Fails when docs/json.md does not name a field of a report.
pub(crate) fn documented(report: &Value) {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md")).unwrap();
    let mut found = Vec::new();
    keys(report, &mut found);
    for key in found {
        let names = [format!("`{key}`"), format!(".{key}`"), format!("`{key}[")];
        assert!(names.iter().any(|name| page.contains(name)), "docs/json.md does not name `{key}`");
    }
}

#[test]
fn every_field_is_documented() {
    let folder = Folder::new();
    let ([base, target], package) = (pair(), folder.file("p.ddelta"));
    let (delta, again) = (folder.file("d.delta"), folder.file("again.tar"));
    let look = |ran: crate::support::Ran| documented(&json(&ran.stdout));
    look(docker_delta(&["create", &target, &package, "--base", &base, "--json"]));
    look(docker_delta(&["apply", &package, "--base", &base, "-o", &again, "--json"]));
    for command in ["list", "info", "verify", "inspect"] {
        look(docker_delta(&[command, if command == "inspect" { &target } else { &package }, "--json"]));
    }
    look(docker_delta(&["compare", &target, &again, "--json"]));
    look(docker_delta(&["doctor", "--json"]));
    look(docker_delta(&["apply", "--json"]));
    look(file_delta(&["create", &base, &target, &delta, "--json"]));
    look(file_delta(&["apply", &base, &delta, &folder.file("new"), "--json"]));
}

/// Each of ours in the place of another, and what else is typed by mistake; nothing is left of any of it.
#[test]
fn what_stands_in_the_wrong_place_is_told_apart() {
    let folder = Folder::new();
    let ([base, target], package) = (pair(), folder.file("p.ddelta"));
    docker_delta(&["create", &target, &package, "--base", &base]).ok();
    let delta = folder.file("d.delta");
    file_delta(&["create", "-m", "bsdiff", &base, &target, &delta]).ok();
    let (other, text) = (folder.file("other"), folder.write("text", b"no image"));
    let before = crate::support::names(folder.path());
    for (code, arguments, expected) in [
        (4, &["create", &package, &other, "--base", &base][..], "is no image but a package"),
        (4, &["apply", &target], "is no package of docker_delta but an image archive"),
        (4, &["info", &target], "is no package of docker_delta but an image archive"),
        (2, &["apply", &base, &package], "invalid value"),
        (2, &["apply", &package, "v1.tar", "-o", &other], "-o v1.tar"),
        (4, &["list", &delta], "is no package of docker_delta but a difference"),
        (2, &["create", "https://example.org/v1.tar", &other], "is a URL"),
        (2, &["create", &target, &target], "which this run reads, cannot be written"),
        (2, &["create", &target, &base], "the package is named last"),
        (4, &["inspect", &package], "is no image but a package"),
    ] {
        let error = docker_delta(arguments).failed(code, &[expected, "hint:"]);
        assert_eq!(error.stdout, "", "{arguments:?}");
    }
    docker_delta(&["verify", &text]).failed(4, &["this is no package"]);
    docker_delta(&["inspect", &text]).failed(4, &["no archive that can be read"]);
    assert_eq!(crate::support::names(folder.path()), before);
    let said = docker_delta(&["create", "-d", &base, &other, "--base", &base]).ok().stderr;
    assert!(said.contains("the base has every layer"), "{said}");
}

#[test]
fn quiet_is_quiet_and_errors_are_still_said() {
    let folder = Folder::new();
    let ([base, target], package) = (pair(), folder.file("p.ddelta"));
    let ran = docker_delta(&["-q", "create", &target, &package, "--base", &base]).ok();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    docker_delta(&["-q", "create", &target, &package, "--base", &base]).failed(2, &["ERROR:", "exists"]);
    docker_delta(&["-q", "-v", "info", &package]).failed(2, &["cannot be used with"]);
}

#[test]
fn the_environment_stands_for_options() {
    let folder = Folder::new();
    let [base, target] = pair();
    let with = |name: &str, value: &str, arguments: &[&str]| {
        let package = folder.file("p.ddelta");
        let arguments = [&["create", &target, &package, "--base", &base, "--json", "-f"], arguments].concat();
        let ran = finish(command("docker_delta", &arguments).env(name, value));
        (ran.code, ran.stderr, json(&docker_delta(&["info", "--json", &package]).ok().stdout))
    };
    assert_eq!(with("DOCKER_DELTA_METHOD", "bsdiff", &[]).2["method"], "bsdiff");
    assert_eq!(with("DOCKER_DELTA_METHOD", "bsdiff", &["-m", "xdelta3"]).2["method"], "xdelta3");
    assert_eq!(with("DOCKER_DELTA_COMPRESSION", "xz", &[]).2["compression"], "xz");
    assert_eq!(with("DOCKER_DELTA_LEVEL", "3", &[]).2["level"], 3);
    let (code, said, _) = with("DOCKER_DELTA_METHOD", "rsync", &[]);
    assert!(code == 2 && said.contains("possible values"), "{said}");
}

#[test]
fn a_terminal_obeys_nothing_that_was_typed_or_read() {
    let error = docker_delta(&["info", "a\u{1b}[2Jb\r"]).failed(3, &["\\u{1b}[2Jb\\r", "white space"]);
    assert!(!error.stderr.contains('\u{1b}') && !error.stderr.contains('\r'), "{:?}", error.stderr);
    docker_delta(&["info", "~/app.ddelta"]).failed(3, &["only where it is not quoted"]);
}

#[test]
fn reports_tell_the_package_s_digest_and_the_output() {
    let folder = Folder::new();
    let ([base, target], package) = (pair(), folder.file("p.ddelta"));
    let created = json(&docker_delta(&["create", &target, &package, "--base", &base, "--json"]).ok().stdout);
    let summed = Command::new("sha256sum").arg(&package).output().unwrap();
    let summed = String::from_utf8(summed.stdout).unwrap();
    assert_eq!(created["package_digest"], format!("sha256:{}", summed.split(' ').next().unwrap()));
    let output = folder.file("out.tar");
    let applied = ["apply", "-f", &package, "--base", &base, "-o", &output, "--json"];
    // Layers are made where they lie; what is read back from the medium is written in its order, and made before.
    for (more, takes_room) in [(None, false), (Some("--verify-write"), true)] {
        let arguments: Vec<&str> = applied.into_iter().chain(more).collect();
        let applied = json(&docker_delta(&arguments).ok().stdout);
        assert_eq!((&applied["output"], &applied["engine"]), (&output.as_str().into(), &Value::Null));
        assert_eq!(applied["images"][0]["room_bytes"].as_u64().unwrap() > 0, takes_room);
    }
}

#[test]
fn images_are_compared_and_not_the_archives_around_them() {
    let folder = Folder::new();
    let ([base, target], package, again) = (pair(), folder.file("p.ddelta"), folder.file("again.tar"));
    docker_delta(&["create", &target, &package, "--base", &base]).ok();
    docker_delta(&["apply", &package, "--base", &base, "-o", &again]).ok();
    assert_ne!(std::fs::read(&target).unwrap(), std::fs::read(&again).unwrap());
    let same = docker_delta(&["compare", &target, &again]).ok();
    assert!(same.stdout.starts_with("The same image, byte for byte"), "{}", same.stdout);
    let different = docker_delta(&["compare", &base, &again, "--json"]).failed(4, &["different images"]);
    assert_eq!(json(&different.stdout)["sameness"], "different");
    let bare = sample("tiny/docker20-classic/v2.tar");
    assert_eq!(json(&docker_delta(&["compare", &bare, &bare, "--json"]).ok().stdout)["sameness"], "exact");
    let odd = image(&folder, "odd.tar", "app:v2", &[layer(&[("a", b"a")])]);
    docker_delta(&["compare", &odd, &again]).failed(4, &["different images"]);
}

#[test]
fn the_doctor_says_what_works_without_an_engine() {
    let folder = Folder::new();
    let mut asked = command("docker_delta", &["doctor", "--json"]);
    let ran = finish(asked.env("PATH", folder.path()).env("TMPDIR", folder.path()));
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let report = json(&ran.stdout);
    assert_eq!(report["engines"][0]["client"], "docker");
    assert!(report["engines"][0]["why_not"].as_str().unwrap().contains("docker"), "{report}");
    assert_eq!(report["temp_dir"], folder.path().to_str().unwrap());
}

#[test]
fn docker_s_client_completes_what_can_be_typed() {
    let folder = Folder::new();
    let plugin = folder.file("docker-delta");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_docker_delta"), &plugin).unwrap();
    let asked = ["__completeNoDesc", "delta", "create", "--method", "x"];
    let ran = finish(Command::new(&plugin).args(asked)).ok();
    assert_eq!(ran.stdout, "xdelta3\n:4\n");
}

#[test]
fn completions_know_the_values_and_man_pages_the_surroundings() {
    let script = docker_delta(&["completions", "bash"]).ok().stdout;
    assert!(script.contains("auto xdelta3 bsdiff layer"));
    let folder = Folder::new();
    docker_delta(&["man", &folder.file("man")]).ok();
    let page = std::fs::read_to_string(folder.file("man/docker_delta-create.1")).unwrap();
    for section in [".SH \"EXIT STATUS\"", ".SH ENVIRONMENT", ".SH FILES", "Examples:"] {
        assert!(page.contains(section), "{section}");
    }
}

#[test]
fn details_are_told_to_who_asks() {
    let folder = Folder::new();
    let [base, target] = ["v1", "v2"].map(|version| sample(&format!("tiny/docker28-containerd-pulled/{version}.tar")));
    let package = folder.file("app.ddelta");
    docker_delta(&["create", &target, &package, "--base", &base]).ok();
    let asks = |arguments: &[&str], words: &[&str]| {
        let quiet = docker_delta(arguments).ok();
        let told = docker_delta(&[arguments, &["-v"]].concat()).ok();
        assert_eq!(told.stdout, quiet.stdout);
        assert!(!quiet.stderr.contains("VERBOSE:"), "{}", quiet.stderr);
        for word in words {
            assert!(told.stderr.contains(word), "{word} is not in {}", told.stderr);
        }
    };
    asks(
        &["list", &package],
        &["VERBOSE: layer sha256:", "needs sha256:", "  blob sha256:", "again by klauspost gzip"],
    );
    asks(&["info", &package], &["its reader must know", "recipe", "VERBOSE: member layer_deltas/"]);
    let out = folder.file("again.tar");
    asks(
        &["apply", "-f", &package, "--base", &base, "-o", &out],
        &["the base layer ", "is there, ", "bytes rebuilt of", "(recipe)", "made again by klauspost gzip"],
    );
}
