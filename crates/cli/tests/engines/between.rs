//! From one engine to another: what arrives, and what each keeps of it. Both have their images from a registry, which keeps
//! layers compressed. README has the table.

use serde_json::Value;

use crate::lab::{Daemon, Lab, Plan};
use crate::registry::Registry;
use crate::saved::Identity;
use crate::{HOST_DOCKER, Root, odd};

const DOCKER_CLASSIC: Plan = Plan { name: "docker 28", root: Root::Debian("sid"), ..HOST_DOCKER };
const DOCKER_CONTAINERD: Plan =
    Plan { name: "docker 28 on containerd", daemon: Daemon::DockerOnContainerd, ..DOCKER_CLASSIC };
const PODMAN: Plan = Plan { name: "podman 5", root: Root::Debian("trixie"), daemon: Daemon::Podman, ..HOST_DOCKER };

#[test]
fn between_engines() {
    let classic = Lab::start(DOCKER_CLASSIC);
    let meeting = Meeting::publish(&classic);
    let [containerd, other] = [(); 2].map(|()| Lab::start(DOCKER_CONTAINERD));
    let podman = Lab::start(PODMAN);
    meeting.send_exactly(&containerd, &other);
    meeting.import_into_containerd(&containerd, &other);
    for sender in [&classic, &podman] {
        meeting.send_with_new_manifest(sender, &containerd);
    }
    for (sender, receiver) in
        [(&containerd, &classic), (&containerd, &podman), (&podman, &classic), (&classic, &podman)]
    {
        meeting.send_config(sender, receiver);
    }
}

/// A registry that has two versions of an image, whose layers Docker 28 compressed with Go's gzip.
struct Meeting {
    registry: Registry,
    old: String,
    new: String,
    /// The manifest's digest there.
    digest: String,
    /// The same image as it was before anything was compressed.
    plain: Identity,
}

/// What an engine says that an image is.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    id: String,
    /// Without the repositories.
    digests: Vec<String>,
}

impl Meeting {
    fn publish(publisher: &Lab) -> Self {
        let registry = Registry::start();
        let [old, new] = ["old", "new"].map(|version| format!("{}/odd/image:{version}", registry.host));
        let versions = odd::versions(publisher);
        for (archive, loaded, name) in [(&versions.old, "odd/image:old", &old), (&versions.new, "odd/image:new", &new)]
        {
            publisher.load(archive);
            publisher.must(&["tag", loaded, name]);
            publisher.must(&["push", name]);
        }
        publisher.clear();
        Self { digest: registry.digest(&new), plain: Identity::of(&versions.new), registry, old, new }
    }

    /// Where both keep blobs, nothing at all is lost: not the compressed layers, nor the manifest's digest.
    fn send_exactly(&self, sender: &Lab, receiver: &Lab) {
        self.send(sender, receiver);
        let exact = Seen { id: self.digest.clone(), digests: vec![self.digest.clone()] };
        assert_eq!(see(sender, &self.new), exact, "{}", sender.plan.name);
        assert_eq!(see(receiver, &self.new), exact, "{}", receiver.plan.name);
        self.saved(sender).check_in(receiver, &self.new);
        assert_eq!(self.push(receiver), self.digest, "{}: what is pushed", receiver.plan.name);
        odd::run(receiver, &self.new);
    }

    /// Without an engine's help, by archives alone: `ctr` finds what Docker found.
    fn import_into_containerd(&self, sender: &Lab, receiver: &Lab) {
        let archive = receiver.file("arrived.tar");
        receiver.must_delta(&["apply", &sender.file("between.ddelta"), "-o", &archive, "-f"]);
        receiver.ctr(&["image", "import", "/mnt/files/arrived.tar"]);
        let listed = receiver.ctr(&["image", "ls"]);
        assert!(listed.contains(&self.digest), "{listed}");
        receiver.ctr(&["image", "export", "--local", "/mnt/files/exported.tar", &self.new]);
        assert_eq!(Identity::of(receiver.file("exported.tar").as_ref()), self.saved(sender));
        sender.clear();
        receiver.clear();
    }

    /// What gives away uncompressed layers only has a manifest of those, and that is what a store of blobs gets.
    fn send_with_new_manifest(&self, sender: &Lab, receiver: &Lab) {
        self.send(sender, receiver);
        self.plain.check_in(receiver, &self.new);
        let plain = format!("sha256:{}", self.plain.root.hex());
        assert_eq!(see(receiver, &self.new), Seen { id: plain.clone(), digests: vec![plain] });
        odd::run(receiver, &self.new);
        sender.clear();
        receiver.clear();
    }

    /// What unpacks its images keeps their config and layers, and compresses them anew when it pushes.
    fn send_config(&self, sender: &Lab, receiver: &Lab) {
        self.send(sender, receiver);
        self.plain.check_in(receiver, &self.new);
        odd::run(receiver, &self.new);
        let same_encoder = receiver.plan.daemon == Daemon::Docker;
        assert_eq!(self.push(receiver) == self.digest, same_encoder, "{}: what is pushed", receiver.plan.name);
        sender.clear();
        receiver.clear();
    }

    /// Brings the new version from one engine to another that has the old one, both by the registry's name.
    fn send(&self, sender: &Lab, receiver: &Lab) {
        pull(sender, &self.old);
        pull(sender, &self.new);
        pull(receiver, &self.old);
        let package = sender.file("between.ddelta");
        sender.must_delta(&["create", &self.new, &package, "--base", &self.old, "-f"]);
        let said = receiver.must_delta(&["apply", &package]);
        assert!(!said.contains("it is loaded again"), "{}: left out what was needed: {said}", receiver.plan.name);
    }

    fn saved(&self, lab: &Lab) -> Identity {
        let archive = lab.file("whole.tar");
        lab.save(&self.new, &archive);
        Identity::of(archive.as_ref())
    }

    /// The digest that the registry gives to what this engine pushes.
    fn push(&self, lab: &Lab) -> String {
        let again = format!("{}/again/{}:new", self.registry.host, lab.plan.name.replace(' ', "-"));
        lab.must(&["tag", &self.new, &again]);
        lab.must(&[&["push"], insecure(lab), &[&again]].concat());
        lab.must(&["rmi", &again]);
        self.registry.digest(&again)
    }
}

fn pull(lab: &Lab, name: &str) {
    lab.must(&[&["pull"], insecure(lab), &[name]].concat());
}

/// Docker takes plain HTTP from its own machine, podman does not.
fn insecure(lab: &Lab) -> &'static [&'static str] {
    if lab.plan.daemon == Daemon::Podman { &["--tls-verify=false"] } else { &[] }
}

fn see(lab: &Lab, name: &str) -> Seen {
    let inspected: Value = serde_json::from_str(&lab.must(&["image", "inspect", name])).unwrap();
    let image = &inspected[0];
    let repositories = image["RepoDigests"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let digests = repositories.map(|text| text.rsplit('@').next().unwrap().to_owned()).collect();
    Seen { id: image["Id"].as_str().unwrap().to_owned(), digests }
}
