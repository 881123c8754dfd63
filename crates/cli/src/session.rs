//! What a command works with: the common options, the terminal, room for what is large; and how it comes from what the user
//! typed to images and packages.

mod volumes;

use std::fs::File;
use std::io::{self, StdinLock};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use delta_codec::ReadAt;
use delta_core::error::{Error, Kind, Result};
use delta_core::image::Image;
use delta_core::job::context::Context;
use delta_core::job::progress::Progress;
use delta_transport::containerd::Containerd;
use delta_transport::content;
use delta_transport::destination::{Destination, Request};
use delta_transport::engine::{Choice, ClientKind, Engine};
use delta_transport::file::{self, FileBytes, is_pipe, open_pipe};
use delta_transport::inputs::Inputs;
use delta_transport::reference::Reference;
use delta_transport::registry::{Referrers, Registries};
use delta_transport::source::{open_path, open_stream};
use delta_transport::spool::TempScratch;
use delta_transport::stdout;
use delta_transport::unchanged::Unchanged;
use delta_transport::volumes::{Depth, Opened};

use crate::arguments::Common;
use crate::surroundings;
use crate::terminal::Terminal;

/// What a package is called in errors.
pub(crate) const PACKAGE: &str = "package of docker_delta";

/// A package, and the volumes that it is in.
pub(crate) struct Whole {
    pub(crate) bytes: Arc<dyn ReadAt>,
    pub(crate) volumes: Option<Opened>,
}

/// What a command works with.
pub(crate) struct Session {
    pub(crate) common: Common,
    pub(crate) terminal: Terminal,
    pub(crate) scratch: Arc<TempScratch>,
    pub(crate) registries: Registries,
    /// The files that are read.
    unchanged: Unchanged,
    /// Whether standard input was asked for.
    stdin_is_taken: AtomicBool,
    /// The engines that answered, by what was asked for.
    engines: Mutex<Vec<(Option<ClientKind>, Engine)>>,
    /// Containerd, if it answered.
    containerd: OnceLock<Containerd>,
}

impl Session {
    pub(crate) fn new(common: Common) -> Result<Self> {
        stdout::keep().map_err(Error::io("keeping standard output for data"))?;
        let scratch = Arc::new(TempScratch::new(common.temp_dir.as_deref())?);
        let terminal = Terminal::new(common.talk.loudness());
        let registries = Registries::new(surroundings::access(&common), Arc::new(terminal.clone()));
        Ok(Self {
            terminal,
            common,
            scratch,
            registries,
            unchanged: Unchanged::default(),
            stdin_is_taken: AtomicBool::new(false),
            engines: Mutex::default(),
            containerd: OnceLock::new(),
        })
    }

    /// Fails when a file changed since it was opened.
    pub(crate) fn require_unchanged(&self) -> Result<()> {
        self.unchanged.require_unchanged()
    }

    /// The error, or what lies behind it: a file that changed, or a medium that failed.
    pub(crate) fn explained(&self, error: Error) -> Error {
        file::explained(self.unchanged.explained(error))
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context { scratch: self.scratch.as_ref(), progress: &self.terminal, cache: None }
    }
}

impl Session {
    /// Opens several lists of images; what one engine is asked for, it is asked for once.
    pub(crate) fn open_images<const N: usize>(&self, lists: [&[String]; N]) -> Result<[Vec<Image>; N]> {
        self.open_with(lists, [Referrers::Left; N])
    }

