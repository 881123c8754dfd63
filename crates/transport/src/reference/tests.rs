use super::*;

fn path(path: &str, pick: Option<&str>) -> Reference {
    Reference::Path { path: path.into(), pick: pick.map(str::to_owned) }
}

#[test]
fn references_are_told_apart() {
    let engine = |kind, name: &str| Reference::Engine { kind, name: name.to_owned() };
    for (text, expected) in [
        ("app:v2", engine(None, "app:v2")),
        ("docker-daemon:app:v2", engine(Some(ClientKind::Docker), "app:v2")),
        ("podman:app", engine(Some(ClientKind::Podman), "app")),
        ("/", path("/", None)),
        ("./missing.tar", path("./missing.tar", None)),
        ("docker-archive:/no/file.tar:app:v2", path("/no/file.tar", Some("app:v2"))),
        ("oci:/no/layout:v2", path("/no/layout", Some("v2"))),
        ("dir:/no/folder", path("/no/folder", None)),
        ("-", Reference::Stdin),
        ("containerd:k8s.io/app:v2", Reference::Containerd("k8s.io/app:v2".to_owned())),
        ("containerd:", Reference::Containerd(String::new())),
    ] {
        assert_eq!(text.parse::<Reference>().unwrap(), expected, "{text}");
    }
}

#[test]
fn colons_in_paths_are_told_from_those_before_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a:b.tar").display().to_string();
    std::fs::write(&file, b"").unwrap();
    for (text, pick) in [("", None), (":app:v2", Some("app:v2")), (":@1", Some("@1"))] {
        let reference: Reference = format!("docker-archive:{file}{text}").parse().unwrap();
        assert_eq!(reference, path(&file, pick), "{text}");
    }
    let missing: Reference = "docker-archive:/no/a.tar:@1".parse().unwrap();
    assert_eq!(missing, path("/no/a.tar", Some("@1")));
}

#[test]
fn a_word_is_a_path_only_when_it_looks_like_one() {
    for text in ["src", "Cargo.toml"] {
        assert_eq!(text.parse::<Reference>().unwrap(), Reference::Either(text.to_owned()));
    }
    for text in ["./src", "src/", "missing.tar.gz", "missing.tgz", "~/image"] {
        assert_eq!(text.parse::<Reference>().unwrap(), path(text, None));
    }
}

#[test]
fn a_file_is_called_like_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("app-v2.tar.gz"), b"").unwrap();
    std::fs::create_dir(path("layout")).unwrap();
    let (archive, layout) = (path("app-v2.tar.gz"), path("layout"));
    for (text, expected) in [
        ("registry.example:5000/team/app:v2".to_owned(), Some("app-v2")),
        ("docker://registry.example:5000/team/app:v2".to_owned(), Some("app-v2")),
        ("app@sha256:00".to_owned(), Some("app-sha256-00")),
        ("containerd:k8s.io/docker.io/library/app:v2".to_owned(), Some("app-v2")),
        (archive.clone(), Some("app-v2")),
        (format!("docker-archive:{archive}:other:v3"), Some("other-v3")),
        (format!("oci:{layout}:v2"), Some("layout-v2")),
        (format!("{layout}/."), Some("layout")),
        ("-".to_owned(), None),
    ] {
        assert_eq!(text.parse::<Reference>().unwrap().stem().as_deref(), expected, "{text}");
    }
}

#[test]
fn a_registry_is_named_as_users_of_skopeo_name_it() {
    let Reference::Registry(address) = "docker://debian:12".parse().unwrap() else { panic!("expected a registry") };
    assert_eq!(address.to_string(), "docker.io/library/debian:12");
    for text in ["docker://", "docker://A b", ""] {
        assert!(text.parse::<Reference>().is_err(), "{text}");
    }
}

#[test]
fn each_prefix_is_that_of_one_kind() {
    let engine = |kind, name: &str| Reference::Engine { kind, name: name.to_owned() };
    for (text, expected) in [
        ("containers-storage:app:v2", engine(Some(ClientKind::Podman), "app:v2")),
        ("docker-daemon:", engine(Some(ClientKind::Docker), "")),
        ("docker-daemon:./file", engine(Some(ClientKind::Docker), "./file")),
        ("containerd:docker://a", Reference::Containerd("docker://a".to_owned())),
        ("dir:docker-archive:/x", path("docker-archive:/x", None)),
        ("oci-archive:/no/a:v1", path("/no/a", Some("v1"))),
        ("oci:/no/a", path("/no/a", None)),
        ("oci:/no/a:", path("/no/a", Some(""))),
        ("docker-archive:/no/a:b:c", path("/no/a", Some("b:c"))),
        ("--", engine(None, "--")),
        ("Docker-daemon:app", engine(None, "Docker-daemon:app")),
        ("docker:app", engine(None, "docker:app")),
    ] {
        assert_eq!(text.parse::<Reference>().unwrap(), expected, "{text}");
    }
}

#[test]
fn each_ending_of_an_archive_makes_a_path() {
    for ending in [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2"] {
        let text = format!("missing{ending}");
        assert_eq!(text.parse::<Reference>().unwrap(), path(&text, None));
    }
    for text in ["missing.zip", "missing.tar.lz", "missing.TAR", "app:v1.tar1"] {
        assert!(matches!(text.parse::<Reference>().unwrap(), Reference::Engine { kind: None, .. }), "{text}");
    }
}

#[test]
fn a_url_is_no_image_and_its_password_is_not_told() {
    let error = "https://r.example/app".parse::<Reference>().unwrap_err();
    assert_eq!(error.to_string(), "`https://r.example/app` is a URL, and no name of an image");
    let error = "https://user:secret@r.example/app".parse::<Reference>().unwrap_err();
    assert_eq!(error.to_string(), "what is given is a URL, and no name of an image");
    assert_eq!(error.kind(), delta_core::error::Kind::Usage);
    assert!(error.hint().unwrap().contains("docker://REGISTRY/REPOSITORY:TAG"));
}

#[test]
fn an_image_goes_to_a_name_a_repository_or_containerd() {
    let target = |text: &str| text.parse::<Target>();
    assert_eq!(target("app:v2").unwrap(), Target::Name("app:v2".parse().unwrap()));
    assert_eq!(target("containerd:k8s.io/").unwrap(), Target::Containerd("k8s.io/".to_owned()));
    assert_eq!(target("docker://r.example/app").unwrap(), Target::Registry("docker://r.example/app".parse().unwrap()));
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let error = target(&format!("docker://r.example/app@{digest}")).unwrap_err();
    assert_eq!(error.to_string(), format!("r.example/app@{digest} has a digest, which cannot be given to an image"));
    for wrong in ["", "A", "docker://", "docker://r.example", "app@sha256:00"] {
        assert_eq!(target(wrong).unwrap_err().kind(), delta_core::error::Kind::Usage, "{wrong}");
    }
}

#[test]
fn what_is_read_is_a_path_or_it_is_not() {
    let of = |text: &str| text.parse::<Reference>().unwrap().path().map(Path::to_path_buf);
    for (text, expected) in [
        ("./a.tar", Some("./a.tar")),
        ("-", Some("-")),
        ("src", Some("src")),
        ("docker-archive:/no/a:v1", Some("/no/a")),
        ("app:v1", None),
        ("docker://r.example/app", None),
        ("containerd:app", None),
    ] {
        assert_eq!(of(text), expected.map(PathBuf::from), "{text}");
    }
}
