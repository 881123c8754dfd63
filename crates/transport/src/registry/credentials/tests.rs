use std::os::unix::fs::PermissionsExt;

use super::*;

fn password(user: &str, password: &str) -> Credentials {
    Credentials::Password { user: user.to_owned(), password: password.to_owned() }
}

fn look(text: &str, registry: &str, repository: &str) -> Result<Option<Credentials>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    fs::write(&file, text).unwrap();
    find(&[folder.path().join("missing.json"), file], registry, repository)
}

#[test]
fn the_most_exact_entry_counts() {
    let encoded = |text: &str| STANDARD.encode(text);
    let text = format!(
        r#"{{"auths": {{
            "r.example": {{"auth": "{}"}},
            "r.example/team": {{"auth": "{}"}},
            "https://index.docker.io/v1/": {{"username": "hub", "password": "p"}},
            "https://old.example/v2/": {{"auth": "", "identitytoken": "t"}},
            "empty.example": {{}}
        }}}}"#,
        encoded("all:one:two"),
        encoded("team:three"),
    );
    for (registry, repository, expected) in [
        ("r.example", "app", Some(password("all", "one:two"))),
        ("r.example", "team/app", Some(password("team", "three"))),
        ("r.example", "teams/app", Some(password("all", "one:two"))),
        ("r.example:5000", "app", None),
        ("docker.io", "library/debian", Some(password("hub", "p"))),
        ("old.example", "app", Some(Credentials::IdentityToken("t".to_owned()))),
        ("empty.example", "app", None),
    ] {
        assert_eq!(look(&text, registry, repository).unwrap(), expected, "{registry}/{repository}");
    }
}

#[test]
fn nothing_secret_is_told() {
    for text in [
        r#"{"auths": {"r.example": {"auth": "c2VjcmV0"}}}"#,
        r#"{"auths": {"r.example": {"auth": "secret!"}}}"#,
        r#"{"auths": {"r.example": {"auth": ["secret"]}}}"#,
        "secret",
    ] {
        let error = look(text, "r.example", "app").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret"), "{error}");
    }
    assert!(!format!("{:?}", password("name", "secret")).contains("secret"));
    assert_eq!(look("", "r.example", "app").unwrap(), None);
}

