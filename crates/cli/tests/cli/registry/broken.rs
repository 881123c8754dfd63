//! Registries, and what stands before them, that break off, lie, or lead astray.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::proxy::{Act, Proxy, Seen, is_blob};
use super::server::{Guard, Registry, alone, lonely};
use crate::support::{Folder, image, layer, names, noise};

/// A registry with `app:v1`, of which the only layer is large, and what stands before it.
fn lab(folder: &Folder) -> (Registry, Proxy) {
    let registry = Registry::start(Guard::Nothing);
    let archive = image(folder, "large.tar", "app:v1", &[layer(&[("noise", &noise(7, 6 << 20))])]);
    registry.fill(&format!("docker-archive:{archive}"), "app:v1");
    let proxy = Proxy::before(registry.port());
    (registry, proxy)
}

fn create(folder: &Folder, proxy: &Proxy) -> crate::support::Ran {
    alone(folder, &["create", "-f", "--no-recompress", &proxy.name("app:v1"), &folder.file("p.ddelta")])
}

/// Whether more than the beginning of a blob is asked for.
fn is_large(seen: &Seen) -> bool {
    is_blob(seen) && seen.headers.get("range").is_none_or(|range| !range.starts_with("bytes=0-"))
}

#[test]
fn what_breaks_off_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let (_registry, proxy) = lab(&folder);
    create(&folder, &proxy).ok();
    let whole = proxy.bytes().0;
    for act in [Act::Cut(2 << 20), Act::Slow(Duration::from_millis(50))] {
        proxy.reset();
        proxy.rule(move |seen| is_large(seen).then(|| act.clone()));
        create(&folder, &proxy).ok();
        assert!(proxy.bytes().0 <= whole + (64 << 10), "{:?} {whole}", proxy.bytes());
    }
    proxy.reset();
    // One that does not know ranges is asked for all of it again.
    proxy.rule(|seen| {
        is_large(seen).then(|| if seen.headers.contains_key("range") { Act::NoRange } else { Act::Cut(2 << 20) })
    });
    create(&folder, &proxy).ok();
    assert_eq!(names(folder.path()), [".cache", "large.tar", "p.ddelta"]);
    assert!(names(&folder.path().join(".cache/docker_delta")).is_empty());
}

#[test]
fn a_killed_download_goes_on_in_the_next_run() {
    let folder = Folder::new();
    let (_registry, proxy) = lab(&folder);
    proxy.rule(|seen| is_large(seen).then_some(Act::Stall(4 << 20)));
    let arguments = ["create", "--no-recompress", &proxy.name("app:v1"), &folder.file("p.ddelta")];
    let mut child = lonely(&folder, &arguments).spawn().unwrap();
    proxy.await_stall();
    std::thread::sleep(Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
    proxy.reset();
    create(&folder, &proxy).ok();
    let (down, _) = proxy.bytes();
    assert!(down < (2 << 20) + (300 << 10), "{down}");
    assert!(names(&folder.path().join(".cache/docker_delta")).is_empty());
}

#[test]
fn faults_that_pass_are_waited_for() {
    let folder = Folder::new();
    let (_registry, proxy) = lab(&folder);
    for fault in [
        Act::Answer(500, Vec::new(), String::new()),
        Act::Answer(503, Vec::new(), "<html>".to_owned()),
        Act::Answer(429, vec![("Retry-After", "1".to_owned())], String::new()),
        Act::HangUp,
    ] {
        proxy.reset();
        let first = fault.clone();
        proxy.rule(move |seen| (seen.number < 2 || seen.number == 4).then(|| first.clone()));
        create(&folder, &proxy).ok();
    }
    let label = format!("localhost:{}", proxy.port());
    for (status, headers, texts) in [
        (500, Vec::new(), ["500", "try again"]),
        (429, vec![("Retry-After", "86400".to_owned())], ["429", "86400 seconds"]),
        (403, Vec::new(), ["403", "log in as somebody who may"]),
    ] {
        proxy.reset();
        proxy.rule(move |_| Some(Act::Answer(status, headers.clone(), String::new())));
        create(&folder, &proxy).failed(3, &[&label, "app", texts[0], texts[1]]);
    }
}

#[test]
fn lies_are_found_out() {
    let folder = Folder::new();
    let (_registry, proxy) = lab(&folder);
    for (act, texts) in [
        (Act::Spoil(1 << 20), ["expected sha256:", "found sha256:"]),
        (Act::Append(b"more"), ["bytes, as its manifest says", "found"]),
    ] {
        proxy.reset();
        // The first is the config.
        let configs = AtomicUsize::new(1);
        let is_config = move || configs.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
        proxy.rule(move |seen| (is_large(seen) && !is_config()).then(|| act.clone()));
        create(&folder, &proxy).failed(4, &["localhost", texts[0], texts[1]]);
    }
    proxy.reset();
    proxy.rule(|seen| seen.path.contains("/manifests/").then_some(Act::Spoil(3)));
    create(&folder, &proxy).failed(4, &["manifest v1", "expected sha256:"]);
    proxy.reset();
    let too_long = usize::try_from(delta_core::limits::DOCUMENT_BYTES).unwrap() + 1;
    proxy.rule(move |seen| {
        (seen.path.contains("/manifests/")).then(|| Act::Answer(200, Vec::new(), " ".repeat(too_long)))
    });
    create(&folder, &proxy).failed(4, &["the answer has more than"]);
    // Nothing of a lie is kept for the next run.
    proxy.reset();
    create(&folder, &proxy).ok();
}

#[test]
fn circles_and_strange_ways_are_left() {
    let folder = Folder::new();
    let (_registry, proxy) = lab(&folder);
    let to =
        |location: String| move |_: &Seen| Some(Act::Answer(302, vec![("Location", location.clone())], String::new()));
    proxy.rule(to(format!("http://localhost:{}/v2/circle", proxy.port())));
    create(&folder, &proxy).failed(3, &["redirects more than 5 times", "circle"]);
    assert!(proxy.seen().len() < 20);
    for odd in ["ftp://localhost/x", "http://user:password@localhost/x"] {
        proxy.rule(to(odd.to_owned()));
        create(&folder, &proxy).failed(3, &["sends to nowhere"]);
    }
    for odd in ["::::", "", "?", "//"] {
        proxy.rule(to(odd.to_owned()));
        assert_eq!(create(&folder, &proxy).code, 3, "{odd}");
    }
}
