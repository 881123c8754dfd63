//! `docker_delta split`, `join` and `repair`, and `create` where it writes volumes.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_envelope::volumes::{Layout, Set};
use delta_transport::destination::{Product, Request};
use delta_transport::inputs::Inputs;
use delta_transport::volumes::{self, Depth, Opened, VolumeName, VolumeState, WriteRequest, WrittenVolume};
use serde::Serialize;

use crate::arguments::{Join, Repair, Split, VolumeArguments};
use crate::figures::{self, size};
use crate::session::Session;
use crate::terminal;

/// A set of volumes, in reports.
#[derive(Serialize)]
pub(crate) struct SetReport {
    /// What all volumes of the set have alike.
    set: BlobDigest,
    package_bytes: u64,
    package_digest: BlobDigest,
    block_bytes: u64,
    data_blocks: u64,
    parity_blocks: u64,
    /// How many volumes may be lost, whichever they are.
    spare_volumes: u64,
    volumes: Vec<VolumeReport>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum VolumeReport {
    Written(WrittenVolume),
    Found(VolumeState),
}

/// What `split --json` and `repair --json` print.
#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(flatten)]
    set: SetReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<Vec<PathBuf>>,
}

/// What `join --json` prints.
#[derive(Serialize)]
struct JoinReport {
    schema: u32,
    package: String,
    package_bytes: u64,
    package_digest: BlobDigest,
}

impl SetReport {
    fn of(set: &Set, volumes: Vec<VolumeReport>) -> Self {
        let layout = &set.layout;
        Self {
            set: set.id(),
            package_bytes: layout.bytes(),
            package_digest: set.whole,
            block_bytes: layout.block_bytes(),
            data_blocks: layout.data_blocks(),
            parity_blocks: layout.parity_blocks(),
            spare_volumes: layout.spare_volumes(),
            volumes,
        }
    }

    /// The digest of the package.
    pub(crate) const fn package_digest(&self) -> BlobDigest {
        self.package_digest
    }

    /// A set as it was found.
    pub(crate) fn found(opened: &Opened) -> Self {
        Self::of(&opened.set, opened.states.iter().cloned().map(VolumeReport::Found).collect())
    }
}

/// A line for each volume.
pub(crate) fn table(opened: &Opened) -> String {
    let row = |state: &VolumeState| {
        let found = match &state.file {
            _ if state.whole => "whole".to_owned(),
            None => "missing".to_owned(),
            Some(_) if state.bad_blocks == 0 => "its header is damaged".to_owned(),
            Some(_) if state.unreadable => format!("cannot be read in {} of {} blocks", state.bad_blocks, state.blocks),
            Some(_) => format!("damaged in {} of {} blocks", state.bad_blocks, state.blocks),
        };
        let holds = if state.volume <= opened.set.layout.data_volumes() { "data" } else { "parity" };
        let file = state.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        vec![
            state.volume.to_string(),
            holds.to_owned(),
            size(opened.set.layout.file_bytes(state.volume)),
            terminal::escaped(&file),
            found,
        ]
    };
    figures::table(&["VOLUME", "HOLDS", "SIZE", "FILE", "FOUND"], &[0, 2], opened.states.iter().map(row))
}

/// Volumes that are to be written.
pub(crate) struct Cut<'a> {
    arguments: &'a VolumeArguments,
    /// What they are called, without the number.
    stem: PathBuf,
    force: bool,
    reads_back: bool,
    inputs: Inputs,
}

impl<'a> Cut<'a> {
    /// Decides where volumes go, and touches nothing. In a folder they get this `name`.
    pub(crate) fn choose(
        session: &Session,
        arguments: &'a VolumeArguments,
        (path, name): (&Path, Option<&str>),
        force: bool,
        inputs: Inputs,
    ) -> Result<Self> {
        if path == Path::new("-") {
            return Err(Error::usage("volumes are files, and cannot go to standard output")
                .with_hint("name a file, which gets a number, or a folder"));
        }
        let stem = match (path.is_dir(), name) {
            (false, _) => VolumeName::stem(path),
            (true, Some(name)) => path.join(name),
            (true, None) => {
                let example = path.join("NAME.ddelta");
                return Err(Error::usage(format!("{} is a folder, where volumes are to be written", path.display()))
                    .with_hint(format!("name them: {}", example.display())));
            }
        };
        let cut = Self { arguments, stem, force, reads_back: false, inputs };
        volumes::check(cut.request(session), arguments.volume_size.map(|most| most.0))?;
        Ok(cut)
    }

    /// The same; where it is `wanted`, each volume is read back from the medium before it gets its name.
    pub(crate) fn reading_back(self, wanted: bool) -> Self {
        Self { reads_back: wanted, ..self }
    }

    /// What the package is called that the volumes make.
    pub(crate) fn stem(&self) -> &Path {
        &self.stem
    }

    /// What the first volume is called.
    pub(crate) fn first(&self) -> PathBuf {
        VolumeName::path(&self.stem, 1)
    }

    fn request<'b>(&'b self, session: &'b Session) -> WriteRequest<'b> {
        WriteRequest {
            stem: &self.stem,
            force: self.force,
            resume: self.arguments.resume,
            reads_back: self.reads_back,
            inputs: &self.inputs,
            scratch: &session.scratch,
            progress: &session.terminal,
        }
    }

    fn layout(&self, bytes: u64) -> Result<Layout> {
        Layout::plan(bytes, self.arguments.volume_size.map(|most| most.0), self.arguments.parity.unwrap_or_default())
    }