#[test]
fn programs_that_keep_secrets_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("helper");
    let script = "#!/bin/sh\nread -r server\ncase $server in\nr.example) echo '{\"Username\":\"u\",\"Secret\":\"s\"}';;\n\
                  t.example) echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}';;\n\
                  bad.example) echo hidden;;\nbroken.example) exit 1;;\n\
                  *) echo 'credentials not found in native keychain'; exit 1;;\nesac\n";
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let ask = |server| ask_program(program.as_os_str(), server);
    assert_eq!(ask("r.example").unwrap(), Some(password("u", "s")));
    assert_eq!(ask("t.example").unwrap(), Some(Credentials::IdentityToken("s".to_owned())));
    assert_eq!(ask("other.example").unwrap(), None);
    assert!(!ask("bad.example").unwrap_err().to_string().contains("hidden"));
    assert!(ask("broken.example").unwrap_err().to_string().contains("exit status: 1"));
    let error = look(r#"{"credsStore": "no-such-helper"}"#, "r.example", "app").unwrap_err();
    assert!(error.to_string().contains("docker-credential-no-such-helper"), "{error}");
    assert!(look(r#"{"credHelpers": {"r.example": "../helper"}}"#, "r.example", "app").is_err());
}

#[test]
fn what_an_entry_stands_under_is_compared_without_its_scheme_and_old_endings() {
    for key in [
        "r.example",
        "https://r.example",
        "http://r.example",
        "https://r.example/",
        "r.example/v1",
        "https://r.example/v2/",
    ] {
        let text = format!(r#"{{"auths": {{"{key}": {{"username": "u", "password": "p"}}}}}}"#);
        assert_eq!(look(&text, "r.example", "app").unwrap(), Some(password("u", "p")), "{key}");
    }
    for key in ["r.example.evil", "ftp://r.example", "r.example/v3", "r.example:443", "R.example", ""] {
        let text = format!(r#"{{"auths": {{"{key}": {{"username": "u", "password": "p"}}}}}}"#);
        assert_eq!(look(&text, "r.example", "app").unwrap(), None, "{key}");
    }
}

#[test]
fn what_an_entry_has_is_taken_in_one_order() {
    let auth = STANDARD.encode("a:b");
    let nul = STANDARD.encode("a:b\0\0");
    for (entry, expected) in [
        (format!(r#"{{"identitytoken": "t", "auth": "{auth}"}}"#), Some(Credentials::IdentityToken("t".to_owned()))),
        (format!(r#"{{"identitytoken": "", "auth": "{auth}"}}"#), Some(password("a", "b"))),
        (format!(r#"{{"auth": "{auth}", "username": "u", "password": "p"}}"#), Some(password("a", "b"))),
        (r#"{"auth": "", "username": "u", "password": "p"}"#.to_owned(), Some(password("u", "p"))),
        (format!(r#"{{"auth": " {auth}\n"}}"#), Some(password("a", "b"))),
        (format!(r#"{{"auth": "{nul}"}}"#), Some(password("a", "b"))),
        (r#"{"username": "<token>", "password": "t"}"#.to_owned(), Some(Credentials::IdentityToken("t".to_owned()))),
        (r#"{"username": "u"}"#.to_owned(), None),
        (r#"{"password": "p"}"#.to_owned(), None),
    ] {
        let text = format!(r#"{{"auths": {{"r.example": {entry}}}}}"#);
        assert_eq!(look(&text, "r.example", "app").unwrap(), expected, "{entry}");
    }
}

#[test]
fn the_first_file_that_has_some_counts() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let of = |user: &str| format!(r#"{{"auths": {{"r.example": {{"username": "{user}", "password": "p"}}}}}}"#);
    let (empty, one, other) = (write("empty", "{}"), write("one", &of("one")), write("other", &of("other")));
    let found = find(&[empty.clone(), one.clone(), other], "r.example", "app").unwrap();
    assert_eq!(found, Some(password("one", "p")));
    let broken = write("broken", "{");
    let error = find(&[empty, broken.clone(), one], "r.example", "app").unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: not the JSON", broken.display())), "{error}");
    assert!(error.to_string().ends_with("in line 1"), "{error}");
}

#[test]
fn a_program_for_one_registry_goes_before_what_the_file_has_and_that_before_the_program_for_all() {
    let error = |text: &str| look(text, "r.example", "team/app").unwrap_err().to_string();
    let entry = r#""auths": {"r.example": {"username": "u", "password": "p"}}"#;
    let text = format!(
        r#"{{"credHelpers": {{"https://r.example": "none-such-one"}}, "credsStore": "none-such-all", {entry}}}"#
    );
    assert!(error(&text).contains("`docker-credential-none-such-one` for the credentials of https://r.example"));
    let text = format!(r#"{{"credsStore": "none-such-all", {entry}}}"#);
    assert_eq!(look(&text, "r.example", "team/app").unwrap(), Some(password("u", "p")));
    let text = r#"{"credsStore": "none-such-all"}"#;
    assert!(error(text).contains("`docker-credential-none-such-all` for the credentials of r.example"));
    let hub = look(text, "docker.io", "library/debian").unwrap_err().to_string();
    assert!(hub.contains("for the credentials of https://index.docker.io/v1/"), "{hub}");
    assert_eq!(look(r#"{"credsStore": ""}"#, "r.example", "app").unwrap(), None);
}

#[test]
fn a_file_is_read_up_to_a_bound() {
    let most = usize::try_from(BYTES).unwrap();
    let of = |length: usize| {
        let text = r#"{"auths": {"r.example": {"username": "u", "password": "p"}}}"#;
        look(&format!("{}{text}", " ".repeat(length - text.len())), "r.example", "app")
    };
    assert_eq!(of(most).unwrap(), Some(password("u", "p")));
    assert!(of(most + 1).is_err());
}
