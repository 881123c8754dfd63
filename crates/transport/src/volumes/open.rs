//! Opens a set of volumes as the package that it is: by any of its files, on whatever media they are.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_envelope::volumes::{Set, restored_blocks};

use super::ask::{Ask, Lack};
use super::blocks::{Place, Survey, VolumeState, digest_in, index};
use super::file_name::VolumeName;
use super::place::{joined, read_block};
use super::search::{self, Candidate, FoundSet};
use crate::destination::folder_of;
use crate::file::FileBytes;
use crate::file_system;
use crate::spool::TempScratch;

/// How much of a set is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What the package needs: parity only where data is lost.
    Needed,
    /// All volumes, and the digest of the package.
    All,
}

/// What is to be opened.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Any volume, or the name of the package that they are volumes of.
    pub path: &'a Path,
    /// Where else volumes may be.
    pub folders: &'a [PathBuf],
    /// How much is looked at.
    pub depth: Depth,
    /// Who may be asked for what is missing.
    pub ask: &'a dyn Ask,
    /// Room for what is restored, and for what was on sticks that are gone.
    pub scratch: &'a TempScratch,
    /// The listener.
    pub progress: &'a dyn Progress,
}

/// A package whose blocks all were compared with their digests.
pub struct Opened {
    /// The package.
    pub bytes: Arc<dyn ReadAt>,
    /// What its volumes say.
    pub set: Arc<Set>,
    /// What is known of each volume.
    pub states: Vec<VolumeState>,
    /// How many blocks were restored from parity.
    pub restored_blocks: u64,
    /// The files that are read from here on.
    pub files: Vec<PathBuf>,
    pub(super) stem: PathBuf,
}

/// Opens the package that a path names a volume of; nothing where it names something else.
///
/// # Errors
/// Environment errors for what is missing or cannot be read, content errors for damage that parity does not make good; all of it is named.
pub fn open(request: Request<'_>) -> Result<Option<Opened>> {
    if !search::is_volume(request.path, request.folders) {
        return Ok(None);
    }
    let found = search::find(request.path, request.folders)?;
    let survey = Survey::new(&found.set);
    let mut gathered = Gathered { found, survey, sources: Vec::new(), looked_at: Vec::new() };
    gathered.gather(request)?;
    gathered.opened(request).map(Some)
}

/// What is known on the way.
struct Gathered {
    found: FoundSet,
    survey: Survey,
    sources: Vec<Arc<dyn ReadAt>>,
    /// Which candidates were looked at.
    looked_at: Vec<bool>,
}

impl Gathered {
    /// Looks, and asks, until all blocks are there or can be made.
    fn gather(&mut self, request: Request<'_>) -> Result<()> {
        let data = self.found.set.layout.data_volumes();
        loop {
            self.look(request.progress, |volume| volume <= data)?;
            if self.lost() > 0 || request.depth == Depth::All {
                self.look(request.progress, |volume| volume > data)?;
            }
            if self.lost() <= self.parity() {
                return Ok(());
            }
            let lack = self.lack(request);
            let folders = if lack.missing.is_empty() { None } else { self.asked(request, &lack)? };
            let Some(folders) = folders else { return Err(self.lacking(request)) };
            self.found.look(request.path, &folders);
        }
    }

    /// Keeps what may be taken away, then asks.
    fn asked(&mut self, request: Request<'_>, lack: &Lack) -> Result<Option<Vec<PathBuf>>> {
        if !request.ask.is_anybody_there() {
            return Ok(None);
        }
        self.keep(request)?;
        request.ask.next(lack)
    }

    /// Looks at the candidates of some volumes that were not looked at; at a second copy only where the first has faults.
    fn look(&mut self, progress: &dyn Progress, is_wanted: impl Fn(u64) -> bool) -> Result<()> {
        let Self { found, survey, sources, looked_at } = self;
        looked_at.resize(found.candidates.len(), false);
        for (candidate, is_done) in found.candidates.iter().zip(looked_at) {
            let is_whole = survey.states[index(candidate.volume - 1)?].whole;
            if *is_done || is_whole || !is_wanted(candidate.volume) {
                continue;
            }
            survey.add(&found.set, (sources.len(), candidate), progress)?;
            sources.push(source(candidate)?);
            *is_done = true;
        }
        Ok(())
    }

