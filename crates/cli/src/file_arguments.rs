//! What can be typed after `file_delta`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use delta_core::job::choices::Method;
use delta_transport::tree::Keep;

use crate::arguments::{Common, CompressionArguments, EncryptionArguments, Opening, Signing, Talk, one_of};

const EXAMPLES: &str = "\
Examples:
  file_delta create firmware-1.bin firmware-2.bin update.delta
  file_delta apply firmware-1.bin update.delta firmware-2.bin
  file_delta create site-monday/ site-tuesday/ site.delta       # folders, with owners, times, links and attributes
  file_delta create -m xdelta3 -c none OLD NEW DELTA            # DELTA is what `xdelta3 -d -s OLD DELTA NEW` reads
  file_delta create -m bsdiff OLD NEW DELTA                     # DELTA is what `bspatch OLD NEW DELTA` reads";

const CREATE_EXAMPLES: &str = "\
Examples:
  file_delta create firmware-1.bin firmware-2.bin update.delta
  file_delta create -l 19 site-monday/ site-tuesday/ site.delta    # smaller, slower
  file_delta create -d old.img new.img image.delta              # only say what it would weigh";

const APPLY_EXAMPLES: &str = "\
Examples:
  file_delta apply firmware-1.bin update.delta firmware-2.bin
  file_delta apply --no-owner site-monday/ site.delta site-tuesday/
  file_delta apply -f firmware.bin update.delta firmware.bin    # in the place of the old one";

/// A file has no layers that could travel whole.
const METHODS: [&str; 3] = [Method::Auto.name(), Method::Xdelta3.name(), Method::Bsdiff.name()];

/// Makes small differences of files and folders, and applies them exactly.
#[derive(Debug, Parser)]
#[command(name = "file_delta", version, after_help = EXAMPLES, max_term_width = 120)]
pub struct FileArguments {
    #[command(flatten)]
    pub(crate) common: FileCommon,
    #[command(subcommand)]
    pub(crate) command: FileCommand,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct FileCommon {
    #[command(flatten)]
    talk: Talk,
    /// Folder for temporary files instead of TMPDIR
    #[arg(long, global = true, value_name = "DIR", env = "DOCKER_DELTA_TEMP_DIR", hide_env_values = true)]
    temp_dir: Option<PathBuf>,
}

impl FileCommon {
    pub(crate) fn into_common(self) -> Common {
        let Self { talk, temp_dir } = self;
        Common {
            talk,
            temp_dir,
            engine: None,
            tls_ca: None,
            plain_http: false,
            volumes: Vec::new(),
            engine_arguments: Vec::new(),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum FileCommand {
    /// Make the difference that turns OLD into NEW: two files, or two folders
    #[command(after_help = CREATE_EXAMPLES)]
    Create(FileCreate),
    /// Make NEW out of OLD and a difference
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(FileApply),
}

/// Arguments of `create`.
#[derive(Debug, Args)]
pub struct FileCreate {
    /// The file or folder that the other side has
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The file or folder that it shall get
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// The difference to write; in a folder it is called like NEW; `-` is standard output
    #[arg(value_name = "DELTA")]
    pub(crate) delta: PathBuf,
    /// The smallest way, a VCDIFF, or a BSDIFF40
    #[arg(short, long, default_value = "auto", env = "DOCKER_DELTA_METHOD", hide_env_values = true)]
    #[arg(value_parser = one_of::<Method>(METHODS))]
    pub(crate) method: Method,
    #[command(flatten)]
    pub(crate) compression: CompressionArguments,
    #[command(flatten)]
    pub(crate) signing: Signing,
    #[command(flatten)]
    pub(crate) encryption: EncryptionArguments,
    /// Only say what the difference would weigh
    #[arg(short, long)]
    pub(crate) dry_run: bool,
    /// Read back from the medium what was written, past the page cache, before it gets its name
    #[arg(long)]
    pub(crate) verify_write: bool,
    /// Replace DELTA if it is a difference
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct FileApply {
    /// The file or folder that is here
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The difference
    #[arg(value_name = "DELTA")]
    pub(crate) delta: PathBuf,
    /// The file or folder to write; in a folder a file is called like DELTA, without `.delta`; `-` is standard output
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// Only check that it can be applied
    #[arg(short, long)]
    pub(crate) dry_run: bool,
    /// Read back from the medium what was written, past the page cache, before it gets its name
    #[arg(long)]
    pub(crate) verify_write: bool,
    /// Replace NEW if it is a file; a folder that is not empty is never replaced
    #[arg(short, long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) opening: Opening,
    #[command(flatten)]
    without: Without,
}

impl FileApply {
    pub(crate) fn keep(&self) -> Keep {
        let Without { no_owner, no_permissions, no_times, no_xattrs, no_devices } = self.without;
        Keep {
            owner: !no_owner,
            permissions: !no_permissions,
            times: !no_times,
            attributes: !no_xattrs,
            devices: !no_devices,
        }
    }
}

/// What need not be given back.
#[derive(Clone, Copy, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Without {
    /// Leave owners and groups to be yours; an ordinary user gets this, and a word about it, without asking
    #[arg(long)]
    no_owner: bool,
    /// Leave permissions as they are for new files
    #[arg(long)]
    no_permissions: bool,
    /// Leave times to be now
    #[arg(long)]
    no_times: bool,
    /// Leave out extended attributes, with access control lists and capabilities
    #[arg(long)]
    no_xattrs: bool,
    /// Leave out device nodes
    #[arg(long)]
    no_devices: bool,
}