    /// [`Self::open_images`] with what hangs on images of registries, for the lists for which that is wanted.
    pub(crate) fn open_with<const N: usize>(
        &self,
        lists: [&[String]; N],
        referrers: [Referrers; N],
    ) -> Result<[Vec<Image>; N]> {
        let parsed: Vec<Vec<Reference>> = lists
            .iter()
            .map(|list| list.iter().map(|text| self.settled(text.parse()?)).collect::<Result<Vec<Reference>>>())
            .collect::<Result<_>>()?;
        if parsed.iter().flatten().filter(|reference| matches!(reference, Reference::Stdin)).count() > 1 {
            return Err(only_one_on_stdin());
        }
        let mut engines = Vec::new();
        for kind in [None, Some(ClientKind::Docker), Some(ClientKind::Podman)] {
            let names: Vec<String> =
                parsed.iter().flatten().filter_map(|reference| engine_name(reference, kind)).collect();
            if !names.is_empty() {
                let engine = self.engine(kind)?;
                let images = engine.open(&names, &self.scratch, &self.terminal)?;
                engines.push((kind, names.into_iter().zip(images).collect::<Vec<_>>()));
            }
        }
        let at = |path: &Path, pick: Option<&str>| {
            self.unchanged.add(path);
            open_path(path, pick, &self.scratch, &self.terminal).map_err(|error| mistaken(path, "image", error))
        };
        let open = |reference: &Reference, referrers: Referrers| -> Result<Vec<Image>> {
            match reference {
                Reference::Either(name) => at(Path::new(name), None),
                Reference::Path { path, pick } if is_pipe(path) => {
                    let what = path.display().to_string();
                    open_stream(&mut self.pipe(path)?, &what, pick.as_deref(), &self.scratch, &self.terminal)
                }
                Reference::Path { path, pick } => at(path, pick.as_deref()),
                Reference::Registry(address) => self.registries.open(address, referrers, &self.scratch),
                Reference::Containerd(name) => {
                    Ok(vec![self.containerd()?.open(name, &self.scratch, &self.terminal)?])
                }
                Reference::Stdin => {
                    open_stream(&mut self.stdin()?, "standard input", None, &self.scratch, &self.terminal)
                }
                Reference::Engine { kind, name } => {
                    let opened = engines.iter().filter(|(other, _)| other == kind).flat_map(|(_, images)| images);
                    Ok(opened.filter(|(other, _)| other == name).map(|(_, image)| image.clone()).take(1).collect())
                }
            }
        };
        let mut opened = [const { Vec::new() }; N];
        for ((list, references), referrers) in opened.iter_mut().zip(&parsed).zip(referrers) {
            for reference in references {
                list.extend(open(reference, referrers)?);
            }
        }
        Ok(opened)
    }

    /// The engine's image where a word means that and a path too, with a word about it; the path where the engine has none, or there
    /// is no engine. An engine that refuses to say is an error: nobody knows what was meant.
    fn settled(&self, reference: Reference) -> Result<Reference> {
        let Reference::Either(name) = reference else { return Ok(reference) };
        Ok(match self.engine(None) {
            Ok(engine) if engine.has(&name)? => {
                let label = engine.label();
                self.terminal.inform(format_args!(
                    "`{name}` is an image of {label} and a path here: the image is taken; write ./{name} for the path"
                ));
                Reference::Engine { kind: None, name }
            }
            _ => Reference::Path { path: name.into(), pick: None },
        })
    }

    /// Where the product of the command goes.
    pub(crate) fn destination(&self, request: Request<'_>) -> Result<Destination> {
        let destination = Destination::choose(request)?;
        if destination.is_stdout() && self.common.talk.json {
            return Err(Error::usage("the report of --json and what is written cannot both go to standard output")
                .with_hint("name a file instead of `-`"));
        }
        Ok(destination)
    }

