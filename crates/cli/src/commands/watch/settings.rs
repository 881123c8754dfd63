//! What holds for all packages of a watch: what was typed, else what the policy says; and the words by which `apply` is told.

use std::ffi::OsString;
use std::fs;
use std::path::{self, Path, PathBuf};
use std::time::Duration;

use delta_core::error::{Error, Result};
use delta_core::image::Platform;
use delta_envelope::key::PublicKey;
use delta_transport::inbox::{Inbox, Patience};
use delta_transport::key_files;
use delta_transport::policy::{self, Policy};
use delta_transport::reference::Reference;

use crate::arguments::{Common, Watch};

/// Seconds between two looks, if nobody says otherwise.
const INTERVAL: u64 = 5;

/// Seconds for which a copy over a bad line may pause. A run that deals with what is there waits for nothing.
const PATIENCE: u64 = 300;

/// Where the images go.
#[derive(Debug)]
enum Place {
    Engine,
    Containerd(String),
    Registry(String),
    Folder(PathBuf),
}

/// Whose packages are taken.
#[derive(Debug)]
enum Trusted {
    /// Those signed by keys that are named so.
    Keys(Vec<String>),
    Everybody,
}

/// What was decided, by whomever.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) interval: Duration,
    refusal: Duration,
    trusted: Trusted,
    place: Place,
    no_downgrade: bool,
    bases: Vec<String>,
    platforms: Vec<Platform>,
    identity_files: Vec<PathBuf>,
    /// What is common to all commands, as the policy says it.
    policy: Policy,
    policy_file: Option<PathBuf>,
}

impl Settings {
    /// Puts together what was typed and what the policy says.
    pub(super) fn of(common: &Common, arguments: &Watch) -> Result<Self> {
        if !common.volumes.is_empty() {
            return Err(Error::usage("--volumes names folders that a watch would not move anything out of")
                .with_hint("copy all volumes into the folder that is watched"));
        }
        let (policy_file, policy) = policy_of(arguments)?;
        let place = place(arguments, &policy)?;
        let refusal = arguments.patience.or(policy.patience).unwrap_or(if arguments.once { 0 } else { PATIENCE });
        let interval = arguments.interval.or(policy.interval).unwrap_or(INTERVAL);
        let settings = Self {
            interval: Duration::from_secs(interval),
            refusal: Duration::from_secs(refusal),
            trusted: trusted(arguments, &policy)?,
            place,
            no_downgrade: arguments.no_downgrade || policy.no_downgrade,
            bases: either(&arguments.bases, &policy.bases).iter().map(|text| base(text)).collect::<Result<_>>()?,
            platforms: if arguments.platforms.is_empty() {
                policy.platforms.iter().map(|text| text.parse()).collect::<Result<_>>()?
            } else {
                arguments.platforms.clone()
            },
            identity_files: absolute_all(either(&arguments.trust.identity_files, &policy.identity_files))?,
            policy,
            policy_file,
        };
        settings.require_trust()?;
        Ok(settings)
    }

    pub(super) fn patience(&self) -> Patience {
        Patience { settling: self.interval, refusal: self.refusal.max(self.interval) }
    }

