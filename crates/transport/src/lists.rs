//! Lists of images: one reference a line, or what Compose files and Kubernetes manifests name. Errors say the file and the line.

mod compose;
mod kubernetes;
mod variables;
mod yaml;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use delta_core::error::{Error, Result};

/// What a list may have; a cluster with ten thousand manifests has some 50 MB.
const BYTES: u64 = 64 << 20;

/// An image that a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The reference as it is written.
    pub image: String,
    /// The file and the line.
    pub place: String,
}

/// The references of a file with one a line; what stands behind a `#` is for people.
///
/// # Errors
/// Environment errors when it cannot be read, content errors when it is no text or a line has more than a reference.
pub fn plain(path: &Path) -> Result<Vec<Listed>> {
    let (text, label) = read(path)?;
    let mut listed = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{label}:{}", number + 1);
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        if line.contains(char::is_whitespace) || line.contains(char::is_control) {
            return Err(Error::content(format!("{place}: expected one image a line, found `{}`", line.escape_debug())));
        }
        listed.push(Listed { image: line.to_owned(), place });
    }
    some(listed, &label)
}

/// The images of the services of a Compose file; variables are taken from `environment`, else from `.env` beside the file.
///
/// # Errors
/// As [`plain`], and when a variable has no value.
pub fn compose(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Listed>> {
    let (text, label) = read(path)?;
    let beside =
        path.parent().map(|folder| folder.join(".env")).filter(|file| path != Path::new("-") && file.is_file());
    let defaults =
        beside.map(|file| read(&file)).transpose()?.map(|(text, _)| variables::of_file(&text)).unwrap_or_default();
    let value = |name: &str| environment(name).or_else(|| defaults.get(name).cloned());
    let listed = compose::images(&yaml::documents(&text, &label)?, &label, &value)?;
    some(listed, &label)
}

/// The images of every container of the manifests in a file, as `kubectl` and `helm template` write them.
///
/// # Errors
/// As [`plain`].
pub fn kubernetes(path: &Path) -> Result<Vec<Listed>> {
    let (text, label) = read(path)?;
    let listed = kubernetes::images(&yaml::documents(&text, &label)?, &label)?;
    some(listed, &label)
}

/// A list that names nothing is the wrong file.
fn some(mut listed: Vec<Listed>, label: &str) -> Result<Vec<Listed>> {
    if listed.is_empty() {
        return Err(Error::usage(format!("{label} names no image")));
    }
    let mut seen = std::collections::BTreeSet::new();
    listed.retain(|one| seen.insert(one.image.clone()));
    Ok(listed)
}

/// A `#` begins a comment at the start of a line or behind a blank.
fn without_comment(line: &str) -> &str {
    let begins = |(at, character): &(usize, char)| {
        *character == '#' && line[..*at].chars().next_back().is_none_or(char::is_whitespace)
    };
    line.char_indices().find(begins).map_or(line, |(at, _)| &line[..at])
}

fn read(path: &Path) -> Result<(String, String)> {
    let is_stdin = path == Path::new("-");
    let label = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let doing = || Error::io(format!("reading {label}"));
    if is_stdin {
        io::stdin().lock().take(BYTES + 1).read_to_end(&mut bytes).map_err(doing())?;
    } else {
        File::open(path).and_then(|file| file.take(BYTES + 1).read_to_end(&mut bytes)).map_err(doing())?;
    }
    if bytes.len() as u64 > BYTES {
        return Err(Error::content(format!("{label} has more than {BYTES} bytes, which no list of images has")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::content(format!("{label}:{line}: expected text in UTF-8"))
    })?;
    Ok((text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text), label))
}

#[cfg(test)]
mod tests {
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
        let json = br#"{"kind": "Pod", "spec": {"containers": [{"image": "a:v1"}], "ephemeralContainers": [{"image": "b:v1"}]}}"#;
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
}