    /// The engine that the user chose; it is reached once.
    pub(crate) fn engine(&self, kind: Option<ClientKind>) -> Result<Engine> {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, engine)) = engines.iter().find(|(known, _)| *known == kind) {
            return Ok(engine.clone());
        }
        let engine = self.reach(kind)?;
        engines.push((kind, engine.clone()));
        Ok(engine)
    }

    /// Containerd itself; it is reached once.
    pub(crate) fn containerd(&self) -> Result<&Containerd> {
        if let Some(containerd) = self.containerd.get() {
            return Ok(containerd);
        }
        let containerd = surroundings::containerd(Arc::new(self.terminal.clone()))?;
        Ok(self.containerd.get_or_init(|| containerd))
    }

    fn reach(&self, kind: Option<ClientKind>) -> Result<Engine> {
        let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let docker = is_set("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND");
        let global_arguments = self.common.engine_arguments.as_slice();
        let named = ["DOCKER_HOST", "DOCKER_CONTEXT"].into_iter().find(|name| is_set(name).is_some());
        Engine::connect(Choice {
            kind: kind.or(self.common.engine),
            global_arguments,
            docker: docker.as_deref(),
            named: global_arguments.first().map(String::as_str).or(named),
        })
    }

    /// The bytes of a package, which may be in volumes.
    pub(crate) fn open_whole(&self, path: &Path, depth: Depth) -> Result<Whole> {
        // Before anything is read, so that it is seen when the file becomes shorter.
        let own = self.open_file(path).map_err(|error| mistaken(path, PACKAGE, error));
        match self.open_volumes(path, depth)? {
            Some(volumes) => Ok(Whole { bytes: volumes.bytes.clone(), volumes: Some(volumes) }),
            None => Ok(Whole { bytes: own?, volumes: None }),
        }
    }

    /// Opens a file; what comes through a pipe or on standard input is read to its end.
    pub(crate) fn open_file(&self, path: &Path) -> Result<Arc<dyn ReadAt>> {
        if path == Path::new("-") {
            return self.scratch.spool(&mut self.stdin()?, "reading standard input");
        }
        if is_pipe(path) {
            return self.scratch.spool(&mut self.pipe(path)?, &format!("reading {}", path.display()));
        }
        self.unchanged.add(path);
        FileBytes::open(path)
    }

    /// Standard input, which can be read only once.
    fn stdin(&self) -> Result<StdinLock<'static>> {
        if self.stdin_is_taken.swap(true, Ordering::Relaxed) {
            return Err(only_one_on_stdin());
        }
        Ok(io::stdin().lock())
    }

    fn pipe(&self, path: &Path) -> Result<File> {
        self.terminal.inform(format_args!("{} is a pipe; what comes through it is read to its end", path.display()));
        open_pipe(path)
    }
}

/// What cannot be opened as what is `expected`, and is something else of ours, was named in the wrong place.
pub(crate) fn mistaken(path: &Path, expected: &str, error: Error) -> Error {
    let Some(found) = content::describe(path).filter(|_| error.kind() != Kind::Environment) else {
        return error;
    };
    let hint = match found {
        "a package" | "a volume of a package" if expected == "image" => {
            "`docker_delta apply` makes its images, `docker_delta info` tells what they are"
        }
        "a difference" => "`file_delta apply OLD DELTA NEW` applies it",
        "an image archive" | "an OCI layout" if expected != "image" => {
            "a package is what `docker_delta create IMAGE... PACKAGE` writes"
        }
        _ => return error,
    };
    let message = format!("{} is no {expected} but {found}", path.display());
    Error::Other { kind: error.kind(), message, hint: Some(hint.to_owned()) }
}

fn only_one_on_stdin() -> Error {
    Error::usage("only one file can come on standard input").with_hint("name a file for the other `-`")
}

/// The files and folders among what the user named as images.
pub(crate) fn inputs<const N: usize>(lists: [&[String]; N]) -> Result<Inputs> {
    let parsed = lists.into_iter().flatten().map(|text| text.parse()).collect::<Result<Vec<Reference>>>()?;
    Ok(Inputs::of(parsed.iter().filter_map(Reference::path)))
}

fn engine_name(reference: &Reference, wanted: Option<ClientKind>) -> Option<String> {
    match reference {
        Reference::Engine { kind, name } if *kind == wanted => Some(name.clone()),
        _ => None,
    }
}
