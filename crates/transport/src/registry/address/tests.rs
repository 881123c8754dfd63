use super::*;

const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parts(text: &str) -> (String, String, String) {
    let address: Address = text.parse().unwrap();
    (address.registry().to_owned(), address.repository().to_owned(), address.reference())
}

#[test]
fn addresses_have_a_registry_a_repository_and_what_is_asked_for() {
    let digest = format!("docker://registry.example:5000/team/app:v2@{EMPTY}");
    for (text, registry, repository, reference) in [
        ("docker://debian:12", "docker.io", "library/debian", "12"),
        ("docker://index.docker.io/debian", "docker.io", "library/debian", "latest"),
        ("docker://team/app", "docker.io", "team/app", "latest"),
        ("docker://Registry.Example/app:v2", "registry.example", "app", "v2"),
        ("docker://localhost:5000/a/b/c:V2", "localhost:5000", "a/b/c", "V2"),
        ("docker://[::1]:5000/app", "[::1]:5000", "app", "latest"),
        ("docker://[::1]/app", "[::1]", "app", "latest"),
        ("docker://localhost:65535/app", "localhost:65535", "app", "latest"),
        (&digest, "registry.example:5000", "team/app", EMPTY),
    ] {
        assert_eq!(parts(text), (registry.into(), repository.into(), reference.into()), "{text}");
    }
}

#[test]
fn registry_and_repository_have_255_bytes_together() {
    let longest = |before: &str, added: usize| format!("{before}{}", "n".repeat(255 - added));
    for (before, full) in
        [("", "docker.io/library/"), ("team/", "docker.io/team/"), ("registry.example/", "registry.example/")]
    {
        let address: Address = longest(before, full.len()).parse().unwrap();
        assert_eq!(address.registry().len() + 1 + address.repository().len(), 255);
        assert_eq!(address.to_string().parse::<Address>().unwrap(), address, "what is printed is taken");
        let error = longest(before, full.len() - 1).parse::<Address>().unwrap_err().to_string();
        assert!(error.contains("longer than 255 bytes"), "{error}");
    }
}

#[test]
fn an_engine_gets_a_name_where_there_is_one() {
    let name = |text: &str| text.parse::<Address>().unwrap().name().map(|name| name.to_string());
    assert_eq!(name("docker://debian:12").as_deref(), Some("debian:12"));
    assert_eq!(name("docker://localhost:5000/app").as_deref(), Some("localhost:5000/app:latest"));
    assert_eq!(name(&format!("docker://team/app@{EMPTY}")), None);
    assert_eq!(name(&format!("docker://team/app:v1@{EMPTY}")).as_deref(), Some("team/app:v1"));
}

#[test]
fn what_is_no_address_is_refused_without_its_password() {
    for text in [
        "docker://",
        "docker://App:v1",
        "docker:///app",
        "docker://localhost",
        "docker://localhost:5000",
        "docker://registry.example:5000",
        "docker://[::1]:5000",
        "docker://[::1]",
        "docker://:5000/app",
        "docker://localhost:0/app",
        "docker://localhost:65536/app",
        "docker://[::1]:65536/app",
        "docker://registry.example/app/",
        "docker://registry.example//app",
        "docker://registry.example/../app",
        "docker://registry.example/app:",
        "docker://registry.example/",
        "docker://registry.example/app@sha256:00",
        "docker://registry.example/app@v1",
        "docker://user@registry.example/app",
        "docker://user:secret@registry.example/app",
        "docker://https://registry.example/app",
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn names_and_tags_are_as_long_as_they_may_be_and_no_longer() {
    let of = |host: &str, path: usize, tag: usize| {
        format!("docker://{host}/{}:{}", "p".repeat(path), "t".repeat(tag)).parse::<Address>().map(|_| ())
    };
    // The registry counts, with its slash.
    assert!(of("r.example", 255 - 10, 1).is_ok() && of("r.example", 255 - 9, 1).is_err());
    assert!(of("r.example", 1, 128).is_ok() && of("r.example", 1, 129).is_err());
}

#[test]
fn the_grammar_of_names_is_that_of_distribution() {
    for good in ["a", "a.b", "a_b", "a__b", "a-b", "a---b", "0", "a/b/c", "a:T_a.g-1", "a:_"] {
        assert!(format!("docker://r.example/{good}").parse::<Address>().is_ok(), "{good}");
    }
    for bad in [
        "", "A", "a..b", "a___b", "a._b", "-a", "a-", ".a", "a.", "_a", "a_", "a/", "/a", "a//b", "a b", "a\tb", "ä",
        "a:", "a:-t", "a:.t", "a:t:t", "a:t/b", "a:ä", "a?b", "a#b", "a%2e", "..", "a/../b", "a\0", "a\n",
    ] {
        let error = format!("docker://r.example/{bad}").parse::<Address>().unwrap_err();
        assert_eq!(error.kind(), delta_core::error::Kind::Usage, "{bad:?}");
    }
}

#[test]
fn a_host_is_labels_or_an_address_and_a_port_a_number() {
    for good in
        ["r.example", "localhost", "a-b.example:1", "10.0.0.1:5000", "[2001:db8::1]:5000", "h:65535", "R.EXAMPLE:00080"]
    {
        assert!(format!("docker://{good}/app").parse::<Address>().is_ok(), "{good}");
    }
    for bad in [
        ".example",
        "r..example",
        "-r.example",
        "r-.example",
        "r_.example",
        "[::1",
        "[]:5000",
        "[g::1]:1",
        "h:",
        "h:0",
        "h:x",
        "h:-1",
        "h:65536",
        "h:1:2",
    ] {
        assert!(format!("docker://{bad}/app").parse::<Address>().is_err(), "{bad}");
    }
}

#[test]
fn a_digest_stands_behind_the_name_and_counts_before_the_tag() {
    let address: Address = format!("docker://r.example/app:v2@{EMPTY}").parse().unwrap();
    assert_eq!((address.tag(), address.reference().as_str()), (Some("v2"), EMPTY));
    assert_eq!(address.to_string(), format!("r.example/app:v2@{EMPTY}"));
    let digest = BlobDigest::of(b"other");
    assert_eq!(address.with_digest(digest).to_string(), format!("r.example/app@{digest}"));
    assert_eq!(address.with_tag("v3").to_string(), "r.example/app:v3");
    assert_eq!(
        (address.without_tag().to_string(), address.without_tag().reference()),
        ("r.example/app".into(), "latest".into())
    );
    for bad in [
        format!("docker://r.example/app@{}", &EMPTY[..70]),
        format!("docker://r.example/app@{EMPTY}0"),
        format!("docker://r.example/app@{}", EMPTY.to_uppercase()),
        format!("docker://r.example/app@{EMPTY}@{EMPTY}"),
        format!("docker://r.example/app@{EMPTY}:v2"),
        "docker://r.example/app@sha512:00".to_owned(),
        "docker://r.example/app@".to_owned(),
        "docker://@sha256:00".to_owned(),
    ] {
        assert_eq!(bad.parse::<Address>().unwrap_err().kind(), delta_core::error::Kind::Usage, "{bad}");
    }
}

#[test]
fn docker_has_one_registry_of_several_names() {
    for host in ["", "docker.io/", "index.docker.io/", "registry-1.docker.io/"] {
        let address: Address = format!("docker://{host}library/debian:12").parse().unwrap();
        assert_eq!(address.to_string(), "docker.io/library/debian:12", "{host}");
        assert_eq!(address.name().unwrap().to_string(), "debian:12");
    }
    assert!(Address::is_meant("docker://") && !Address::is_meant("docker:/") && !Address::is_meant("Docker://a"));
}