    /// Says how a package of so many bytes would be split.
    pub(crate) fn foretell(&self, session: &Session, bytes: u64) -> Result<()> {
        let layout = self.layout(bytes)?;
        let (count, most) = (layout.volumes(), size(layout.file_bytes(1)));
        session.terminal.inform(format_args!("it would be split into {count} volumes of at most {most}"));
        tell_spare(session, &layout);
        Ok(())
    }

    /// Writes the volumes of a package.
    pub(crate) fn write(&self, session: &Session, bytes: Arc<dyn ReadAt>) -> Result<SetReport> {
        self.write_as(session, self.layout(bytes.len())?, bytes)
    }

    fn write_as(&self, session: &Session, layout: Layout, bytes: Arc<dyn ReadAt>) -> Result<SetReport> {
        let split = volumes::Split::new(bytes, layout, &session.scratch, &session.terminal)?;
        let written = volumes::write(&split, self.request(session))?;
        let kept = written.iter().filter(|volume| volume.kept).count();
        let kept = if kept == 0 { String::new() } else { format!("; {kept} were there already") };
        session.terminal.inform(format_args!(
            "{} and on: {} volumes of at most {}{kept}",
            self.first().display(),
            layout.volumes(),
            size(layout.file_bytes(1)),
        ));
        tell_spare(session, &layout);
        Ok(SetReport::of(&split.set, written.into_iter().map(VolumeReport::Written).collect()))
    }
}

/// What parity is good for.
fn tell_spare(session: &Session, layout: &Layout) {
    if layout.parity_blocks() == 0 {
        return;
    }
    let (blocks, block) = (layout.parity_blocks(), size(layout.block_bytes()));
    let volumes = match layout.spare_volumes() {
        0 => {
            let percent = (100 * layout.blocks_per_volume()).div_ceil(layout.data_blocks());
            format!("no whole volume (--parity {percent}% would)")
        }
        1 => "any one volume".to_owned(),
        spare => format!("any {spare} volumes"),
    };
    session.terminal.inform(format_args!("parity makes up for {volumes}, or {blocks} blocks of {block} anywhere"));
}

pub(crate) fn split(session: &Session, arguments: &Split) -> Result<()> {
    let opened = session.open_volumes(&arguments.package, Depth::Needed)?;
    let is_split = match &opened {
        Some(_) => matches!(arguments.volumes.is_split(), Ok(true)),
        None => arguments.volumes.is_split()?,
    };
    if opened.is_none() && !is_split {
        return Err(Error::usage("what `split` makes of a package is not said")
            .with_hint("--volume-size SIZE makes volumes of this size, --parity N% adds parity"));
    }
    let name = VolumeName::stem(&arguments.package);
    let name = name.file_name().and_then(|name| name.to_str()).filter(|name| *name != "-");
    let inputs = match &opened {
        Some(opened) => Inputs::of(opened.files.iter().map(PathBuf::as_path)),
        None => Inputs::of([arguments.package.as_path()]),
    };
    let output = arguments.output.as_deref().unwrap_or(&arguments.package);
    let cut = Cut::choose(session, &arguments.volumes, (output, name), arguments.force, inputs)?;
    let (layout, bytes) = match opened {
        // A copy is cut as its source is.
        Some(opened) if !is_split => (opened.set.layout, opened.bytes),
        Some(opened) => (cut.layout(opened.bytes.len())?, opened.bytes),
        None => {
            let bytes = session.open_file(&arguments.package)?;
            (cut.layout(bytes.len())?, bytes)
        }
    };
    let report = cut.write_as(session, layout, bytes)?;
    session.require_unchanged()?;
    if session.common.talk.json {
        return terminal::print_json(&Report { schema: 1, set: report, repaired: None });
    }
    Ok(())
}

pub(crate) fn join(session: &Session, arguments: &Join) -> Result<()> {
    let name = VolumeName::stem(&arguments.volume);
    let destination = session.destination(Request {
        product: Product::Package,
        path: &arguments.package,
        name: name.file_name().and_then(|name| name.to_str()),
        force: arguments.force,
        inputs: &Inputs::of([arguments.volume.as_path()]),
    })?;
    let opened = session.open_volumes(&arguments.volume, Depth::All)?.ok_or_else(|| no_volume(&arguments.volume))?;
    destination.require(opened.bytes.len())?;
    let copy = |out: &mut dyn Write| io::copy(&mut Reader::new(&opened.bytes), out);
    destination.write_file(&session.scratch, |out| copy(out).map_err(Error::io(format!("writing {destination}"))))?;
    session.require_unchanged()?;
    if session.common.talk.json {
        return terminal::print_json(&JoinReport {
            schema: 1,
            package: destination.to_string(),
            package_bytes: opened.bytes.len(),
            package_digest: opened.set.whole,
        });
    }
    session.terminal.inform(format_args!("the package is in {destination}"));
    Ok(())
}

pub(crate) fn repair(session: &Session, arguments: &Repair) -> Result<()> {
    let repaired = session
        .with_request(&arguments.volume, Depth::All, |request| volumes::repair(request, arguments.output.as_deref()))?;
    for fault in repaired.opened.faults() {
        session.terminal.inform(format_args!("{fault}"));
    }
    for file in &repaired.written {
        session.terminal.inform(format_args!("{} is written again", file.display()));
    }
    if repaired.written.is_empty() {
        let count = repaired.opened.states.len();
        session.terminal.inform(format_args!("all {count} volumes are whole; nothing is written"));
    }
    if session.common.talk.json {
        let report = Report { schema: 1, set: SetReport::found(&repaired.opened), repaired: Some(repaired.written) };
        return terminal::print_json(&report);
    }
    Ok(())
}

fn no_volume(path: &Path) -> Error {
    Error::usage(format!("{} is no volume of a package", path.display()))
        .with_hint("`docker_delta split PACKAGE --volume-size SIZE` makes volumes")
}
