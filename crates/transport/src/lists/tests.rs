use delta_core::error::Kind;

use super::*;

fn file(name: &str, text: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn images(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|listed| listed.image.as_str()).collect()
}

#[test]
fn a_line_is_a_reference() {
    let text =
        "\u{feff}# all of the site\r\n\r\n  app:v1  # ours\r\ndocker://r.example/a@sha256:0#x\napp:v1\n\tdb:v2\t\n";
    let (_folder, path) = file("images.txt", text.as_bytes());
    let listed = plain(&path).unwrap();
    assert_eq!(images(&listed), ["app:v1", "docker://r.example/a@sha256:0#x", "db:v2"]);
    assert!(listed[0].place.ends_with("images.txt:3"), "{:?}", listed[0]);
    for (text, expected) in [
        (&b"a\nb c\n"[..], "images.txt:2: expected one image a line, found `b c`"),
        (b"a\n\xff\n", "images.txt:2: expected text in UTF-8"),
        (b"a\x07\n", "images.txt:1: expected one image"),
        (b"# nothing\n", "names no image"),
        (b"", "names no image"),
    ] {
        let (_folder, path) = file("images.txt", text);
        let error = plain(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(plain(Path::new("/no/such/file")).is_err());
}

#[test]
fn a_compose_file_names_the_images_of_its_services() {
    let text = "x-app: &app\n  image: shared:v1\nservices:\n  web:\n    image: \"${REGISTRY:-r.example}/web:${TAG}\"\n  \
                job:\n    <<: *app\n  built:\n    build: .\n  own:\n    <<: *app\n    image: own:$TAG\n  cost:\n    \
                image: a$$b:${NONE-}x\n";
    let (_folder, path) = file("compose.yaml", text.as_bytes());
    std::fs::write(path.parent().unwrap().join(".env"), "# tags\nTAG=v7\nexport OTHER='x'\n").unwrap();
    let listed = compose(&path, &|_| None).unwrap();
    assert_eq!(images(&listed), ["r.example/web:v7", "shared:v1", "own:v7", "a$b:x"]);
    assert!(listed[0].place.ends_with("compose.yaml:5"), "{:?}", listed[0]);
    let environment = |name: &str| (name == "TAG").then(|| "v8".to_owned());
    assert_eq!(images(&compose(&path, &environment).unwrap())[0], "r.example/web:v8");
    for (text, expected) in [
        ("services:\n  a:\n    image: x:${NO_TAG}\n", "compose.yaml:3: the variable NO_TAG has no value"),
        (
            "services:\n  a:\n    image: x:${NO_TAG:?say it}\n",
            "compose.yaml:3: the variable NO_TAG has no value: say it",
        ),
        ("services:\n  a:\n    image: x:${\n", "compose.yaml:3: expected the name of a variable"),
        ("services:\n  a:\n    image: [x]\n", "compose.yaml:3: expected the name of an image"),
        ("services:\n  a: {build: ., image: null}\n  b:\n  c: {image: ~}\n", "compose.yaml names no image"),
        ("services:\n", "compose.yaml has no services"),
        ("services: [a]\n", "compose.yaml:1: expected services by their names"),
        ("a: b\n", "compose.yaml has no services"),
        ("a: [\n", "compose.yaml:2: it is no YAML"),
    ] {
        let (_folder, path) = file("compose.yaml", text.as_bytes());
        let error = compose(&path, &|_| None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn manifests_name_the_images_of_every_container() {
    let text = "apiVersion: v1\nkind: Pod\nspec:\n  initContainers:\n  - name: a\n    image: init:v1\n  containers:\n  - \
                {name: b, image: 'main:v1'}\n---\n# empty\n---\nkind: List\nitems:\n- kind: CronJob\n  spec:\n    \
                jobTemplate: {spec: {template: {spec: {containers: [{image: job:v1}, {image: main:v1}]}}}}\n---\n\
                kind: ConfigMap\ndata:\n  image: none:v1\n  containers: text\n";
    let (_folder, path) = file("all.yaml", text.as_bytes());
    let listed = kubernetes(&path).unwrap();
    assert_eq!(images(&listed), ["init:v1", "main:v1", "job:v1"]);
    assert!(listed[0].place.ends_with("all.yaml:6"), "{:?}", listed[0]);
    let odd = "kind: PodList\nitems:\n- spec:\n    containers: [{name: a}, {image: null}, {image: ''}, {image: 'null'}, \
               {image: ~}]\n    volumes: [{name: v, image: {reference: vol:v1}}, {name: w, configMap: {name: x}}, \
               {name: n, image: null}]\n--- null\n---\n";
    let (_folder, path) = file("odd.yaml", odd.as_bytes());
    let listed = kubernetes(&path).unwrap();
    assert_eq!(images(&listed), ["null", "vol:v1"]);
    assert!(listed[1].place.ends_with("odd.yaml:5"), "{:?}", listed[1]);
    let json =
        br#"{"kind": "Pod", "spec": {"containers": [{"image": "a:v1"}], "ephemeralContainers": [{"image": "b:v1"}]}}"#;
    let (_folder, path) = file("pod.json", json);
    assert_eq!(images(&kubernetes(&path).unwrap()), ["a:v1", "b:v1"]);
}

#[test]
fn a_bomb_of_aliases_does_not_go_off() {
    let mut text = "a0: &a0 {containers: [{image: x}]}\n".to_owned();
    for level in 1..60 {
        text += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let (_folder, path) = file("bomb.yaml", text.as_bytes());
    assert!(kubernetes(&path).unwrap_err().to_string().contains("refers to itself too often"));
    let deep = "[".repeat(100_000);
    let (_folder, path) = file("deep.yaml", deep.as_bytes());
    assert!(kubernetes(&path).is_err());
}

#[test]
fn a_comment_begins_behind_a_blank_or_at_the_start() {
    for (line, expected) in [
        ("", ""),
        ("a", "a"),
        ("#", ""),
        ("# a", ""),
        ("a#b", "a#b"),
        ("a #b", "a "),
        ("a\t# b # c", "a\t"),
        ("a#b #c", "a#b "),
        ("ä#b", "ä#b"),
        ("a\u{a0}#b", "a\u{a0}"),
        ("##", ""),
        ("a##", "a##"),
    ] {
        assert_eq!(without_comment(line), expected, "{line}");
    }
}

#[test]
fn a_list_is_read_up_to_a_bound() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let set = |bytes: u64| file.as_file().set_len(bytes).unwrap();
    set(BYTES);
    assert_eq!(read(file.path()).unwrap().0.len() as u64, BYTES);
    set(BYTES + 1);
    let error = read(file.path()).unwrap_err();
    let expected = format!("{} has more than 67108864 bytes, which no list of images has", file.path().display());
    assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
}

#[test]
fn only_the_first_mark_of_the_encoding_is_none_of_the_text() {
    for (text, expected) in [
        ("\u{feff}app", "app"),
        ("app", "app"),
        ("\u{feff}\u{feff}app", "\u{feff}app"),
        ("a\u{feff}", "a\u{feff}"),
        ("", ""),
    ] {
        let (_folder, path) = file("list", text.as_bytes());
        assert_eq!(read(&path).unwrap().0, expected, "{text:?}");
    }
    for (bytes, line) in [(&b"\xff"[..], 1), (b"a\nb\n\xc3", 3), (b"\n\n\n\x80\n", 4)] {
        let (_folder, path) = file("list", bytes);
        let error = read(&path).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (Kind::Content, format!("{}:{line}: expected text in UTF-8", path.display()))
        );
    }
}

#[test]
fn each_image_is_listed_once_where_it_is_named_first() {
    let one = |image: &str, place: &str| Listed { image: image.to_owned(), place: place.to_owned() };
    let listed = vec![one("b", "1"), one("a", "2"), one("b", "3"), one("a", "4"), one("c", "5")];
    assert_eq!(some(listed, "list").unwrap(), [one("b", "1"), one("a", "2"), one("c", "5")]);
    let error = some(Vec::new(), "list").unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (Kind::Usage, "list names no image".to_owned()));
}

#[test]
fn a_line_has_one_image_and_nothing_that_steers_a_terminal() {
    for (line, shown) in
        [("a b", "a b"), ("a\u{1b}[2J", "a\\u{1b}[2J"), ("a\u{7f}", "a\\u{7f}"), ("a\u{2003}b", "a\\u{2003}b")]
    {
        let (_folder, path) = file("list", format!("first\n\n{line}\n").as_bytes());
        let error = plain(&path).unwrap_err();
        let expected = format!("{}:3: expected one image a line, found `{shown}`", path.display());
        assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
    }
}

#[test]
fn variables_are_taken_from_beside_the_file_and_only_from_a_file() {
    let text = b"services: {a: {image: 'x:${TAG:-none}'}}\n";
    let image = |path: &Path| compose(path, &|_| None).unwrap()[0].image.clone();
    let (folder, path) = file("compose.yaml", text);
    assert_eq!(image(&path), "x:none");
    std::fs::create_dir(folder.path().join(".env")).unwrap();
    assert_eq!(image(&path), "x:none");
    std::fs::remove_dir(folder.path().join(".env")).unwrap();
    std::fs::write(folder.path().join(".env"), "TAG=v1\n").unwrap();
    assert_eq!(image(&path), "x:v1");
    // An empty value is one.
    let with = |value: &'static str| compose(&path, &move |_| Some(value.to_owned())).unwrap()[0].image.clone();
    assert_eq!((with("v2"), with("")), ("x:v2".to_owned(), "x:none".to_owned()));
    std::fs::write(folder.path().join(".env"), b"TAG=\xff\n").unwrap();
    let error = compose(&path, &|_| None).unwrap_err();
    assert!(error.to_string().ends_with("/.env:1: expected text in UTF-8"), "{error}");
}
