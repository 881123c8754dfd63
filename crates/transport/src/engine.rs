//! Docker and podman, through their own command-line clients.
//!
//! The clients know contexts, ssh, TLS, rootless sockets and credentials; going through them means that an engine which the
//! user can reach is an engine that we can reach. What engines do with partial archives was found by experiment and differs
//! by `Store`; the rules stand where they are used.

mod client;
mod holdings;
mod installation;
mod inventory;
mod load;
mod probe;
mod save;
#[cfg(test)]
mod scripted;

use client::Client;
pub use client::ClientKind;
pub use installation::{Installation, PlannedImage};
pub use inventory::{Inventory, StoredImage};

use std::ffi::OsStr;

use delta_core::apply::Delivery;
use delta_core::error::{Error, Result};
use delta_core::image::Platform;
use serde::Deserialize;

/// How an engine keeps images, which decides what it must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Docker's own: layers are found by their chain.
    Classic,
    /// Docker on containerd: blobs are found by their digest.
    Containerd,
    /// containers/storage: layers are found by their diff ID.
    Podman,
}

/// What the user said about the engine.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The engine that was asked for by its kind.
    pub kind: Option<ClientKind>,
    /// Global arguments for Docker's client, such as `--context NAME`.
    pub global_arguments: &'a [String],
    /// The program that stands for `docker`: a plugin of Docker's client is told in
    /// `DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND` which one called it, which may not be the one in PATH.
    pub docker: Option<&'a OsStr>,
    /// What names one engine of Docker's client, such as `DOCKER_HOST`.
    pub named: Option<&'a str>,
}

const NO_DOCKER: &str = "start Docker, or see that you may use it (group `docker`, sudo), or use podman: --engine podman; \
                         files need no engine: --base FILE and -o FILE";

const NO_NAMED: &str = "see that it is what you mean, or use podman: --engine podman; files need no engine: --base FILE and \
                        -o FILE";

/// An engine that answers.
#[derive(Clone, Debug)]
pub struct Engine {
    client: Client,
    store: Store,
    version: String,
    /// Docker's API version, major and minor; (0, 0) for podman.
    api: (u32, u32),
    platform: Platform,
}

impl Engine {
    /// Reaches the engine that was asked for, else Docker, and podman only where Docker's client is not installed: an image
    /// that went silently into another engine than the user thinks is lost to him.
    ///
    /// # Errors
    /// Environment errors that say what was tried and what it said.
    pub fn connect(choice: Choice<'_>) -> Result<Self> {
        let docker = Client::new(ClientKind::Docker, choice.global_arguments);
        let docker = choice.docker.map_or_else(|| docker.clone(), |program| docker.clone().with_program(program));
        let podman = Client::new(ClientKind::Podman, &[]);
        match (choice.kind, choice.named) {
            (Some(ClientKind::Podman), _) => Self::reach(podman),
            (Some(ClientKind::Docker), _) => Self::reach(docker).map_err(|error| error.with_hint(NO_DOCKER)),
            (None, named) if docker.is_installed() => Self::reach(docker).map_err(|error| match named {
                Some(named) => error.within(&format!("the engine that {named} names")).with_hint(NO_NAMED),
                None => error.with_hint(NO_DOCKER),
            }),
            (None, Some(named)) => {
                Err(Error::environment(format!("{named} names an engine, but `docker` is not installed"))
                    .with_hint(NO_NAMED))
            }
            (None, None) if podman.is_installed() => Self::reach(podman),
            (None, None) => Err(Error::environment(
                "no engine answers: the program `docker` is not installed; the program `podman` is not installed",
            )
            .with_hint("install Docker or podman, or work on files: --base FILE and -o FILE need no engine")),
        }
    }

    /// The platform that it runs on.
    pub const fn platform(&self) -> &Platform {
        &self.platform
    }

    /// How to speak of the engine.
    pub fn label(&self) -> String {
        let name = match (self.client.kind(), self.store) {
            (_, Store::Podman) => "podman",
            (_, Store::Classic) => "Docker",
            (_, Store::Containerd) => "Docker with the containerd store",
        };
        format!("{name} {}", self.version)
    }

    /// How it takes images.
    pub fn delivery(&self) -> Delivery {
        match self.store {
            Store::Containerd => Delivery::Original,
            Store::Classic | Store::Podman => Delivery::Uncompressed(self.platform.clone()),
        }
    }

    fn reach(client: Client) -> Result<Self> {
        match client.kind() {
            ClientKind::Docker => docker(client),
            ClientKind::Podman => podman(client),
        }
    }
}

fn docker(client: Client) -> Result<Engine> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        server: Option<Server>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Server {
        version: String,
        #[serde(rename = "ApiVersion", alias = "APIVersion")]
        api_version: String,
        os: String,
        arch: String,
        #[serde(default)]
        components: Vec<Component>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Component {
        name: String,
    }
    let version: Version = client.json(&["version", "--format", "{{json .}}"])?;
    let server = match version.server {
        Some(server) => server,
        // Debian's package podman-docker calls podman so.
        None if client.text(&["--version"])?.contains("podman") => return podman(client.of_kind(ClientKind::Podman)),
        None => return Err(Error::environment("`docker version` names no server")),
    };
    let is_podman = server.components.iter().any(|component| component.name == "Podman Engine");
    let store = if is_podman { Store::Podman } else { docker_store(&client)? };
    let api = server.api_version.split_once('.').map(|(major, minor)| (number(major), number(minor)));
    let platform = Platform { os: server.os, architecture: server.arch, variant: None };
    Ok(Engine { client, store, version: server.version, api: api.unwrap_or_default(), platform })
}

/// How Docker keeps images. Its client succeeds, and leaves out what the daemon would have said, where the daemon refuses.
fn docker_store(client: &Client) -> Result<Store> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Info {
        #[serde(default)]
        server_errors: Option<Vec<String>>,
        #[serde(default)]
        driver: String,
        #[serde(default)]
        driver_status: Option<Vec<Vec<String>>>,
    }
    let arguments = ["info", "--format", "{{json .}}"];
    let info: Info = client.json(&arguments)?;
    let errors = info.server_errors.unwrap_or_default();
    if !errors.is_empty() || info.driver.is_empty() {
        return Err(client.refused(&arguments, &errors.join("; ")));
    }
    let status = info.driver_status.unwrap_or_default();
    let is_containerd = status.iter().flatten().any(|word| word.contains("io.containerd.snapshotter"));
    Ok(if is_containerd { Store::Containerd } else { Store::Classic })
}

fn podman(client: Client) -> Result<Engine> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        client: PodmanClient,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct PodmanClient {
        version: String,
        os_arch: String,
    }
    let version: Version = client.json(&["version", "--format", "json"])?;
    let platform = version.client.os_arch.parse()?;
    // `podman version` answers even when the storage cannot be opened.
    client.text(&["images", "-q"])?;
    Ok(Engine { client, store: Store::Podman, version: version.client.version, api: (0, 0), platform })
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests;
