//! Which image became which in a registry, in the words of whoever has to know: a person, OpenShift, podman, containerd.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::str::FromStr;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::ImageName;
use delta_transport::registry::Address;
use serde::Serialize;

use crate::figures;

/// A form in which the mapping is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MappingFormat {
    /// For people.
    Table,
    /// For scripts.
    Json,
    /// For OpenShift, by digest (config.openshift.io/v1).
    ImageDigestMirrorSet,
    /// The same by tag.
    ImageTagMirrorSet,
    /// For OpenShift before 4.13 (operator.openshift.io/v1alpha1).
    ImageContentSourcePolicy,
    /// For podman, buildah, skopeo and CRI-O (containers-registries.conf.5).
    RegistriesConf,
    /// For containerd (containerd, docs/hosts.md).
    HostsToml,
}

impl MappingFormat {
    /// Each with its name.
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Table, "table"),
        (Self::Json, "json"),
        (Self::ImageDigestMirrorSet, "image-digest-mirror-set"),
        (Self::ImageTagMirrorSet, "image-tag-mirror-set"),
        (Self::ImageContentSourcePolicy, "image-content-source-policy"),
        (Self::RegistriesConf, "registries.conf"),
        (Self::HostsToml, "hosts.toml"),
    ];

    /// The names of all.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().map(|(_, name)| name)
    }
}

impl FromStr for MappingFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::NAMES.into_iter().find(|(_, name)| *name == text).map(|(format, _)| format);
        found.ok_or_else(|| Error::usage(format!("expected a form of the mapping, found `{text}`")))
    }
}

/// One image, and what it became.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mapped {
    /// The name that it had, with its registry.
    image: String,
    /// The names that it has now.
    pushed_as: Vec<String>,
    digest: BlobDigest,
    #[serde(skip)]
    source: Repository,
    #[serde(skip)]
    mirror: Repository,
    /// Whether the registry is spoken with without TLS.
    #[serde(skip)]
    is_plain: bool,
}

/// A repository: its registry, and its path there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Repository {
    registry: String,
    path: String,
}

/// What `--mapping json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    images: &'a [Mapped],
}

impl Mapped {
    /// An image of this name that goes there.
    pub(super) fn new(from: &ImageName, to: &Address, names: Vec<String>, digest: BlobDigest, is_plain: bool) -> Self {
        let image = from.full();
        let repository = image.rsplit_once(':').map_or(image.as_str(), |(repository, _)| repository);
        let (registry, path) = repository.split_once('/').unwrap_or(("docker.io", repository));
        let source = Repository { registry: registry.to_owned(), path: path.to_owned() };
        let mirror = Repository { registry: to.registry().to_owned(), path: to.repository().to_owned() };
        Self { pushed_as: names, digest, source, mirror, is_plain, image }
    }
}

impl Repository {
    fn full(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }
}

/// The mapping as a text.
pub(super) fn text(mapping: &[Mapped], format: MappingFormat) -> Result<String> {
    Ok(match format {
        MappingFormat::Table => table(mapping),
        MappingFormat::Json => {
            let report = Report { schema: 1, images: mapping };
            let text = serde_json::to_string_pretty(&report).map_err(|error| Error::internal(error.to_string()))?;
            format!("{text}\n")
        }
        MappingFormat::ImageDigestMirrorSet => mirror_set(mapping, "ImageDigestMirrorSet", "imageDigestMirrors"),
        MappingFormat::ImageTagMirrorSet => mirror_set(mapping, "ImageTagMirrorSet", "imageTagMirrors"),
        MappingFormat::ImageContentSourcePolicy => {
            mirror_set(mapping, "ImageContentSourcePolicy", "repositoryDigestMirrors")
        }
        MappingFormat::RegistriesConf => registries_conf(mapping),
        MappingFormat::HostsToml => hosts_toml(mapping),
    })
}

fn table(mapping: &[Mapped]) -> String {
    let row = |mapped: &Mapped| vec![mapped.image.clone(), mapped.pushed_as.join(", ")];
    figures::table(&["IMAGE", "PUSHED AS"], &[], mapping.iter().map(row))
}

/// Each repository once, with its mirrors, and whether these have no TLS.
fn repositories(mapping: &[Mapped]) -> BTreeMap<&Repository, BTreeSet<(&Repository, bool)>> {
    let mut repositories: BTreeMap<&Repository, BTreeSet<(&Repository, bool)>> = BTreeMap::new();
    for Mapped { source, mirror, is_plain, .. } in mapping {
        repositories.entry(source).or_default().insert((mirror, *is_plain));
    }
    repositories
}

/// A resource of OpenShift. Its name comes from what it says, so that one for other images does not take its place.
fn mirror_set(mapping: &[Mapped], kind: &str, list: &str) -> String {
    let group =
        if kind == "ImageContentSourcePolicy" { "operator.openshift.io/v1alpha1" } else { "config.openshift.io/v1" };
    let mut mirrors = String::new();
    for (source, places) in repositories(mapping) {
        line(&mut mirrors, format_args!("  - source: {}", quoted(&source.full())));
        line(&mut mirrors, format_args!("    mirrors:"));
        for (mirror, _) in places {
            line(&mut mirrors, format_args!("    - {}", quoted(&mirror.full())));
        }
    }
    let name = BlobDigest::of(mirrors.as_bytes()).short();
    format!("apiVersion: {group}\nkind: {kind}\nmetadata:\n  name: docker-delta-{name}\nspec:\n  {list}:\n{mirrors}")
}

