//! A registry on this machine, in which engines meet.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST};
use tempfile::TempDir;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Debian's package `docker-registry`, running.
pub(crate) struct Registry {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    process: Child,
    _folder: TempDir,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (root, config) = (folder.path().join("root"), folder.path().join("config.yml"));
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\nlog:\n  level: error\n",
            root.display()
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "docker-registry", "serve"]).arg(&config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let registry = Self { host, process, _folder: folder };
        for _ in 0..600 {
            if TcpStream::connect(&registry.host).is_ok() {
                return registry;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("docker-registry does not answer: run scripts/install-test-tools");
    }

    /// The digest under which it has `HOST/REPOSITORY:TAG`.
    pub(crate) fn digest(&self, name: &str) -> String {
        let (repository, tag) = name.strip_prefix(&format!("{}/", self.host)).unwrap().rsplit_once(':').unwrap();
        let url = format!("http://{}/v2/{repository}/manifests/{tag}", self.host);
        let kinds = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ");
        let output = Command::new("curl").args(["-sSfI", "-H", &format!("Accept: {kinds}"), &url]).output().unwrap();
        let headers = String::from_utf8(output.stdout).unwrap();
        let digest = headers.lines().find_map(|line| line.strip_prefix("Docker-Content-Digest: "));
        digest.unwrap_or_else(|| panic!("{url}: {headers}")).trim().to_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
