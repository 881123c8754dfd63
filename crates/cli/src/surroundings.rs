//! What the environment says about registries, containerd and folders of the user.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_transport::containerd::{Choice, Containerd};
use delta_transport::registry::Access;
use delta_transport::system;

use crate::arguments::Common;

/// How registries are reached: what the user typed, and what programs of the field left in the user's folders.
pub(crate) fn access(common: &Common) -> Access {
    Access {
        credentials: credentials(),
        tls_ca: common.tls_ca.clone(),
        plain_http: common.plain_http,
        patience: Access::USUAL_PATIENCE,
        downloads: downloads(common),
    }
}

/// The containerd that `ctr` and `nerdctl` would speak with here.
pub(crate) fn containerd(progress: Arc<dyn Progress>) -> Result<Containerd> {
    let said = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let (address, namespace) = (said("CONTAINERD_ADDRESS"), said("CONTAINERD_NAMESPACE"));
    Containerd::connect(Choice { address: address.as_deref(), namespace: namespace.as_deref() }, progress)
}

/// Where `podman login`, `skopeo login` and `docker login` write, in the order in which skopeo looks
/// (containers/image, containers-auth.json.5).
fn credentials() -> Vec<PathBuf> {
    let home = folder(system::HOME);
    let of_user = system::user().map(|user| format!("/run/containers/{user}/auth.json"));
    let docker = folder("DOCKER_CONFIG").or_else(|| Some(home.clone()?.join(".docker")));
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(home?.join(".config")));
    [
        folder("REGISTRY_AUTH_FILE"),
        folder("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        of_user.map(PathBuf::from),
        config.map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Where downloads wait that were broken off: with the other temporary files if the user named a place for these.
fn downloads(common: &Common) -> Option<PathBuf> {
    if let Some(folder) = &common.temp_dir {
        let name = "docker_delta-downloads".to_owned();
        return Some(folder.join(system::user().map_or_else(|| name.clone(), |user| format!("{name}-{user}"))));
    }
    Some(cache()?.join("downloads"))
}

/// Where is kept what was found out about base layers.
pub(crate) fn kept_bases() -> Option<PathBuf> {
    Some(cache()?.join("bases"))
}

/// The folder of what is kept for this user, and can be had again.
fn cache() -> Option<PathBuf> {
    let of_system = || system::KEPT_FOR_USER.and_then(folder).or_else(|| Some(folder(system::HOME)?.join(".cache")));
    Some(folder("XDG_CACHE_HOME").or_else(of_system)?.join("docker_delta"))
}

fn folder(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
