//! `docker_delta doctor`: what works from here.

use delta_core::error::{Error, Result};
use delta_transport::containerd::Containerd;
use delta_transport::engine::ClientKind;
use delta_transport::file_system;
use serde::Serialize;

use crate::figures::size;
use crate::session::Session;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    version: &'static str,
    engines: Vec<Seen>,
    temp_dir: String,
    free_bytes: u64,
}

/// One kind of engine, and whether it answers.
#[derive(Serialize)]
struct Seen {
    client: &'static str,
    engine: Option<String>,
    why_not: Option<String>,
}

pub(crate) fn run(session: &Session) -> Result<()> {
    let asked = session.common.engine.map_or_else(|| ClientKind::ALL.to_vec(), |kind| vec![kind]);
    let folder = session.scratch.folder();
    let report = Report {
        schema: 1,
        version: env!("CARGO_PKG_VERSION"),
        engines: asked.into_iter().map(|kind| seen(session, kind)).chain(containerd(session)).collect(),
        temp_dir: folder.display().to_string(),
        free_bytes: file_system::free(folder)?,
    };
    if session.common.talk.json {
        terminal::print_json(&report)?;
    } else {
        terminal::print(&text(&report))?;
    }
    if report.engines.iter().all(|seen| seen.engine.is_none()) {
        return Err(Error::environment("no engine answers; archives, OCI layouts and folders work")
            .with_hint("start Docker or podman, or name files: --base FILE and -o FILE"));
    }
    Ok(())
}

fn seen(session: &Session, kind: ClientKind) -> Seen {
    let engine = session.engine(Some(kind));
    Seen {
        client: kind.program(),
        engine: engine.as_ref().ok().map(delta_transport::engine::Engine::label),
        why_not: engine.err().map(|error| error.to_string()),
    }
}

/// Containerd itself, where no other engine was asked for.
fn containerd(session: &Session) -> Option<Seen> {
    if session.common.engine.is_some() {
        return None;
    }
    let containerd = session.containerd();
    let told =
        |containerd: &Containerd| format!("{}, namespaces {}", containerd.label(), containerd.namespaces().join(", "));
    Some(Seen {
        client: "containerd",
        engine: containerd.as_ref().ok().map(|containerd| told(containerd)),
        why_not: containerd.err().map(|error| error.to_string()),
    })
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!("docker_delta {}", report.version)];
    for seen in &report.engines {
        let state = seen.engine.as_ref().or(seen.why_not.as_ref()).map_or("", String::as_str);
        let mark = if seen.engine.is_some() { "works" } else { "does not work" };
        lines.push(format!("{:<12}{mark}: {state}", seen.client));
    }
    lines.push(format!("{:<12}works: docker-archive, oci-archive, oci, dir; no engine is needed", "files"));
    lines.push(format!("{:<12}{} free in {}", "room", size(report.free_bytes), report.temp_dir));
    lines.iter().map(|line| format!("{line}\n")).collect()
}