    /// Data blocks that are nowhere.
    fn lost(&self) -> u64 {
        self.survey.lost(0..self.found.set.layout.data_blocks())
    }

    /// Parity blocks that are there.
    fn parity(&self) -> u64 {
        let layout = &self.found.set.layout;
        layout.parity_blocks() - self.survey.lost(layout.data_blocks()..layout.blocks())
    }

    /// Copies what is good on other file systems than that of the system and that of temporary files, and lets go of it.
    fn keep(&mut self, request: Request<'_>) -> Result<()> {
        let is_kept = |candidate: &Candidate| candidate.file.is_some() && may_be_taken_away(candidate, request.scratch);
        let volumes: Vec<u64> = self.found.candidates.iter().filter(|one| is_kept(one)).map(|one| one.volume).collect();
        let layout = self.found.set.layout;
        let bytes = volumes.iter().map(|volume| layout.file_bytes(*volume)).sum();
        file_system::require(request.scratch.folder(), bytes, "keeping the volumes of a stick that is taken out")?;
        for volume in volumes {
            let mut kept = delta_codec::Scratch::create(request.scratch).map_err(Error::io("keeping a volume"))?;
            let source = self.sources.len();
            let mut offset = 0;
            for block in layout.blocks_of(volume) {
                let Some(place) = self.survey.places[index(block)?] else { continue };
                let length = layout.bytes_of(block);
                let piece = delta_codec::Slice::new(&self.sources[place.source], place.offset, length);
                let piece = piece.ok_or_else(|| Error::internal("a source ends before its blocks"))?;
                std::io::copy(&mut Reader::new(piece), &mut kept).map_err(Error::io("keeping a volume"))?;
                self.survey.places[index(block)?] = Some(Place { source, offset });
                offset += length;
            }
            self.sources.push(kept.freeze().map_err(Error::io("keeping a volume"))?);
        }
        // The files are let go of, so that the stick can be.
        self.found.candidates.iter_mut().filter(|one| is_kept(one)).for_each(|one| one.file = None);
        let used: Vec<usize> = self.survey.places.iter().flatten().map(|place| place.source).collect();
        for (number, source) in self.sources.iter_mut().enumerate() {
            if !used.contains(&number) {
                *source = Arc::new(Vec::new());
            }
        }
        Ok(())
    }

    fn opened(mut self, request: Request<'_>) -> Result<Opened> {
        let restored_blocks = self.lost();
        if restored_blocks > 0 {
            self.restore(request)?;
        }
        let bytes = joined(&self.found.set, &self.survey.places, &self.sources)?;
        if request.depth == Depth::All {
            let task = request.progress.begin("Checking the package", Some(bytes.len()));
            let mut reader = delta_core::job::progress::Counted::new(Reader::new(&bytes), &*task);
            let (found, _) = BlobDigest::of_reader(&mut reader).map_err(Error::io("reading the volumes"))?;
            if found != self.found.set.whole {
                let (what, expected) = (format!("the package in {}", request.path.display()), self.found.set.whole);
                return Err(Error::Mismatch { what, expected: expected.to_string(), found: found.to_string() });
            }
        }
        for remark in &self.found.remarks {
            request.progress.inform(format_args!("{remark}"));
        }
        let files = self.found.candidates.iter().filter(|one| one.file.is_some()).map(|one| one.path.clone()).collect();
        let FoundSet { set, stem, .. } = self.found;
        Ok(Opened { bytes, set, states: self.survey.states, restored_blocks, files, stem })
    }

    fn restore(&mut self, request: Request<'_>) -> Result<()> {
        let set = &self.found.set;
        file_system::require(
            request.scratch.folder(),
            self.lost().saturating_mul(set.layout.block_bytes()),
            "restoring blocks from parity",
        )?;
        let good: Vec<bool> = self.survey.places.iter().map(Option::is_some).collect();
        let (places, sources) = (&self.survey.places, &self.sources);
        let read = |block, offset, buffer: &mut [u8]| read_block(set, places, sources, (block, offset), buffer);
        let restored = restored_blocks(&set.layout, &good, &read, request.scratch, request.progress)?;
        let source = self.sources.len();
        let mut offset = 0;
        for block in 0..set.layout.data_blocks() {
            if self.survey.places[index(block)?].is_some() {
                continue;
            }
            let piece = delta_codec::Slice::new(&restored, offset, set.layout.bytes_of(block));
            let piece = piece.ok_or_else(|| Error::internal("a restored block is missing"))?;
            let (found, _) =
                BlobDigest::of_reader(&mut Reader::new(piece)).map_err(Error::io("reading restored blocks"))?;
            let expected = digest_in(set, block)?;
            if found != expected {
                let what = format!("block {block} that parity gave for {}", request.path.display());
                return Err(Error::Mismatch { what, expected: expected.to_string(), found: found.to_string() });
            }
            self.survey.places[index(block)?] = Some(Place { source, offset });
            offset += set.layout.block_bytes();
        }
        self.sources.push(restored);
        Ok(())
    }

