//! What a person at a terminal sees while blobs come and go.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::proxy::{Act, Proxy, is_blob};
use super::server::{Guard, Registry, alone, lonely};
use crate::progress::lines;
use crate::support::{Folder, image, layer, noise};

/// The lines that the program writes to a terminal.
fn watched(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let program = lonely(folder, arguments);
    let words: Vec<_> = program.get_args().map(|word| word.to_str().unwrap()).collect();
    let call = format!("stty cols 100 rows 24; exec {} {}", env!("CARGO_BIN_EXE_docker_delta"), words.join(" "));
    let mut script = Command::new("script");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.args(["-qec", &call, "/dev/null"]).env_remove("NO_COLOR").env("TERM", "xterm").stdin(Stdio::null());
    let done = script.output().unwrap_or_else(|error| panic!("`script` of `bsdutils` does not run: {error}"));
    let screen = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{screen}");
    lines(&screen)
}

fn bars<'a>(lines: &'a [String], what: &str) -> Vec<&'a String> {
    lines.iter().filter(|line| line.contains(what) && line.contains("MB")).collect()
}

#[test]
fn blobs_that_come_and_go_have_bars() {
    let folder = Folder::new();
    let registry = Registry::start(Guard::Nothing);
    let archive = image(&folder, "v1.tar", "app:v1", &[layer(&[("noise", &noise(1, 3_000_000))])]);
    registry.fill(&format!("docker-archive:{archive}"), "app:v1");
    let proxy = Proxy::before(registry.port());
    proxy.rule(|seen| (is_blob(seen) || seen.method == "PATCH").then_some(Act::Trickle(Duration::from_millis(15))));
    let package = folder.file("p.ddelta");
    let seen = watched(&folder, &["create", &proxy.name("app:v1"), &package]);
    assert!(!bars(&seen, "Fetching").is_empty(), "{seen:#?}");
    let seen = watched(&folder, &["apply", &package, &proxy.name("other")]);
    assert!(!bars(&seen, "Sending").is_empty(), "{seen:#?}");
    assert!(seen.last().unwrap().contains("pushed"), "{seen:#?}");
    // Nobody is there to see them.
    let ran = alone(&folder, &["create", "-f", &proxy.name("app:v1"), &package]).ok();
    assert!(!ran.stderr.contains("Fetching"), "{}", ran.stderr);
}
