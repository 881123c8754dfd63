//! A watch that goes on: what comes while it looks, who wants the folder too, and how it ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::{SIGNED, Site, USUAL, json};

/// A running watch, and the events that it prints.
struct Watch {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Watch {
    fn start(site: &Site, options: &str) -> Self {
        let line = format!("watch in {USUAL} --json {options}");
        let mut child = site.command(&line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        let mut watch = Self { child, events };
        assert_eq!(watch.next()["event"], "started");
        watch
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).unwrap();
        let event = json(&line);
        assert_eq!(event["schema"], 1);
        crate::words::documented(&event);
        event
    }

    /// The next event of this kind, whatever comes before.
    fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next();
            if event["event"] == kind {
                return event;
            }
        }
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn end(mut self) -> (Value, i32) {
        self.signal("-TERM");
        let last = self.wait_for("stopped");
        (last, self.child.wait().unwrap().code().unwrap())
    }
}

#[test]
fn packages_that_come_one_after_the_other_are_applied() {
    let site = Site::new();
    let mut watch = Watch::start(&site, "");
    site.drop_package("one.ddelta", SIGNED);
    let done = watch.wait_for("done");
    assert_eq!((&done["name"], &done["package"]), (&"one.ddelta".into(), &"in/done/one.ddelta".into()));
    assert_eq!(done["applied"], site.json("in/done/one.ddelta.json"));
    // Renamed into it, as programs do that write elsewhere first.
    site.run("create v2.tar two.ddelta --base v1.tar --sign vendor.key").ok();
    fs::rename(site.path("two.ddelta"), site.path("in/two.ddelta")).unwrap();
    assert_eq!(watch.wait_for("done")["name"], "two.ddelta");
    // Who cleans up removes the drawers too.
    fs::remove_dir_all(site.path("in/done")).unwrap();
    site.drop_package("three.ddelta", SIGNED);
    assert_eq!(watch.wait_for("done")["name"], "three.ddelta");
    let (last, code) = watch.end();
    assert_eq!((&last["done"], &last["failed"], code), (&3.into(), &0.into(), 0));
}

#[test]
fn a_copy_that_pauses_is_waited_for() {
    let site = Site::new();
    site.run("create v2.tar p.ddelta --base v1.tar --sign vendor.key").ok();
    let bytes = fs::read(site.path("p.ddelta")).unwrap();
    let mut watch = Watch::start(&site, "");
    let mut file = File::create(site.path("in/p.ddelta")).unwrap();
    let (start, end) = bytes.split_at(bytes.len() / 2);
    file.write_all(start).unwrap();
    let waiting = watch.wait_for("waiting");
    assert!(waiting["reason"].as_str().unwrap().contains("damaged or incomplete"), "{waiting}");
    file.write_all(end).unwrap();
    drop(file);
    assert_eq!(watch.wait_for("done")["name"], "p.ddelta");
    assert_eq!(watch.end().1, 0);
}

#[test]
fn what_is_refused_for_long_enough_fails() {
    let site = Site::new();
    let mut watch = Watch::start(&site, "--patience 3");
    site.drop_package("p.ddelta", "");
    watch.wait_for("waiting");
    let failed = watch.wait_for("failed");
    assert_eq!(failed["report"], "in/failed/p.ddelta.error.json");
    assert_eq!(failed["error"], site.json("in/failed/p.ddelta.error.json")["error"]);
    let (last, code) = watch.end();
    assert_eq!((&last["failed"], code), (&1.into(), 0));
}

#[test]
fn a_second_watch_is_refused() {
    let site = Site::new();
    let watch = Watch::start(&site, "");
    let process = format!("(process {})", watch.child.id());
    site.once("").failed(3, &["in is watched by another docker_delta already", &process]);
    watch.end();
    site.once("").ok();
}

#[test]
fn a_folder_that_goes_is_told() {
    let site = Site::new();
    let mut watch = Watch::start(&site, "");
    fs::rename(site.path("in"), site.path("out")).unwrap();
    assert_eq!(watch.child.wait().unwrap().code(), Some(3));
}

/// An engine that never answers stands for one that works for long.
#[test]
fn it_ends_in_the_middle_of_a_package_which_stays() {
    let site = Site::new();
    site.drop_package("p.ddelta", SIGNED);
    fs::create_dir(site.path("programs")).unwrap();
    site.0.write("programs/docker", b"#!/bin/sh\ntouch \"$0.called\"\nexec sleep 1000\n");
    Command::new("chmod").args(["+x", site.path("programs/docker").to_str().unwrap()]).status().unwrap();
    for signal in ["-TERM", "-INT", "-HUP"] {
        let path = format!("{}:{}", site.path("programs").display(), std::env::var("PATH").unwrap());
        let mut command = site.command("watch in --trust vendor.pub --interval 1 --json");
        command.env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        let mut watch = Watch { child, events };
        watch.wait_for("applying");
        while !site.path("programs/docker.called").exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        watch.signal(signal);
        assert_eq!(watch.wait_for("stopped")["done"], 0);
        assert_eq!(watch.child.wait().unwrap().code(), Some(0));
        assert_eq!(site.names("in"), ["done", "failed", "p.ddelta"]);
        fs::remove_file(site.path("programs/docker.called")).unwrap();
    }
    site.once("").ok();
    assert_eq!(site.names("in/done"), ["p.ddelta", "p.ddelta.json"]);
}
