use delta_core::error::Kind;

use super::scripted::Script;
use super::*;

const VERSION: &str = "version --format {{json .}}";
const INFO: &str = "info --format {{json .}}";
const CLASSIC: &str = r#"{"Driver": "overlay2", "DriverStatus": null}"#;

/// A server of this API, with more fields.
fn server(api: &str, more: &str) -> String {
    format!(
        r#"{{"Client": {{}}, "Server": {{"Version": "28.1", "ApiVersion": "{api}", "Os": "linux", "Arch": "arm64"{more}}}}}"#
    )
}

fn of_docker(version: &str, info: &str) -> Result<Engine> {
    docker(Script::new().says(VERSION, version).says(INFO, info).client(ClientKind::Docker))
}

#[test]
fn a_daemon_says_its_version_its_api_and_its_platform() {
    for (api, expected) in [
        ("1.48", (1, 48)),
        ("1.9", (1, 9)),
        ("2.0", (2, 0)),
        ("1", (0, 0)),
        ("", (0, 0)),
        ("1.x", (1, 0)),
        ("x.7", (0, 7)),
    ] {
        assert_eq!(of_docker(&server(api, ""), CLASSIC).unwrap().api, expected, "{api}");
    }
    // Two ways to spell a field, of which the client of Debian has the second.
    let version = server("1.41", "").replace("ApiVersion", "APIVersion");
    let engine = of_docker(&version, CLASSIC).unwrap();
    assert_eq!((engine.api, engine.label().as_str()), ((1, 41), "Docker 28.1"));
    assert_eq!(engine.platform().to_string(), "linux/arm64");
    let error = of_docker(r#"{"Server": {"Version": "28.1"}}"#, CLASSIC).unwrap_err();
    assert!(error.kind() == Kind::Environment && error.to_string().contains("printed what cannot be read"), "{error}");
}

#[test]
fn how_a_daemon_keeps_images_is_told_by_its_driver() {
    for (info, store, label) in [
        (CLASSIC, Store::Classic, "Docker 28.1"),
        (r#"{"Driver": "overlay2", "ServerErrors": []}"#, Store::Classic, "Docker 28.1"),
        (
            r#"{"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"], []]}"#,
            Store::Classic,
            "Docker 28.1",
        ),
        (
            r#"{"Driver": "overlayfs", "DriverStatus": [["a", "b"], ["driver-type", "io.containerd.snapshotter.v1"]]}"#,
            Store::Containerd,
            "Docker with the containerd store 28.1",
        ),
    ] {
        let engine = of_docker(&server("1.48", ""), info).unwrap();
        assert_eq!((engine.store, engine.label().as_str()), (store, label), "{info}");
        assert_eq!(engine.delivery() == Delivery::Original, store == Store::Containerd);
    }
    // The client succeeds where its daemon refuses.
    for (info, said) in [
        (r#"{"ServerErrors": ["no right", "not today"], "Driver": "overlay2"}"#, "failed: no right; not today"),
        (r#"{"ServerErrors": ["no right"]}"#, "failed: no right"),
        ("{}", "failed: nothing"),
        (r#"{"Driver": ""}"#, "failed: nothing"),
    ] {
        let error = of_docker(&server("1.48", ""), info).unwrap_err();
        assert!(error.kind() == Kind::Environment && error.to_string().ends_with(said), "{info}: {error}");
    }
}

#[test]
fn podman_behind_the_socket_of_docker_is_known_by_its_components() {
    let components = r#", "Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]"#;
    let script = Script::new().says(VERSION, server("1.41", components));
    let engine = docker(script.client(ClientKind::Docker)).unwrap();
    assert_eq!((engine.store, engine.client.kind()), (Store::Podman, ClientKind::Docker));
    assert_eq!(
        (engine.label().as_str(), script.asked().len()),
        ("podman 28.1", 1),
        "it has no store of Docker's to ask for"
    );
    let others = server("1.41", r#", "Components": [{"Name": "Engine"}, {"Name": "podman engine"}]"#);
    assert_eq!(of_docker(&others, CLASSIC).unwrap().store, Store::Classic);
}

const PODMAN: &str = r#"{"Client": {"Version": "4.3.1", "OsArch": "linux/arm64/v8"}}"#;

#[test]
fn a_docker_that_is_podman_is_spoken_with_as_podman() {
    let nobody = r#"{"Client": {}, "Server": null}"#;
    let script = || Script::new().says(VERSION, nobody).says("version --format json", PODMAN).says("images -q", "");
    let engine = docker(script().says("--version", "podman version 4.3.1\n").client(ClientKind::Docker)).unwrap();
    assert_eq!((engine.client.kind(), engine.store, engine.api), (ClientKind::Podman, Store::Podman, (0, 0)));
    assert_eq!((engine.label().as_str(), engine.platform().to_string().as_str()), ("podman 4.3.1", "linux/arm64/v8"));
    assert!(engine.client.shown(&["images"]).starts_with("podman "));
    let error = docker(script().says("--version", "Docker version 28.1\n").client(ClientKind::Docker)).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Environment, "`docker version` names no server"));
    let error = docker(script().fails("--version", "no").client(ClientKind::Docker)).unwrap_err();
    assert!(error.to_string().ends_with("--version` failed: no"), "{error}");
}

#[test]
fn a_podman_whose_storage_cannot_be_opened_does_not_answer() {
    let script = Script::new().says("version --format json", PODMAN).fails("images -q", "Error: storage is locked");
    let error = podman(script.client(ClientKind::Podman)).unwrap_err();
    assert!(error.to_string().ends_with("failed: Error: storage is locked"), "{error}");
    let odd = PODMAN.replace("linux/arm64/v8", "linux");
    let script = Script::new().says("version --format json", odd).says("images -q", "");
    assert!(podman(script.client(ClientKind::Podman)).is_err(), "a platform is more than a system");
}

#[test]
fn an_engine_is_named_by_its_program() {
    for kind in ClientKind::ALL {
        assert_eq!(kind.program().parse::<ClientKind>().unwrap(), kind);
    }
    let error = "Docker".parse::<ClientKind>().unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Usage, "expected an engine (docker or podman), found `Docker`")
    );
}
