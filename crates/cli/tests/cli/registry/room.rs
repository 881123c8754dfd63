//! What two registries take of a small disk: what changed, and no whole image; what does not fit is said before anything is fetched.

use super::proxy::{Proxy, Seen, is_blob};
use super::server::{Guard, Registry};
use crate::failures::in_small_file_system;
use crate::support::{Folder, Ran, image, layer, noise};

/// Runs the program with temporary files on one megabyte.
fn in_a_megabyte(folder: &Folder, arguments: &[&str]) -> Ran {
    in_small_file_system(folder, "rw", &[arguments, &["--temp-dir", &folder.file("mount")]].concat())
}

#[test]
fn a_large_image_needs_room_for_what_changed_only() {
    let folder = Folder::new();
    let (near, far) = (Registry::start(Guard::Nothing), Registry::start(Guard::Nothing));
    let same = layer(&[("same", &noise(1, 5_000_000))]);
    for version in [1, 2, 3] {
        // The third has more that changed than fits.
        let more = if version == 3 { 2_000_000 } else { 1_000 };
        let changed = layer(&[("data", &noise(3, 100_000)), ("version", &noise(2 * version + 7, more))]);
        let archive = image(&folder, "one.tar", &format!("app:v{version}"), &[same.clone(), changed]);
        near.fill(&format!("docker-archive:{archive}"), &format!("app:v{version}"));
    }
    let copied = ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"];
    crate::support::real("skopeo", "skopeo", &[&copied[..], &[&near.name("app:v1"), &far.name("app:v1")]].concat());
    let (package, proxy) = (folder.file("p.ddelta"), Proxy::before(near.port()));
    let create = |version: &str| {
        let target = proxy.name(&format!("app:{version}"));
        in_a_megabyte(&folder, &["create", "-f", &target, &package, "--base", &proxy.name("app:v1")])
    };
    create("v3").failed(3, &["fetching layers and proving the package needs", "MB are free", "--temp-dir"]);
    let is_fetched = |seen: &Seen| is_blob(seen) && !seen.headers.contains_key("range");
    // A config is no layer.
    assert_eq!(proxy.seen().iter().filter(|seen| is_fetched(seen)).count(), 2, "{:?}", proxy.seen());
    create("v2").ok();
    in_a_megabyte(&folder, &["apply", &package, &far.name("app")]).ok();
    assert_eq!(far.digest("app:v2"), near.digest("app:v2"));
}