    /// The folder that gets archives.
    pub(super) fn output(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// Fails when nobody is trusted: a key that is not there, or cannot be read, is no fault of a package.
    pub(super) fn require_trust(&self) -> Result<()> {
        let Trusted::Keys(keys) = &self.trusted else { return Ok(()) };
        key_files::of_machine()?;
        keys.iter().try_for_each(|text| key_files::named(text).map(drop)).map_err(|error| {
            let hint = match error.hint() {
                Some(hint) => hint.to_owned(),
                None => format!(
                    "put the maker's NAME.pub into {}, or name it: `trust` in the policy, or --trust; \
                     --allow-unsigned takes packages of anybody",
                    key_files::trusted().display()
                ),
            };
            error.within("nobody is trusted here").with_hint(hint)
        })
    }

    /// Fails when whoever drops packages could drop what decides about them, or what is written would be taken for a package.
    pub(super) fn require_outside(&self, inbox: &Inbox) -> Result<()> {
        let another = "whoever drops packages could put another one there";
        let keys = match &self.trusted {
            Trusted::Keys(keys) => keys.as_slice(),
            Trusted::Everybody => &[],
        };
        let policy = self.policy_file.iter().map(|path| ("policy", path.as_path(), another));
        let keys = keys.iter().map(|key| ("key", Path::new(key), another));
        let output = self.output().map(|path| ("output", path, "archives would be taken for packages"));
        let Some((what, path, reason)) = policy.chain(keys).chain(output).find(|(_, path, _)| inbox.holds(path)) else {
            return Ok(());
        };
        Err(Error::usage(format!("the {what} {} lies in {}, where {reason}", path.display(), inbox.path().display()))
            .with_hint("choose another folder for it"))
    }

    /// The words of `apply` that are the same for every package.
    pub(super) fn words(&self, common: &Common) -> Result<Vec<OsString>> {
        let mut words = Words(vec!["apply".into(), "--json".into()]);
        words.flag("--verbose", common.talk.verbose).flag("--quiet", common.talk.quiet);
        let engine = common.engine.or(self.policy.engine).map(|engine| engine.program().to_owned());
        words.options("--engine", engine);
        words.options("--temp-dir", absolute_first(&common.temp_dir, &self.policy.temp_dir)?);
        words.options("--tls-ca", absolute_first(&common.tls_ca, &self.policy.tls_ca)?);
        words.flag("--plain-http", common.plain_http || self.policy.plain_http);
        match &self.trusted {
            Trusted::Keys(keys) => words.options("--trust", keys),
            Trusted::Everybody => words.flag("--allow-unsigned", true),
        };
        words.options("--identity-file", &self.identity_files);
        words.flag("--no-downgrade", self.no_downgrade);
        words.options("--base", &self.bases);
        words.options("--platform", self.platforms.iter().map(ToString::to_string));
        match &self.place {
            // It is said behind the package.
            Place::Engine | Place::Containerd(_) => {}
            Place::Registry(to) => drop(words.options("--to", [to])),
            // An archive that a run wrote which was killed before it moved the package is written again.
            Place::Folder(_) => drop(words.flag("--force", true)),
        }
        Ok(words.0)
    }

    /// What comes behind the package.
    pub(super) fn target(&self) -> Option<String> {
        match &self.place {
            Place::Containerd(namespace) => Some(format!("containerd:{namespace}/")),
            _ => None,
        }
    }
}

/// Words of a command line.
struct Words(Vec<OsString>);

impl Words {
    fn flag(&mut self, name: &str, is_set: bool) -> &mut Self {
        self.0.extend(is_set.then(|| name.into()));
        self
    }

    fn options<T: Into<OsString>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) -> &mut Self {
        // In one word, so that no value is taken for an option.
        self.0.extend(values.into_iter().map(|value| {
            let mut word = OsString::from(format!("{name}="));
            word.push(value.into());
            word
        }));
        self
    }
}

fn policy_of(arguments: &Watch) -> Result<(Option<PathBuf>, Policy)> {
    if let Some(path) = &arguments.policy {
        return Ok((Some(path.clone()), Policy::read(path)?));
    }
    let path = Path::new(policy::OF_MACHINE);
    if path.try_exists().map_err(Error::io(format!("looking at {}", path.display())))? {
        return Ok((Some(path.to_owned()), Policy::read(path)?));
    }
    Ok((None, Policy::default()))
}

