use super::*;

#[test]
fn origins_are_compared_by_scheme_host_and_port() {
    let of = |url| Origin::of(url).unwrap();
    assert_eq!(of("https://R.example/v2/"), of("HTTPS://r.example:443"));
    for other in ["http://r.example/", "https://r.example:444/", "https://r.example.evil/", "https://s.example"] {
        assert_ne!(of("https://r.example/v2/"), of(other));
    }
    for odd in ["ftp://r.example", "/v2/", "https://", "https://user:password@r.example/", "file:///etc/passwd"] {
        assert_eq!(Origin::of(odd), None, "{odd}");
    }
}

#[test]
fn this_machine_is_known() {
    for here in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.0.1", "[::1]:5000", "a.localhost"] {
        assert!(is_loopback(here), "{here}");
    }
    for there in ["localhost.example", "10.0.0.1", "[2001:db8::1]:5000", "registry.example", ""] {
        assert!(!is_loopback(there), "{there}");
    }
}

#[test]
fn locations_are_resolved() {
    let base = "https://r.example:5000/v2/app/blobs/uploads/?a=b/c";
    for (found, expected) in [
        ("/v2/x?y", Some("https://r.example:5000/v2/x?y")),
        ("https://s3.example/x", Some("https://s3.example/x")),
        ("//s3.example/x", Some("https://s3.example/x")),
        ("id?state", Some("https://r.example:5000/v2/app/blobs/uploads/id?state")),
        ("ftp://s3.example/x", None),
        ("https://a:b@s3.example/x", None),
    ] {
        assert_eq!(resolve(base, found).as_deref(), expected, "{found}");
    }
}

#[test]
fn an_origin_ends_where_the_path_begins_and_has_its_usual_port() {
    for (url, label, is_encrypted) in [
        ("https://r.example", "r.example", true),
        ("https://r.example?a", "r.example", true),
        ("https://r.example#a@b", "r.example", true),
        ("https://r.example/a@b", "r.example", true),
        ("https://r.example:443/", "r.example", true),
        ("https://r.example:80/", "r.example:80", true),
        ("http://r.example:80", "r.example", false),
        ("http://r.example:443", "r.example:443", false),
        ("http://[::1]:5000/v2/", "[::1]:5000", false),
        ("HTTP://R.Example", "r.example", false),
        ("https://r.example:4430", "r.example:4430", true),
    ] {
        let origin = Origin::of(url).unwrap();
        assert_eq!((origin.label(), origin.is_encrypted), (label, is_encrypted), "{url}");
    }
    for odd in [
        "",
        "://",
        "http:/r.example",
        "https://?a",
        "https:///path",
        "https://:443",
        "https://a@r.example",
        "httpss://r",
    ] {
        assert_eq!(Origin::of(odd), None, "{odd}");
    }
}

#[test]
fn this_machine_is_no_name_that_looks_like_it() {
    for here in ["[::1]", "127.255.255.255", "a.b.localhost:1"] {
        assert!(is_loopback(here), "{here}");
    }
    for there in
        ["localhostx", "xlocalhost", ".localhost.example", "128.0.0.1", "126.255.255.255", "[::2]", "::1", "0.0.0.0"]
    {
        assert!(!is_loopback(there), "{there}");
    }
}

#[test]
fn a_location_is_relative_to_the_folder_of_the_url() {
    for (base, found, expected) in [
        ("http://r/a/b", "c", Some("http://r/a/c")),
        ("http://r/a/b/", "c", Some("http://r/a/b/c")),
        ("http://r/a/b?x/y", "c?z", Some("http://r/a/c?z")),
        ("http://r/a/b#x/y", "c", Some("http://r/a/c")),
        ("http://r", "c", Some("http://r/c")),
        ("http://r?x", "/c", Some("http://r/c")),
        ("https://r/a", "//s/c", Some("https://s/c")),
        ("http://r/a", "//s/c", Some("http://s/c")),
        ("https://r/a", "", Some("https://r/")),
        ("https://r/a", "HTTP://s/c", Some("HTTP://s/c")),
        ("https://r/a", "file:///c", None),
        ("https://r/a", "//u:p@s/c", None),
        ("ftp://r/a", "/c", None),
        ("r/a", "/c", None),
    ] {
        assert_eq!(resolve(base, found).as_deref(), expected, "{base} {found}");
    }
}
