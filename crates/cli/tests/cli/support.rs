//! Running the programs, and images made on the spot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use delta_core::digest::{ConfigDigest, DiffId};

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// The command failed with this exit code, and its error holds each of these texts.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(self.stderr.contains(text), "expected `{text}` in:\n{}", self.stderr);
        }
        self
    }
}

pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let path = match program {
        "docker_delta" => env!("CARGO_BIN_EXE_docker_delta"),
        _ => env!("CARGO_BIN_EXE_file_delta"),
    };
    let mut command = Command::new(path);
    // Nothing of the user's own is read or written: where a folder cannot be made, nothing is kept.
    command.args(arguments).env("XDG_CACHE_HOME", "/dev/null");
    command
}

pub(crate) fn docker_delta(arguments: &[&str]) -> Ran {
    Ran::of(command("docker_delta", arguments).output().unwrap())
}

pub(crate) fn file_delta(arguments: &[&str]) -> Ran {
    Ran::of(command("file_delta", arguments).output().unwrap())
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    Ran::of(command.output().unwrap())
}

/// Runs a real program; a missing one is a failure that names the Debian package.
pub(crate) fn real(package: &str, program: &str, arguments: &[&str]) {
    let done = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("`{program}` of the Debian package `{package}` does not run: {error}"));
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Runs docker_delta; returns the most memory that it had, in MB (2^20 bytes).
pub(crate) fn peak_megabytes(folder: &Folder, arguments: &[&str]) -> u64 {
    let report = folder.file("peak");
    let program = env!("CARGO_BIN_EXE_docker_delta");
    let timed = ["-o", &report, "-f", "%M", "env", "XDG_CACHE_HOME=/dev/null", program];
    real("time", "/usr/bin/time", &[&timed[..], arguments].concat());
    let kilobytes: u64 = fs::read_to_string(report).unwrap().trim().parse().unwrap();
    kilobytes >> 10
}

pub(crate) fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples").join(name);
    path.to_str().unwrap().to_owned()
}

/// A folder for one test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.0.path().join(name), bytes).unwrap();
        self.file(name)
    }
}

/// A folder with two versions of an image: v1.tar and v2.tar.
pub(crate) fn folder_of_versions() -> Folder {
    let folder = Folder::new();
    for version in ["v1", "v2"] {
        let from = sample(&format!("tiny/docker28-classic/{version}.tar"));
        fs::copy(from, folder.file(&format!("{version}.tar"))).unwrap();
    }
    folder
}

/// Runs a line of a real program of this Debian package in a folder.
pub(crate) fn shell(package: &str, folder: &Folder, line: &str) {
    real(package, "sh", &["-c", &format!("cd {} && {line}", folder.path().display())]);
}

/// Pseudo-random bytes, the same for the same seed (xorshift64*).
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let words = (0..count.div_ceil(8)).flat_map(|_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.take(count).collect()
}

/// A layer with these files.
pub(crate) fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Writes what `docker save` of version 20 writes for an image of these layers.
pub(crate) fn image(folder: &Folder, file: &str, tag: &str, layers: &[Vec<u8>]) -> String {
    image_for(folder, file, (tag, "amd64"), layers)
}

/// The same for another architecture.
pub(crate) fn image_for(folder: &Folder, file: &str, (tag, architecture): (&str, &str), layers: &[Vec<u8>]) -> String {
    let diff_ids: Vec<String> = layers.iter().map(|layer| DiffId::of(layer).to_string()).collect();
    let config = serde_json::to_vec(&serde_json::json!({
        "architecture": architecture, "os": "linux", "created": "2024-01-01T00:00:00Z",
        "config": {"Env": ["A=b"], "Entrypoint": ["/bin/app"], "Labels": {"vendor": "täst"}},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }))
    .unwrap();
    let config_name = format!("{}.json", ConfigDigest::of(&config).hex());
    let paths: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest =
        serde_json::to_vec(&serde_json::json!([{"Config": config_name, "RepoTags": [tag], "Layers": paths}]));
    let manifest = manifest.unwrap();
    let mut files: Vec<(&str, &[u8])> = vec![(&config_name, &config), ("manifest.json", &manifest)];
    files.extend(paths.iter().map(String::as_str).zip(layers.iter().map(Vec::as_slice)));
    folder.write(file, &layer(&files))
}

/// What `inspect --json` sees, without the note whether the source had the manifest itself.
pub(crate) fn seen(image: &str) -> serde_json::Value {
    let ran = docker_delta(&["inspect", "--json", image]).ok();
    let mut seen: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    for image in seen["images"].as_array_mut().unwrap() {
        image["root"]["synthesised"] = serde_json::Value::Null;
        image["root"]["media_type"] = serde_json::Value::Null;
    }
    seen
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub(crate) fn unpack(archive: &str, into: &Path) -> PathBuf {
    tar::Archive::new(fs::File::open(archive).unwrap()).unpack(into).unwrap();
    into.to_path_buf()
}