fn trusted(arguments: &Watch, policy: &Policy) -> Result<Trusted> {
    let (keys, is_open) = match (&arguments.trust.trust, arguments.trust.allow_unsigned) {
        (typed, false) if typed.is_empty() => (&policy.trust, policy.allow_unsigned),
        (typed, is_open) => (typed, is_open),
    };
    if is_open {
        return Ok(Trusted::Everybody);
    }
    if keys.is_empty() {
        // Named, so that a folder that is emptied meanwhile does not let everybody in.
        return Ok(Trusted::Keys(vec![key_files::trusted().display().to_string()]));
    }
    let named = |text: &String| if PublicKey::is_meant(text) { Ok(text.clone()) } else { absolute_text(text) };
    Ok(Trusted::Keys(keys.iter().map(named).collect::<Result<_>>()?))
}

fn place(arguments: &Watch, policy: &Policy) -> Result<Place> {
    let typed = &arguments.place;
    let said = [(&typed.to, &typed.containerd, &typed.output), (&policy.to, &policy.containerd, &policy.output)];
    for said in said {
        match said {
            (Some(to), ..) => return Ok(Place::Registry(to.clone())),
            (_, Some(namespace), _) if namespace.is_empty() || namespace.contains(['/', ':']) => {
                return Err(Error::usage(format!(
                    "expected a namespace of containerd such as k8s.io, found `{namespace}`"
                )));
            }
            (_, Some(namespace), _) => return Ok(Place::Containerd(namespace.clone())),
            (.., Some(output)) => return folder(output).map(Place::Folder),
            _ => {}
        }
    }
    Ok(Place::Engine)
}

/// A folder that archives go into. It is not made: what is mistyped, or a medium that is not mounted, would be hidden by that.
fn folder(output: &Path) -> Result<PathBuf> {
    let found = fs::metadata(output).map_err(Error::io(format!("opening {}", output.display())))?;
    if !found.is_dir() {
        return Err(Error::usage(format!("{} is no folder", output.display()))
            .with_hint("every package makes an archive of its own: name a folder for them"));
    }
    absolute(output)
}

/// A base as `apply` shall find it from another folder.
fn base(text: &str) -> Result<String> {
    let archives = ["docker-archive:", "oci-archive:", "oci:", "dir:"];
    match text.parse()? {
        Reference::Stdin => Err(Error::usage("a watch has no standard input that a base could come on")),
        Reference::Path { .. } => match archives.iter().find_map(|prefix| Some((prefix, text.strip_prefix(prefix)?))) {
            Some((prefix, path)) => Ok(format!("{prefix}{}", absolute_text(path)?)),
            None => absolute_text(text),
        },
        _ => Ok(text.to_owned()),
    }
}

fn either<'a, T>(typed: &'a [T], said: &'a [T]) -> &'a [T] {
    if typed.is_empty() { said } else { typed }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path::absolute(path).map_err(Error::io(format!("finding {}", path.display())))
}

fn absolute_text(text: &str) -> Result<String> {
    let path = absolute(Path::new(text))?;
    path.into_os_string().into_string().map_err(|_| Error::usage("the folder that this runs in has no name in UTF-8"))
}

fn absolute_all(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    paths.iter().map(|path| absolute(path)).collect()
}

fn absolute_first(typed: &Option<PathBuf>, said: &Option<PathBuf>) -> Result<Option<PathBuf>> {
    typed.as_ref().or(said.as_ref()).map(|path| absolute(path)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_found_from_every_folder() {
        let here = std::env::current_dir().unwrap().display().to_string();
        for (text, expected) in [
            ("app:v1", "app:v1".to_owned()),
            ("docker://registry.example/app:v1", "docker://registry.example/app:v1".to_owned()),
            ("containerd:k8s.io/app", "containerd:k8s.io/app".to_owned()),
            ("v1.tar", format!("{here}/v1.tar")),
            ("/v1.tar", "/v1.tar".to_owned()),
            ("docker-archive:v1.tar:app:v1", format!("docker-archive:{here}/v1.tar:app:v1")),
            ("oci:layout", format!("oci:{here}/layout")),
        ] {
            assert_eq!(base(text).unwrap(), expected);
        }
        assert!(base("-").is_err());
    }
}
