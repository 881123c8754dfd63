use super::*;

#[test]
fn the_first_part_is_a_namespace_where_there_is_one() {
    let namespaces = ["team".to_owned(), "a.b".to_owned()];
    for (text, expected) in [
        ("app:v1", (None, Some("app:v1"))),
        ("k8s.io/app:v1", (Some("k8s.io"), Some("app:v1"))),
        ("k8s.io/docker.io/library/app:v1", (Some("k8s.io"), Some("docker.io/library/app:v1"))),
        ("docker.io/library/app:v1", (None, Some("docker.io/library/app:v1"))),
        ("team/app", (Some("team"), Some("app"))),
        ("other/app", (None, Some("other/app"))),
        ("a.b/team/app", (Some("a.b"), Some("team/app"))),
        ("default/k8s.io/app", (Some("default"), Some("k8s.io/app"))),
        ("k8s.io", (Some("k8s.io"), None)),
        ("k8s.io/", (Some("k8s.io"), None)),
        ("team", (Some("team"), None)),
        ("team:v1", (None, Some("team:v1"))),
        ("", (None, None)),
        ("/", (None, Some("/"))),
    ] {
        assert_eq!(place(text, &namespaces), expected, "{text}");
    }
}

#[test]
fn the_server_says_its_version_and_not_the_client() {
    let said = "Client:\n  Version:  1.6.20~ds1\n  Go version: go1.19.8\n\nServer:\n  Version:  2.1.9\n  UUID: x\n";
    assert_eq!(version(said), "2.1.9");
    assert_eq!(version(""), "");
}

#[test]
fn a_socket_that_is_not_there_is_named() {
    for (kind, hint) in [(ErrorKind::PermissionDenied, "as root"), (ErrorKind::NotFound, "CONTAINERD_ADDRESS=")] {
        let error = unreachable("/run/x.sock", &kind.into());
        assert!(error.to_string().contains("/run/x.sock") && error.hint().unwrap().contains(hint), "{error}");
    }
}

#[test]
fn a_containerd_is_reached_by_its_socket_alone() {
    let folder = tempfile::tempdir().unwrap();
    let silent = || Arc::new(delta_core::job::progress::Silent);
    let none = folder.path().join("none.sock").display().to_string();
    for address in [none.clone(), format!("unix://{none}")] {
        let choice = Choice { address: Some(&address), namespace: None };
        let error = Containerd::connect(choice, silent()).err().unwrap();
        assert_eq!(error.kind(), delta_core::error::Kind::Environment);
        assert!(error.to_string().starts_with(&format!("no containerd answers at {none}: No such file")), "{error}");
    }
    // One that is left of a daemon that is gone.
    let gone = folder.path().join("gone.sock").display().to_string();
    drop(std::os::unix::net::UnixListener::bind(&gone).unwrap());
    let error = Containerd::connect(Choice { address: Some(&gone), namespace: None }, silent()).err().unwrap();
    assert!(error.to_string().contains("Connection refused") && error.hint().unwrap().contains("see that it runs"));
}

#[test]
fn the_version_is_the_first_behind_the_server() {
    for (said, expected) in [
        ("Server:\n  Version:  2.0.0\n", "2.0.0"),
        ("Version: 1.0\n", "1.0"),
        ("Client:\n Version: 1.0\nServer:\n UUID: x\n", ""),
        ("Server:\n Version: 2\n Version: 3\n", "2"),
    ] {
        assert_eq!(version(said), expected, "{said}");
    }
}

/// A containerd with these namespaces, in each of which these names stand.
fn with(images: &[(&str, &[&str])]) -> (crate::program::scripted::Script, Containerd) {
    let digest = delta_core::digest::BlobDigest::of(b"image");
    let mut script = crate::program::scripted::Script::new();
    for (namespace, names) in images {
        let lines: String = names.iter().map(|name| format!("docker.io/library/{name} type {digest}\n")).collect();
        script = script
            .says(&format!("--namespace {namespace} images ls"), lines)
            .says(&format!("--namespace {namespace} content ls --quiet"), "");
    }
    let containerd = Containerd {
        program: script.program("ctr"),
        progress: Arc::new(delta_core::job::progress::Silent),
        address: "/run/x.sock".to_owned(),
        version: "2.0".to_owned(),
        namespace: DEFAULT.to_owned(),
        namespaces: images.iter().map(|(namespace, _)| (*namespace).to_owned()).collect(),
    };
    (script, containerd)
}

#[test]
fn an_image_that_is_not_there_may_be_elsewhere_or_be_called_otherwise() {
    let scratch = Arc::new(crate::spool::TempScratch::new(None).unwrap());
    let (_script, containerd) =
        with(&[("default", &["app:v1"]), ("k8s.io", &["app:v1", "app:v2"]), ("team", &["app:v2", "db:v1"])]);
    let open =
        |text: &str| containerd.open(text, &scratch, &delta_core::job::progress::Silent).map(|_| ()).unwrap_err();
    for (text, place, name, hint) in [
        (
            "app:v2",
            "default",
            "app:v2",
            "it is in another namespace: containerd:k8s.io/app:v2 or containerd:team/app:v2",
        ),
        ("k8s.io/db:v1", "k8s.io", "db:v1", "it is in another namespace: containerd:team/db:v1"),
        ("app:v9", "default", "app:v9", "did you mean docker.io/library/app:v1?"),
        ("team/xyz", "team", "xyz", "there are the namespaces default, k8s.io, team: containerd:NAMESPACE/NAME"),
    ] {
        let error = open(text);
        let expected = format!("containerd 2.0 at /run/x.sock (namespace {place}) has no image `{name}`");
        assert_eq!((error.kind(), error.to_string()), (delta_core::error::Kind::Environment, expected));
        assert_eq!(error.hint(), Some(hint), "{text}");
    }
    let error = open("k8s.io/");
    assert_eq!(error.to_string(), "expected the name of an image, found a namespace `containerd:k8s.io/`");
    assert_eq!(error.kind(), delta_core::error::Kind::Usage);
    // An image of which nothing is there is not all there.
    assert!(open("app:v1").to_string().contains("not all of it is there"));
}

#[test]
fn images_go_to_a_namespace_under_a_name_or_their_own() {
    let (_script, containerd) = with(&[("default", &[]), ("team", &[])]);
    let to = |text: &str| {
        let (store, name) = containerd.destination(text).unwrap();
        (store.label().to_owned(), name.map(|name| name.to_string()))
    };
    let label = |namespace: &str| format!("containerd 2.0 at /run/x.sock (namespace {namespace})");
    for (text, namespace, name) in [
        ("", "default", None),
        ("team", "team", None),
        ("team/", "team", None),
        ("app:v1", "default", Some("app:v1")),
        ("team/app:v1", "team", Some("app:v1")),
        ("other/app:v1", "default", Some("other/app:v1")),
    ] {
        assert_eq!(to(text), (label(namespace), name.map(str::to_owned)), "{text}");
    }
    let error = containerd.destination("team/A").err().unwrap();
    assert_eq!(error.kind(), delta_core::error::Kind::Usage);
}
