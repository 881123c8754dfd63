//! What can be typed after `docker_delta`. Help, completions and man pages are made from this.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use delta_codec::compress::{Compression, Level};
use delta_core::error::{Error, Result};
use delta_core::image::Platform;
use delta_core::job::choices::{CompressionOptions, Identity, Method};
use delta_transport::engine::ClientKind;
use delta_transport::output::Output;
use delta_transport::reference::Target;

use crate::commands::apply::MappingFormat;
use crate::terminal::Loudness;

mod examples;
mod registry;
mod sealed;
mod volumes;
mod watch;

pub(crate) use registry::{Pull, Push};
pub(crate) use sealed::{EncryptionArguments, Freshness, Keygen, Opening, Sign, SignatureArguments, Signing};
pub(crate) use volumes::{Join, Repair, Split, VolumeArguments};
pub(crate) use watch::Watch;

/// Moves container images to machines that no network reaches: as small packages, exact to the last byte.
#[derive(Debug, Parser)]
#[command(name = "docker_delta", version, after_help = examples::PROGRAM, max_term_width = 120)]
pub struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    #[command(flatten)]
    pub(crate) talk: Talk,
    /// Folder for temporary files instead of TMPDIR; may need as much room as the images
    #[arg(long, global = true, value_name = "DIR", env = "DOCKER_DELTA_TEMP_DIR", hide_env_values = true)]
    pub(crate) temp_dir: Option<PathBuf>,
    /// The engine to use [default: docker, or podman where docker is not installed]
    #[arg(long, global = true, env = "DOCKER_DELTA_ENGINE", hide_env_values = true)]
    #[arg(value_parser = one_of::<ClientKind>(ClientKind::ALL.map(ClientKind::program)))]
    pub(crate) engine: Option<ClientKind>,
    /// File with certificates (PEM) of an authority of your own, for registries
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Speak with registries without TLS; those on this machine are asked what they speak
    #[arg(long, global = true)]
    pub(crate) plain_http: bool,
    /// Another folder that has volumes of the package, such as a second stick; may be given several times
    #[arg(long = "volumes", global = true, value_name = "DIR")]
    pub(crate) volumes: Vec<PathBuf>,
    /// Global options that Docker's client hands to its plugins.
    #[arg(skip)]
    pub(crate) engine_arguments: Vec<String>,
}

