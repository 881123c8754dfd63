//! Containerd itself, as k3s, RKE2 and kubeadm run it, through its own client `ctr`.
//!
//! A store keeps every blob under its digest, so that an image comes out and goes in with the manifest that it had. What
//! nothing names is collected as garbage; an image that is brought is therefore held by names of ours until it has its own.

mod holding;
mod inventory;
mod source;
mod stock;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use delta_core::error::{Error, Result};
use delta_core::image::ImageName;
use delta_core::job::progress::Progress;

use crate::program::Program;
use crate::system;
pub use inventory::Store;
pub use stock::{PlannedStock, Stocking};

/// The prefix by which users name it.
pub(crate) const PREFIX: &str = "containerd:";

/// What names of ours begin with, which hold an image until it has its own; nobody else can have a registry of that name
/// (RFC 2606, section 2).
const HELD: &str = "docker-delta.invalid/";

/// The namespace of who names none, as `ctr` has it.
const DEFAULT: &str = "default";

/// Namespaces that are meant even where nobody made them yet: those of `ctr`, of Kubernetes and of Docker.
const KNOWN: [&str; 3] = [DEFAULT, "k8s.io", "moby"];

/// Where `ctr` is, with what comes before its commands: on its own, in k3s, and where RKE2 puts it.
const CLIENTS: [(&str, &[&str]); 3] = [("ctr", &[]), ("k3s", &["ctr"]), ("/var/lib/rancher/rke2/bin/ctr", &[])];

/// Where containerd listens: on its own, and in k3s and RKE2.
const ADDRESSES: [&str; 2] = ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"];

/// What the user said about containerd.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// Its socket.
    pub address: Option<&'a str>,
    /// The namespace that is meant where none is named.
    pub namespace: Option<&'a str>,
}

/// A containerd that answers.
#[derive(Clone)]
pub struct Containerd {
    program: Program,
    progress: Arc<dyn Progress>,
    address: String,
    version: String,
    /// The namespace that is meant where none is named.
    namespace: String,
    namespaces: Vec<String>,
}

impl Containerd {
    /// Reaches the containerd that was asked for, else the one that listens where it usually does; `progress` hears of every blob that
    /// comes from it.
    ///
    /// # Errors
    /// Environment errors that say which socket was tried, and what to do.
    pub fn connect(choice: Choice<'_>, progress: Arc<dyn Progress>) -> Result<Self> {
        let address = choice.address.unwrap_or_else(|| usual_address());
        let address = address.strip_prefix("unix://").unwrap_or(address).to_owned();
        let heard = system::listens(&address);
        if heard.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unsupported) {
            return Err(Error::environment("containerd is reached by its socket, which this system does not have")
                .with_hint("run this where containerd runs, or go by an archive or a registry"));
        }
        let program = client()?;
        heard.map_err(|error| unreachable(&address, &error))?;
        let program = program.with(&["--address", &address]);
        let listed = program.text(&["namespaces", "ls", "--quiet"])?;
        Ok(Self {
            version: version(&program.text(&["version"])?),
            namespaces: listed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            namespace: choice.namespace.unwrap_or(DEFAULT).to_owned(),
            program,
            progress,
            address,
        })
    }

    /// How to speak of it.
    pub fn label(&self) -> String {
        format!("containerd {} at {}", self.version, self.address)
    }

    /// Its namespaces.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The store of the namespace that a user named, `[NAMESPACE/]NAME`, and the name in it; none where only a namespace is
    /// named.
    ///
    /// # Errors
    /// What `ctr` reports.
    pub fn store<'a>(&self, text: &'a str) -> Result<(Store, Option<&'a str>)> {
        let (namespace, name) = place(text, &self.namespaces);
        Ok((self.in_namespace(namespace.unwrap_or(&self.namespace))?, name))
    }

    /// The same where something is brought.
    ///
    /// # Errors
    /// A usage error for what cannot be a name, and what `ctr` reports.
    pub fn destination(&self, text: &str) -> Result<(Store, Option<ImageName>)> {
        let name = place(text, &self.namespaces).1.map(str::parse).transpose()?;
        Ok((self.store(text)?.0, name))
    }

    fn in_namespace(&self, namespace: &str) -> Result<Store> {
        let program = self.program.clone().with(&["--namespace", namespace]);
        Store::new(program, format!("{} (namespace {namespace})", self.label()), self.progress.clone())
    }

    /// How users name the images of this name in all namespaces.
    fn everywhere(&self, name: &str) -> Vec<String> {
        let found = |namespace: &String| {
            self.in_namespace(namespace).ok()?.find(name)?;
            Some(format!("{PREFIX}{namespace}/{name}"))
        };
        self.namespaces.iter().filter_map(found).collect()
    }
}

/// The namespace and the name in it. The first part is a namespace if there is one of that name, or if it is one of those that
/// are meant anyway.
fn place<'a>(text: &'a str, namespaces: &[String]) -> (Option<&'a str>, Option<&'a str>) {
    let is_namespace = |part: &str| KNOWN.contains(&part) || namespaces.iter().any(|namespace| namespace == part);
    let name = |name: &'a str| (!name.is_empty()).then_some(name);
    match text.split_once('/') {
        Some((first, rest)) if is_namespace(first) => (Some(first), name(rest)),
        None if is_namespace(text) => (Some(text), None),
        _ => (None, name(text)),
    }
}

/// The first client that there is.
fn client() -> Result<Program> {
    let program = |(file, before): (&str, &[&str])| Program::new(file, &[]).with(before);
    CLIENTS.into_iter().map(program).find(Program::is_installed).ok_or_else(|| {
        Error::environment("the program `ctr` is not installed, nor `k3s`, which brings it")
            .with_hint("install containerd's client; Docker and podman have their images under their own names: app:v1, podman:app:v1")
    })
}

/// The first place where something listens, else the usual one.
fn usual_address() -> &'static str {
    let [usual, _] = ADDRESSES;
    ADDRESSES.into_iter().find(|address| Path::new(address).exists()).unwrap_or(usual)
}

fn unreachable(address: &str, error: &io::Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => "its socket belongs to root: run this as root, with sudo for example".to_owned(),
        _ => {
            let [_, k3s] = ADDRESSES;
            format!("see that it runs, or name its socket: CONTAINERD_ADDRESS={k3s} (k3s, RKE2)")
        }
    };
    Error::environment(format!("no containerd answers at {address}: {error}")).with_hint(hint)
}

/// The server's part of what `ctr version` prints.
fn version(said: &str) -> String {
    let server = said.split_once("Server:").map_or(said, |(_, server)| server);
    let version = server.lines().find_map(|line| line.trim().strip_prefix("Version:"));
    version.map(str::trim).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