fn registries_conf(mapping: &[Mapped]) -> String {
    let mut text = String::new();
    for (source, places) in repositories(mapping) {
        let source = quoted(&source.full());
        line(&mut text, format_args!("[[registry]]\nprefix = {source}\nlocation = {source}\n"));
        for (mirror, is_plain) in places {
            line(&mut text, format_args!("[[registry.mirror]]\nlocation = {}", quoted(&mirror.full())));
            line(&mut text, format_args!("{}", if is_plain { "insecure = true\n" } else { "" }));
        }
    }
    text
}

/// A file for each registry: below it, every image has the path that it had.
fn hosts_toml(mapping: &[Mapped]) -> String {
    let mut registries: BTreeMap<&str, BTreeSet<(String, bool)>> = BTreeMap::new();
    for (source, places) in repositories(mapping) {
        let above = |mirror: &Repository| {
            let prefix =
                mirror.path.strip_suffix(&source.path).unwrap_or(&mirror.path).trim_end_matches('/').to_owned();
            format!("{}/v2{}{prefix}", mirror.registry, if prefix.is_empty() { "" } else { "/" })
        };
        let places = places.iter().map(|(mirror, is_plain)| (above(mirror), *is_plain));
        registries.entry(&source.registry).or_default().extend(places);
    }
    let mut text = String::new();
    for (registry, mirrors) in registries {
        let server = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        line(&mut text, format_args!("# /etc/containerd/certs.d/{registry}/hosts.toml"));
        line(&mut text, format_args!("server = {}\n", quoted(&format!("https://{server}"))));
        for (mirror, is_plain) in mirrors {
            let scheme = if is_plain { "http" } else { "https" };
            line(&mut text, format_args!("[host.{}]", quoted(&format!("{scheme}://{mirror}"))));
            line(&mut text, format_args!("  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n"));
        }
    }
    text
}

/// Names of images are of few characters, none of which means anything in a quoted text of YAML or TOML.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing into a string does not fail.
    let _ = writeln!(text, "{words}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(from: &str, to: &str, is_plain: bool) -> Mapped {
        let (from, to): (ImageName, Address) = (from.parse().unwrap(), to.parse().unwrap());
        Mapped::new(&from, &to, vec![to.to_string()], BlobDigest::of(b"a"), is_plain)
    }

    fn mapping() -> Vec<Mapped> {
        vec![
            mapped("debian:12", "docker://r.local:5000/m/library/debian:12", false),
            mapped("debian:13", "docker://r.local:5000/m/library/debian:13", false),
            mapped("q.example:8443/team/app:v2", "docker://r.local:5000/m/team/app:v2", false),
        ]
    }

    #[test]
    fn every_form_has_a_name_by_which_it_is_chosen() {
        for (format, name) in MappingFormat::NAMES {
            assert_eq!(name.parse::<MappingFormat>().unwrap(), format);
            assert!(!text(&mapping(), format).unwrap().is_empty());
        }
        assert!("yaml".parse::<MappingFormat>().is_err());
    }

    #[test]
    fn a_repository_is_listed_once() {
        let text = text(&mapping(), MappingFormat::ImageDigestMirrorSet).unwrap();
        let expected = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata:\n  name: docker-delta-NAME\n\
                        spec:\n  imageDigestMirrors:\n  - source: \"docker.io/library/debian\"\n    mirrors:\n    - \
                        \"r.local:5000/m/library/debian\"\n  - source: \"q.example:8443/team/app\"\n    mirrors:\n    - \
                        \"r.local:5000/m/team/app\"\n";
        let name = text.split("docker-delta-").nth(1).unwrap().split('\n').next().unwrap().to_owned();
        assert_eq!(text.replace(&name, "NAME"), expected);
        let other = super::text(&mapping()[2..], MappingFormat::ImageDigestMirrorSet).unwrap();
        assert!(!other.contains(&name));
    }

    #[test]
    fn containerd_has_a_file_for_each_registry() {
        let text = text(&mapping(), MappingFormat::HostsToml).unwrap();
        let expected = "# /etc/containerd/certs.d/docker.io/hosts.toml\nserver = \"https://registry-1.docker.io\"\n\n\
                        [host.\"https://r.local:5000/v2/m\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n\n\
                        # /etc/containerd/certs.d/q.example:8443/hosts.toml\nserver = \"https://q.example:8443\"\n\n\
                        [host.\"https://r.local:5000/v2/m\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n\n";
        assert_eq!(text, expected);
        let bare = [mapped("a.example/x:1", "docker://localhost:5000/x:1", true)];
        let text = super::text(&bare, MappingFormat::HostsToml).unwrap();
        assert!(text.contains("[host.\"http://localhost:5000/v2\"]"), "{text}");
    }
}