/// How much is said, and in which form.
#[derive(Clone, Copy, Debug, Args)]
pub struct Talk {
    /// Tell more of what is done
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Tell nothing but data and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print the report, or the error, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Talk {
    pub(crate) const fn loudness(self) -> Loudness {
        match self {
            Self { quiet: true, .. } => Loudness::Quiet,
            Self { verbose: true, .. } => Loudness::Verbose,
            _ => Loudness::Usual,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a package of images; with --base, only of what the base images lack
    #[command(after_help = examples::CREATE, allow_missing_positional = true)]
    Create(Create),
    /// Rebuild the images of a package and load them into the engine, or write them to a file
    #[command(after_help = examples::APPLY)]
    Apply(Apply),
    /// Apply every package that is dropped into a folder, if it is signed by whom the site trusts
    #[command(after_help = examples::WATCH)]
    Watch(Watch),
    /// Keep a package in a registry, where `pull` finds it by the image that it makes
    #[command(after_help = examples::PUSH)]
    Push(Push),
    /// Get an image by the smallest package of a registry that fits what is here
    #[command(after_help = examples::PULL)]
    Pull(Pull),
    /// List the layers of a package: what happens to each, and what it weighs
    #[command(after_help = examples::LIST)]
    List(PackageOnly),
    /// Tell what a package is: images, tags, platforms, method, sizes, and the base images that it needs
    #[command(after_help = examples::INFO)]
    Info(PackageOnly),
    /// Check a package wholly, without any base image
    #[command(after_help = examples::VERIFY)]
    Verify(PackageOnly),
    /// Sign a package, inside of it or beside it; whoever hands it on can add a signature to its maker's
    #[command(after_help = examples::SIGN)]
    Sign(Sign),
    /// Make a pair of keys: one that signs packages, and one that checks them
    #[command(after_help = examples::KEYGEN)]
    Keygen(Keygen),
    /// Split a package into volumes that fit a medium, and add parity, so that a bad medium costs nothing
    #[command(after_help = examples::SPLIT)]
    Split(Split),
    /// Join the volumes of a package to one file
    #[command(after_help = examples::JOIN)]
    Join(Join),
    /// Write the volumes of a package again that are missing or bad, out of the others
    #[command(after_help = examples::REPAIR)]
    Repair(Repair),
    /// Tell what is seen of an image: documents, platforms, layers
    #[command(after_help = examples::INSPECT)]
    Inspect(Inspect),
    /// Tell whether two things hold the same image, whatever the archive around it looks like
    #[command(after_help = examples::COMPARE)]
    Compare(Compare),
    /// Tell what works from here: engines, their stores, room
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Print the completions for a shell: bash, zsh, fish, elvish or powershell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Write the man pages into a folder
    #[command(after_help = examples::MAN)]
    Man(Man),
}

/// Applies packages of docker_delta, and tells what is in them.
#[derive(Debug, Parser)]
#[command(name = "docker_delta-applier", version, max_term_width = 120)]
pub struct ApplierArguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: ApplierCommand,
}

/// The commands of the program that only applies.
#[derive(Debug, Subcommand)]
pub enum ApplierCommand {
    /// Rebuild the images of a package and load them into the engine, or write them to a file
    Apply(Box<Apply>),
    /// List the layers of a package: what happens to each, and what it weighs
    List(PackageOnly),
    /// Tell what a package is: images, tags, platforms, method, sizes, and the base images that it needs
    Info(PackageOnly),
    /// Check a package wholly, without any base image
    Verify(PackageOnly),
}

/// Arguments of `create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The images to bring
    #[arg(required_unless_present_any = ["image_lists", "compose", "kubernetes"], value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// The package to write; in a folder it is called like the image; `-` is standard output
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    /// An image that the other side has; may be given several times
    #[arg(short, long = "base", value_name = "IMAGE")]
    pub(crate) bases: Vec<String>,
    /// Read every layer of the base images and compare it with its digest, also those that nothing is made from
    #[arg(long)]
    pub(crate) check_bases: bool,
    /// Read the base layers as a whole, whatever is known of them from before, and keep nothing of them for the next time
    #[arg(long)]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) lists: ListArguments,
    /// Leave signatures, bills of materials and whatever else hangs on an image of a registry
    #[arg(long)]
    pub(crate) no_referrers: bool,
    /// Take only this platform of an image for several, such as linux/amd64; may be given several times
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub(crate) platforms: Vec<Platform>,
    /// How layers travel: the smallest way, as VCDIFF, as BSDIFF40, or whole
    #[arg(short, long, default_value = "auto", env = "DOCKER_DELTA_METHOD", hide_env_values = true)]
    #[arg(value_parser = one_of::<Method>(Method::ALL.map(Method::name)))]
    pub(crate) method: Method,
    #[command(flatten)]
    pub(crate) compression: CompressionArguments,
    /// What must come back: manifest (everything, so that digests and signatures stay valid) or config (config and layers;
    /// smaller where the source keeps layers compressed)
    #[arg(long, default_value = "manifest", env = "DOCKER_DELTA_IDENTITY", hide_env_values = true)]
    #[arg(value_parser = one_of::<Identity>(Identity::ALL.map(Identity::name)))]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) signing: Signing,
    #[command(flatten)]
    pub(crate) encryption: EncryptionArguments,
    #[command(flatten)]
    pub(crate) volumes: VolumeArguments,
    /// Put a program before the package that applies it, so that `sh PACKAGE` does: the one of this release for machines like this one, or
    /// for x86_64 or aarch64, or the one in a file
    #[arg(long, value_name = "MACHINE", num_args = 0..=1, require_equals = true, default_missing_value = std::env::consts::ARCH)]
    #[arg(conflicts_with_all = ["volume_size", "parity"])]
    pub(crate) self_contained: Option<PathBuf>,
    /// Only say what the package would weigh, layer by layer
    #[arg(short, long)]
    pub(crate) dry_run: bool,
    /// Read back from the medium what was written, past the page cache, before it gets its name
    #[arg(long)]
    pub(crate) verify_write: bool,
    /// Replace the package, or its volumes, if there is one; nothing but a package is ever replaced
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Files that name images.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Bring the images that this file names, one a line (`#` for comments, `-` for standard input)
    #[arg(id = "image_lists", long = "images", value_name = "FILE")]
    pub(crate) images: Vec<PathBuf>,
    /// The other side has the images that this file names, one a line
    #[arg(id = "base_lists", long = "base-images", value_name = "FILE")]
    pub(crate) bases: Vec<PathBuf>,
    /// Bring the images of the services of this Compose file
    #[arg(long, value_name = "FILE")]
    pub(crate) compose: Vec<PathBuf>,
    /// Bring the images of all containers of these manifests, as `kubectl` and `helm template` write them
    #[arg(long, value_name = "FILE")]
    pub(crate) kubernetes: Vec<PathBuf>,
    /// Take what these files name without docker:// from its registry and not from the engine
    #[arg(long)]
    pub(crate) pull: bool,
}

/// How members are compressed.
#[derive(Debug, Args)]
pub struct CompressionArguments {
    /// Compressor of the package
    #[arg(short, long, default_value = "zstd", env = "DOCKER_DELTA_COMPRESSION", hide_env_values = true)]
    #[arg(value_parser = one_of::<Compression>(Compression::ALL.map(Compression::name)))]
    pub(crate) compression: Compression,
    /// Level: 1 to 9; for zstd up to 22, and -1 to -100 for its fast mode [default: zstd 9]
    #[arg(short, long, allow_negative_numbers = true, env = "DOCKER_DELTA_LEVEL", hide_env_values = true)]
    #[arg(value_parser = number)]
    pub(crate) level: Option<i32>,
    /// Leave compressed layers, and compressed files in them (gz, zip, jar, whl, png), as they are: a larger package, applied
    /// faster
    #[arg(long)]
    pub(crate) no_recompress: bool,
}

impl CompressionArguments {
    /// The choice, with the level checked against the compressor.
    pub(crate) fn checked(&self) -> Result<CompressionOptions> {
        let usual =
            CompressionOptions { recompress: !self.no_recompress, ..CompressionOptions::usual(self.compression) };
        let Some(level) = self.level else { return Ok(usual) };
        let level = Level::new(self.compression, level).map_err(|error| Error::usage(error.to_string()))?;
        Ok(CompressionOptions { level, ..usual })
    }
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The package, or any volume of it; `-` is standard input
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    #[command(flatten)]
    pub(crate) placement: Placement,
    /// Push all images into this registry, each with the path that it had behind this one (registry.local:5000/mirror/), and print
    /// which became which
    #[arg(long, value_name = "REGISTRY[/PATH]", conflicts_with_all = ["name", "output"])]
    pub(crate) to: Option<String>,
    /// With --to: how it is printed which image became which, for whoever pulls from there by the old names: OpenShift, podman
    /// (registries.conf), containerd (hosts.toml) [default: table]
    #[arg(long, value_name = "FORM", requires = "to", conflicts_with = "json")]
    #[arg(value_parser = one_of::<MappingFormat>(MappingFormat::names()))]
    pub(crate) mapping: Option<MappingFormat>,
    #[command(flatten)]
    pub(crate) opening: Opening,
    #[command(flatten)]
    pub(crate) freshness: Freshness,
    /// Only say what is missing, what would be read, rebuilt and loaded, and how much room it takes
    #[arg(short, long)]
    pub(crate) dry_run: bool,
    /// Read back from the medium what was written, past the page cache, before it gets its name
    #[arg(long, requires = "output")]
    pub(crate) verify_write: bool,
    /// Do it again if the image is there already; replace the output if it is an image archive or OCI layout
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Where images go, what they are called there, and from what they are made.
#[derive(Debug, Args)]
pub struct Placement {
    /// The name that the image gets instead of its original tags, or where it goes: the repository of a registry
    /// (docker://REGISTRY/NAME[:TAG]), or containerd (containerd:[NAMESPACE/][NAME])
    #[arg(value_name = "IMAGE_NAME", value_parser = target)]
    pub(crate) name: Option<Target>,
    /// Where the base images are, if not in the engine; may be given several times
    #[arg(short, long = "base", value_name = "IMAGE")]
    pub(crate) bases: Vec<String>,
    /// Write the images to a file that every engine loads (`-` is standard output), or a new folder (OCI layout), instead of
    /// into the engine
    #[arg(short, long, value_name = "FILE|DIR")]
    pub(crate) output: Option<Output>,
    /// Take only this platform of an image for several
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub(crate) platforms: Vec<Platform>,
}

/// The argument of commands that only read a package.
#[derive(Debug, Args)]
pub struct PackageOnly {
    /// The package, or any volume of it; `-` is standard input
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    #[command(flatten)]
    pub(crate) opening: Opening,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The image
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// An image
    #[arg(value_name = "A")]
    pub(crate) left: String,
    /// Another
    #[arg(value_name = "B")]
    pub(crate) right: String,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
}

/// Takes one of these names, which help and completions then show.
pub(crate) fn one_of<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names.into_iter().map(PossibleValue::new)).try_map(|text| text.parse::<T>())
}

fn number(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

/// Endings of files; whoever wants an image that is called so writes its tag too.
const FILES: [&str; 8] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2", ".ddelta", ".delta"];

/// A file would become the name of an image in the engine.
fn target(text: &str) -> Result<Target> {
    let bare = text.strip_suffix(":latest").unwrap_or(text);
    if FILES.iter().any(|ending| bare.ends_with(ending)) || Path::new(bare).is_file() {
        return Err(Error::usage(format!(
            "expected the name of an image, found a file `{text}`; write to it with -o {text}"
        )));
    }
    text.parse()
}
