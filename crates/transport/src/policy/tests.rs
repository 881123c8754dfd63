use std::os::unix::fs::PermissionsExt;

use delta_core::error::Kind;

use super::*;

#[test]
fn what_is_not_said_is_not_decided() {
    assert_eq!(Policy::parse("# nothing\n").unwrap(), Policy::default());
    let policy =
        Policy::parse("trust = ['/etc/vendor.pub']\nengine = \"podman\"\ninterval = 30\nno_downgrade = true\n");
    let expected = Policy {
        trust: vec!["/etc/vendor.pub".into()],
        engine: Some(ClientKind::Podman),
        interval: Some(30),
        no_downgrade: true,
        ..Policy::default()
    };
    assert_eq!(policy.unwrap(), expected);
}

#[test]
fn what_cannot_be_meant_is_told_with_its_line() {
    for (text, said, hint) in [
        ("\nallow-unsigned = true", "line 2: `allow-unsigned` is no key of a policy", "did you mean `allow_unsigned`?"),
        ("xyzzy = 1", "line 1: `xyzzy`", "trust, allow_unsigned, no_downgrade"),
        ("# a\n[watch]\ntrust = []", "line 2: `watch`", ""),
        ("trust = '/etc/vendor.pub'", "line 1", ""),
        ("\n\ninterval = -1", "line 3", ""),
        ("engine = 'containerd'", "line 1", ""),
        ("to = 'a'\nto = 'b'", "line 2", ""),
        ("to =", "line 1", ""),
        ("to = 'a'\noutput = '/b'", "`to` and `output`", ""),
        ("trust = ['/a']\nallow_unsigned = true", "`trust` asks for signatures", ""),
        ("interval = 0", "expected 1 to 86400 seconds", ""),
        ("interval = 86401", "found 86401", ""),
        ("output = 'images'", "found `images`", "who starts the program"),
        ("trust = [[[[[[[[[[[[", "line 1", ""),
    ] {
        let error = Policy::parse(text).unwrap_err();
        assert!(error.to_string().contains(said), "{text}: {error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint());
    }
}

#[test]
fn a_policy_that_others_can_write_or_that_is_too_long_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watch.toml");
    let most = usize::try_from(POLICY_BYTES).unwrap();
    fs::write(&path, "#".repeat(most)).unwrap();
    assert!(Policy::read(&path).is_ok());
    fs::write(&path, "#".repeat(most + 1)).unwrap();
    assert!(Policy::read(&path).unwrap_err().to_string().contains("longer than a policy may be"));
    fs::write(&path, b"to = '\xff'").unwrap();
    assert!(Policy::read(&path).unwrap_err().to_string().contains("UTF-8"));
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    assert!(Policy::read(&path).unwrap_err().to_string().contains("others can write"));
    assert!(Policy::read(folder.path()).unwrap_err().to_string().contains("no regular file"));
}

#[test]
fn every_key_says_what_it_is_called() {
    let text = "trust = ['/a.pub', '/keys']\nno_downgrade = true\nidentity_files = ['/id']\nengine = 'docker'\n\
                output = '/out'\nbases = ['app:v1']\nplatforms = ['linux/amd64', 'linux/arm64']\ninterval = 86400\npatience = 0\n\
                temp_dir = '/tmp'\ntls_ca = '/ca.pem'\nplain_http = true\n";
    let expected = Policy {
        trust: vec!["/a.pub".into(), "/keys".into()],
        allow_unsigned: false,
        no_downgrade: true,
        identity_files: vec!["/id".into()],
        engine: Some(ClientKind::Docker),
        containerd: None,
        to: None,
        output: Some("/out".into()),
        bases: vec!["app:v1".into()],
        platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
        interval: Some(86_400),
        patience: Some(0),
        temp_dir: Some("/tmp".into()),
        tls_ca: Some("/ca.pem".into()),
        plain_http: true,
    };
    assert_eq!(Policy::parse(text).unwrap(), expected);
    for (text, expected) in [
        ("containerd = 'k8s.io'", Policy { containerd: Some("k8s.io".into()), ..Policy::default() }),
        ("to = 'docker://r.example/'", Policy { to: Some("docker://r.example/".into()), ..Policy::default() }),
        ("allow_unsigned = true", Policy { allow_unsigned: true, ..Policy::default() }),
        ("allow_unsigned = true\ntrust = []", Policy { allow_unsigned: true, ..Policy::default() }),
        ("allow_unsigned = false\ntrust = ['/a']", Policy { trust: vec!["/a".into()], ..Policy::default() }),
        ("interval = 1", Policy { interval: Some(1), ..Policy::default() }),
        ("\u{feff}interval = 1", Policy { interval: Some(1), ..Policy::default() }),
    ] {
        assert_eq!(Policy::parse(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn images_have_one_place_and_paths_one_meaning() {
    let places = [("containerd", "k8s.io"), ("to", "docker://r.example"), ("output", "/out")];
    for (at, (one, value)) in places.iter().enumerate() {
        for (other, another) in &places[at + 1..] {
            let error = Policy::parse(&format!("{one} = '{value}'\n{other} = '{another}'")).unwrap_err();
            let expected = format!("`{one}` and `{other}` name two places for the images: give one of them");
            assert_eq!((error.kind(), error.to_string()), (Kind::Usage, expected));
        }
    }
    let all: String = places.iter().map(|(key, value)| format!("{key} = '{value}'\n")).collect();
    assert!(Policy::parse(&all).unwrap_err().to_string().starts_with("`containerd` and `to` name two places"));
    for key in ["output", "temp_dir", "tls_ca"] {
        let error = Policy::parse(&format!("{key} = './here'")).unwrap_err();
        assert_eq!(error.to_string(), "expected a path from the root on, found `./here`", "{key}");
    }
    let error = Policy::parse("identity_files = ['/there', 'here']").unwrap_err();
    assert_eq!(error.to_string(), "expected a path from the root on, found `here`");
    assert!(error.hint().unwrap().contains("must not change what a policy means"));
}

#[test]
fn an_interval_is_from_a_second_to_a_day() {
    for (seconds, is_taken) in [(0, false), (1, true), (2, true), (86_400, true), (86_401, false), (u64::MAX, false)] {
        match require_interval(seconds) {
            Ok(found) => assert!(is_taken && found == seconds),
            Err(error) => {
                assert!(!is_taken, "{seconds}");
                let expected = format!("expected 1 to 86400 seconds between two looks, found {seconds}");
                assert_eq!((error.kind(), error.to_string()), (Kind::Usage, expected));
            }
        }
    }
}

#[test]
fn a_policy_is_a_file_that_others_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watch.toml");
    fs::write(&path, "interval = 7\n").unwrap();
    for mode in (0..0o1000).filter(|mode| mode & 0o400 != 0) {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        match Policy::read(&path) {
            Ok(policy) => assert!(mode & 0o022 == 0 && policy.interval == Some(7), "{mode:o}"),
            Err(error) => {
                assert!(mode & 0o022 != 0 && error.kind() == Kind::Environment, "{mode:o}");
                assert!(error.hint().unwrap().ends_with(&format!("chmod go-w {}", path.display())));
            }
        }
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "\ninterval = 0x\n").unwrap();
    let error = Policy::read(&path).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: line 2: ", path.display())), "{error}");
    let error = Policy::read(&folder.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.to_string().contains("/none: No such file"), "{error}");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Nobody writes there, and nobody is waited for.
    let error = Policy::read(&pipe).unwrap_err();
    assert_eq!((error.kind(), error.hint()), (Kind::Usage, Some("a policy is one file of TOML")));
}
