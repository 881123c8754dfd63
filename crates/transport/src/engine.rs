//! Docker and podman, through their own command-line clients.
//!
//! The clients know contexts, ssh, TLS, rootless sockets and credentials; going through them means that an engine which the
//! user can reach is an engine that we can reach. What engines do with partial archives was found by experiment and differs
//! by [`Store`]; the rules stand where they are used.

mod client;
mod holdings;
mod inventory;
mod load;
mod probe;
mod save;

pub use client::{Client, ClientKind};
pub use inventory::{Inventory, StoredImage};
pub use load::Loaded;

use std::ffi::OsStr;

use delta_core::error::{Error, Result};
use delta_core::image::Platform;
use serde::Deserialize;

/// How an engine keeps images, which decides what it must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Docker's own: layers are found by their chain.
    Classic,
    /// Docker on containerd: blobs are found by their digest.
    Containerd,
    /// containers/storage: layers are found by their diff ID.
    Podman,
}

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
    /// Reaches the engine of this kind, or, where the user named none, Docker and else podman. `docker` is the program
    /// that stands for `docker`: a plugin of Docker's client is told in `DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND` which one
    /// called it, which may not be the one in PATH. `global_arguments` are for Docker's client.
    ///
    /// # Errors
    /// Environment errors that say what was tried and what it said.
    pub fn connect(kind: Option<ClientKind>, global_arguments: &[String], docker: Option<&OsStr>) -> Result<Self> {
        let reach_docker = || {
            let client = Client::new(ClientKind::Docker, global_arguments);
            Self::reach(match docker {
                Some(program) => client.with_program(program),
                None => client,
            })
        };
        match kind {
            Some(ClientKind::Docker) => reach_docker(),
            Some(ClientKind::Podman) => Self::reach(Client::new(ClientKind::Podman, &[])),
            None => reach_docker().or_else(|docker| {
                Self::reach(Client::new(ClientKind::Podman, &[])).map_err(|podman| {
                    Error::environment(format!("no engine answers: {docker}; {podman}"))
                        .with_hint("start Docker or podman, or work on files: --base FILE and -o FILE need no engine")
                })
            }),
        }
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

    /// How it keeps images.
    pub const fn store(&self) -> Store {
        self.store
    }

    /// What it runs on.
    pub const fn platform(&self) -> &Platform {
        &self.platform
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
    let server = version.server.ok_or_else(|| Error::environment("`docker version` names no server"))?;
    let is_podman = server.components.iter().any(|component| component.name == "Podman Engine");
    let status: String =
        if is_podman { String::new() } else { client.text(&["info", "--format", "{{json .DriverStatus}}"])? };
    let store = if is_podman {
        Store::Podman
    } else if status.contains("io.containerd.snapshotter") {
        Store::Containerd
    } else {
        Store::Classic
    };
    let api = server.api_version.split_once('.').map(|(major, minor)| (number(major), number(minor)));
    let platform = Platform { os: server.os, architecture: server.arch, variant: None };
    Ok(Engine { client, store, version: server.version, api: api.unwrap_or_default(), platform })
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