    fn lack(&self, request: Request<'_>) -> Lack {
        let missing =
            self.survey.states.iter().filter(|state| state.file.is_none() && state.bad_blocks == state.blocks);
        let name = |state: &VolumeState| shown(&VolumeName::path(&self.found.stem, state.volume));
        Lack {
            missing: missing.map(name).collect(),
            volumes: self.found.set.layout.volumes(),
            folders: [folder_of(request.path)]
                .into_iter()
                .chain(request.folders.iter().map(PathBuf::as_path))
                .map(Path::to_owned)
                .collect(),
        }
    }

    /// What is missing and what is bad, of which there is too much.
    fn lacking(&self, request: Request<'_>) -> Error {
        let layout = &self.found.set.layout;
        let missing = self.lack(request).missing;
        let bad: Vec<&VolumeState> =
            self.survey.states.iter().filter(|state| state.file.is_some() && state.bad_blocks > 0).collect();
        let mut message = format!("{}:", request.path.display());
        // Writing into a string does not fail.
        if !missing.is_empty() {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            let _ = write!(message, " of {} volumes {verb} missing: {}", layout.volumes(), missing.join(", "));
        }
        for (state, path) in bad.iter().filter_map(|state| Some((state, state.file.as_ref()?))) {
            let separator = if message.ends_with(':') { "" } else { ";" };
            let _ = write!(message, "{separator} {} {}", path.display(), state.damage());
        }
        if layout.parity_blocks() > 0 {
            let _ =
                write!(message, "; {} blocks of data are lost, and {} of parity are there", self.lost(), self.parity());
        }
        for remark in &self.found.remarks {
            let _ = write!(message, "; {remark}");
        }
        if !missing.is_empty() {
            Error::environment(message)
                .with_hint("put them beside the others, or name the folder that has them: --volumes DIR")
        } else if bad.iter().any(|state| state.unreadable) {
            Error::environment(message).with_hint("the medium or the way to it fails; try another one")
        } else {
            Error::content(message).with_hint("copy what is damaged again from where it was made")
        }
    }
}

/// What a user is told about a set that was not whole; nothing where it was.
impl Opened {
    /// The faults that were found, one a line.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let looked_at = |state: &&VolumeState| {
            state.volume <= self.set.layout.data_volumes() || self.restored_blocks > 0 || state.file.is_some()
        };
        for state in self.states.iter().filter(looked_at).filter(|state| !state.whole) {
            faults.push(match &state.file {
                None => format!("{} is missing", shown(&VolumeName::path(&self.stem, state.volume))),
                Some(file) if state.unreadable || state.bad_blocks > 0 => {
                    format!("{} {}", file.display(), state.damage())
                }
                Some(file) => format!("{} is damaged outside of its blocks", file.display()),
            });
        }
        faults
    }
}

fn source(candidate: &Candidate) -> Result<Arc<dyn ReadAt>> {
    let name = candidate.path.display().to_string();
    let file = candidate.file.as_ref().ok_or_else(|| Error::internal("a file that was let go of"))?;
    let file = file.try_clone().map_err(Error::io(format!("opening {name}")))?;
    Ok(Arc::new(FileBytes::of(file, name.clone()).map_err(Error::io(format!("opening {name}")))?))
}

/// Whether the medium of a file may be one that is changed for the next.
fn may_be_taken_away(candidate: &Candidate, scratch: &TempScratch) -> bool {
    let (device, _) = candidate.id;
    let is_on = |path: &Path| file_system::device(path) == Some(device);
    !is_on(Path::new("/")) && !is_on(scratch.folder())
}

fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| Path::new(name).display().to_string())
}
