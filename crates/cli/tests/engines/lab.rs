//! Starts an engine, and ends it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::judge::Judge;

/// Where no folder can be made, so that of bases nothing is kept from test to test.
const NO_CACHE: &str = "/dev/null";

/// What to start.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) root: Root,
    pub(crate) daemon: Daemon,
    /// Whether it can run containers where the limits are those of a simple environment, which podman 4 cannot.
    pub(crate) runs: bool,
    /// The folders below `testdata/samples/tiny` that it is tried with.
    pub(crate) samples: &'static [&'static str],
}

/// Where the engine's programs are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Host,
    Debian(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    Docker,
    DockerOnContainerd,
    Podman,
    /// Without Docker.
    Containerd,
}

/// What a daemon finds where it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    Usual,
    /// It asks [`Judge`] before it answers.
    Judged,
    /// What it keeps is on a disk of so many bytes.
    Small(u64),
}

/// A running engine.
pub(crate) struct Lab {
    pub(crate) plan: Plan,
    conditions: Conditions,
    judge: Option<Judge>,
    folder: TempDir,
    process: Option<Child>,
}

/// What a program did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    /// All that it printed.
    pub(crate) text: String,
}

/// Enters a root folder of its own in a private mount namespace, with the engine's folder at /mnt. A bare chroot would not
/// do: the engines need `/` to be a mount point.
const ENTER: &str = r#"
mount --bind "$ROOTFS" "$ROOTFS"
mount -t proc proc "$ROOTFS/proc"
mount --rbind /sys "$ROOTFS/sys"
mount --rbind /dev "$ROOTFS/dev"
mount --bind "$FOLDER" "$ROOTFS/mnt"
mkdir -p "$ROOTFS/.oldroot"
cd "$ROOTFS"
pivot_root . .oldroot
cd /
umount -l /.oldroot
exec "$@""#;

/// Docker looks for plugins in a folder of the system, which others use.
const JUDGED: &str = r#"
mount -t tmpfs none /run
mkdir -p /run/docker/plugins
ln -s "$AT/judge.sock" /run/docker/plugins/judge.sock
exec "$@""#;

const SMALL: &str = r#"
mkdir -p "$AT/root"
mount -t tmpfs -o "size=$SIZE" none "$AT/root"
exec "$@""#;

/// Runs `ctr` where the engine's folder is seen under the name that it has outside.
const CTR: &str = r#"
if [ "$SEEN" != "$FOLDER" ]; then
    mount -t tmpfs none /tmp
    mkdir -p "$FOLDER"
    mount --bind "$SEEN" "$FOLDER"
fi
exec /usr/bin/ctr "$@""#;

/// Kills the caller where it was asked for: an import when it has sent a part.
const KILLED: &str = r#"
if [ -n "${KILL_AT:-}" ]; then
    case "$*" in
    *"$KILL_AT"*)
        case "$KILL_AT" in *import*) head -c 2000 >/dev/null ;; esac
        kill -9 "$PPID"
        exit 1
        ;;
    esac
fi
"#;

impl Lab {
    /// The engine, which must be there.
    pub(crate) fn start(plan: Plan) -> Self {
        Self::start_in(plan, Conditions::Usual)
    }

    /// The same where the daemon finds something else.
    pub(crate) fn start_in(plan: Plan, conditions: Conditions) -> Self {
        Self::try_start(plan, conditions).unwrap_or_else(|why| panic!("{} is required: {why}", plan.name))
    }

    fn try_start(plan: Plan, conditions: Conditions) -> Result<Self, String> {
        if let Root::Debian(name) = plan.root
            && !rootfs(name).join("usr/bin/podman").exists()
        {
            return Err(format!("it is not in {}: run scripts/install-test-engines", rootfs(name).display()));
        }
        // Podman refuses long paths.
        let folder = tempfile::Builder::new().prefix("dd").rand_bytes(4).tempdir_in("/tmp").unwrap();
        let judge = (conditions == Conditions::Judged).then(|| Judge::new(&folder.path().join("judge.sock")));
        let mut lab = Self { plan, conditions, judge, folder, process: None };
        for name in ["bin", "docker", "files"] {
            fs::create_dir(lab.path(name)).unwrap();
        }
        match plan.daemon {
            Daemon::Docker | Daemon::DockerOnContainerd => lab.start_docker()?,
            Daemon::Podman => lab.write_podman(),
            Daemon::Containerd => lab.start_containerd()?,
        }
        let ready = if plan.daemon == Daemon::Containerd { lab.try_ctr(&["version"]) } else { lab.client(&["info"]) };
        let hint = "run scripts/install-test-tools and scripts/install-test-engines, as root";
        if ready.code == Some(0) { Ok(lab) } else { Err(format!("{}: {hint}", ready.text)) }
    }

    fn start_docker(&mut self) -> Result<(), String> {
        let containerd = self.plan.daemon == Daemon::DockerOnContainerd;
        let config = if containerd { r#"{"features":{"containerd-snapshotter":true}}"# } else { "{}" };
        fs::write(self.path("daemon.json"), config).unwrap();
        let inside = self.inside();
        let at = |name: &str| format!("{inside}/{name}");
        let mut words = vec![
            "dockerd".to_owned(),
            format!("--config-file={}", at("daemon.json")),
            format!("--data-root={}", at("root")),
            format!("--exec-root={}", at("exec")),
            format!("--pidfile={}", at("pid")),
            format!("--host=unix://{}", at("docker.sock")),
        ];
        words.extend(["--iptables=false", "--ip6tables=false", "--bridge=none"].map(str::to_owned));
        if !containerd {
            words.push("--storage-driver=overlay2".to_owned());
        }
        if self.judge.is_some() {
            words.push("--authorization-plugin=judge".to_owned());
        }
        self.start_daemon(words, "docker.sock", |lab| lab.client(&["version"]))
    }

    /// A containerd of its own, and a `ctr` that is found first in PATH: the one that belongs to it. Its daemon sees the socket
    /// where everybody else sees it.
    fn start_containerd(&mut self) -> Result<(), String> {
        let inside = self.inside();
        let config = format!(
            "version = 2\nroot = \"{inside}/root\"\nstate = \"{inside}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
             [grpc]\naddress = \"{inside}/containerd.sock\"\n"
        );
        fs::write(self.path("config.toml"), config).unwrap();
        let mut command = self.enter();
        command.args(["sh", "-ec", CTR, "ctr"]);
        let (folder, root) = (self.folder.path().display(), self.rootfs().display().to_string());
        let script = format!(
            "#!/bin/sh\nexport FOLDER={folder} ROOTFS={root} SEEN={inside}\n{KILLED}exec {} \"$@\"\n",
            quoted(&command)
        );
        self.write_program("ctr", &script);
        let words = vec!["containerd".to_owned(), "--config".to_owned(), format!("{inside}/config.toml")];
        self.start_daemon(words, "containerd.sock", |lab| lab.try_ctr(&["version"]))
    }

    fn start_daemon(&mut self, words: Vec<String>, socket: &str, ask: impl Fn(&Self) -> Ran) -> Result<(), String> {
        let name = words[0].clone();
        let log = File::create(self.path("log")).unwrap();
        let mut command = self.enter();
        match self.conditions {
            Conditions::Usual => {}
            Conditions::Judged => _ = command.args(["sh", "-ec", JUDGED, "sh"]),
            Conditions::Small(bytes) => _ = command.args(["sh", "-ec", SMALL, "sh"]).env("SIZE", bytes.to_string()),
        }
        command.env("AT", self.inside()).args(words);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut process = command.spawn().map_err(|error| format!("`setpriv` cannot be run: {error}"))?;
        let mut answers = false;
        // A busy machine takes its time; one that ends is not waited for.
        for _ in 0..3000 {
            if process.try_wait().unwrap().is_some() {
                break;
            }
            answers = self.path(socket).exists() && ask(self).code == Some(0);
            if answers {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        self.process = Some(process);
        let said = fs::read_to_string(self.path("log")).unwrap_or_default();
        let last: Vec<&str> = said.lines().rev().take(3).collect();
        if answers { Ok(()) } else { Err(format!("{name} does not answer: {}", last.join("; "))) }
    }

    /// A `podman` with storage of its own, to be found first in PATH.
    fn write_podman(&self) {
        let inside = self.inside();
        let mut command = self.enter();
        command.arg("/usr/bin/podman");
        command.args([
            format!("--root={inside}/root"),
            format!("--runroot={inside}/run"),
            format!("--tmpdir={inside}/t"),
        ]);
        command.args([
            "--storage-driver=overlay",
            "--cgroup-manager=cgroupfs",
            "--runtime=runc",
            "--events-backend=file",
        ]);
        let (folder, root) = (self.folder.path().display(), self.rootfs().display().to_string());
        let script = format!(
            "#!/bin/sh\nexport FOLDER={folder} ROOTFS={root} TMPDIR={inside}/files\nexec {} \"$@\"\n",
            quoted(&command)
        );
        self.write_program("podman", &script);
    }

    fn write_program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command that goes on in the engine's mount namespace, so that every mount vanishes with its process, and that
    /// ends with this one.
    fn enter(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private", "--"]);
        if self.plan.root != Root::Host {
            command.args(["sh", "-ec", ENTER, "sh"]);
        }
        command.env("FOLDER", self.folder.path()).env("ROOTFS", self.rootfs());
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    fn rootfs(&self) -> PathBuf {
        match self.plan.root {
            Root::Host => "/".into(),
            Root::Debian(name) => rootfs(name),
        }
    }

    /// The engine's folder as the engine sees it.
    pub(crate) fn inside(&self) -> String {
        match self.plan.root {
            Root::Host => self.folder.path().display().to_string(),
            Root::Debian(_) => "/mnt".to_owned(),
        }
    }

    pub(crate) fn judge(&self) -> &Judge {
        self.judge.as_ref().unwrap()
    }

    /// The folder where a daemon on a small disk keeps everything, as seen from here.
    pub(crate) fn small_disk(&self) -> PathBuf {
        let process = self.process.as_ref().unwrap().id();
        PathBuf::from(format!("/proc/{process}/root{}/root", self.inside()))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that the test may write.
    pub(crate) fn file(&self, name: &str) -> String {
        self.path("files").join(name).display().to_string()
    }

    pub(crate) fn program(&self) -> &'static str {
        if self.plan.daemon == Daemon::Podman { "podman" } else { "docker" }
    }

    /// Whether the image's ID is its manifest's digest and not its config's.
    pub(crate) fn keeps_blobs(&self) -> bool {
        self.plan.daemon == Daemon::DockerOnContainerd
    }

    fn with_environment(&self, mut command: Command) -> Command {
        let mut path = OsString::from(self.path("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path).env("DOCKER_CONFIG", self.path("docker")).env_remove("DOCKER_CONTEXT");
        command.env("DOCKER_HOST", format!("unix://{}", self.path("docker.sock").display()));
        command.env("CONTAINERD_ADDRESS", self.path("containerd.sock")).env_remove("CONTAINERD_NAMESPACE");
        command.env("TMPDIR", self.path("files")).stdin(Stdio::null());
        command
    }

    /// Runs the engine's client.
    pub(crate) fn client(&self, arguments: &[&str]) -> Ran {
        let output = self.client_command(arguments).output();
        output.map_or_else(
            |error| Ran { code: None, stdout: String::new(), text: format!("{}: {error}", self.program()) },
            |output| ran(&output),
        )
    }

    /// The same for what must not fail: its data, without the warnings that some engines print.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let ran = self.client(arguments);
        assert_eq!(ran.code, Some(0), "{}: {} {arguments:?}: {}", self.plan.name, self.program(), ran.text);
        ran.stdout
    }

    pub(crate) fn load(&self, archive: &Path) {
        let output = self.client_command(&["load"]).stdin(File::open(archive).unwrap()).output().unwrap();
        assert!(output.status.success(), "{}: loading {}: {}", self.plan.name, archive.display(), ran(&output).text);
    }

    pub(crate) fn save(&self, image: &str, archive: &str) {
        let file = File::create(archive).unwrap();
        let output = self.client_command(&["save", image]).stdout(file).output().unwrap();
        assert!(output.status.success(), "{}: saving {image}: {}", self.plan.name, ran(&output).text);
    }

    fn client_command(&self, arguments: &[&str]) -> Command {
        let program =
            if self.plan.daemon == Daemon::Podman { self.path("bin/podman").into_os_string() } else { "docker".into() };
        let mut command = self.with_environment(Command::new(program));
        command.args(arguments);
        command
    }

    /// Runs `ctr` in a namespace of its own of the containerd that Docker started, in the engine's root folder.
    pub(crate) fn ctr(&self, arguments: &[&str]) -> String {
        let socket = format!("{}/exec/containerd/containerd.sock", self.inside());
        let mut command = self.enter();
        command.args(["ctr", "--address", &socket, "--namespace", "k8s.io"]).args(arguments).stdin(Stdio::null());
        let ran = ran(&command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{}: ctr {arguments:?}: {}", self.plan.name, ran.text);
        ran.stdout
    }

    /// Runs `ctr` with a containerd without Docker.
    pub(crate) fn try_ctr(&self, arguments: &[&str]) -> Ran {
        let mut command = self.with_environment(Command::new(self.path("bin/ctr")));
        ran(&command.args(arguments).output().unwrap())
    }

    /// The same for what must not fail.
    pub(crate) fn must_ctr(&self, arguments: &[&str]) -> String {
        let ran = self.try_ctr(arguments);
        assert_eq!(ran.code, Some(0), "{}: ctr {arguments:?}: {}", self.plan.name, ran.text);
        ran.stdout
    }

    /// Runs `docker_delta` with this containerd, and kills it where it calls `ctr` with words that contain these.
    pub(crate) fn delta_killed_at(&self, words: &str, arguments: &[&str]) -> Ran {
        let mut command = self.with_environment(Command::new(env!("CARGO_BIN_EXE_docker_delta")));
        ran(&command.env("XDG_CACHE_HOME", NO_CACHE).env("KILL_AT", words).args(arguments).output().unwrap())
    }

    /// Runs `docker_delta` with this engine.
    pub(crate) fn delta(&self, arguments: &[&str]) -> Ran {
        ran(&self.delta_command(arguments).output().unwrap())
    }

    pub(crate) fn delta_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.with_environment(Command::new(env!("CARGO_BIN_EXE_docker_delta")));
        if self.plan.daemon != Daemon::Containerd {
            command.args(["--engine", self.program()]);
        }
        command.env("XDG_CACHE_HOME", NO_CACHE).arg("-v").args(arguments);
        command
    }

    /// Kills Docker's daemon and the containerd that it started, which find no time to put anything in order.
    pub(crate) fn kill_daemon(&mut self) {
        let Some(mut process) = self.process.take() else { panic!("{} has no daemon", self.plan.name) };
        process.kill().unwrap();
        process.wait().unwrap();
        let mark = self.path("exec/containerd/containerd.pid");
        let containerd = fs::read_to_string(&mark).unwrap();
        assert!(Command::new("kill").args(["-9", containerd.trim()]).status().unwrap().success());
        fs::remove_file(mark).unwrap();
    }

    /// Starts Docker's daemon again where it left everything.
    pub(crate) fn restart(&mut self) {
        // A daemon that was killed leaves its mark, and another program may have its number by now.
        let _ = fs::remove_file(self.path("pid"));
        self.start_docker().unwrap_or_else(|why| panic!("{}: {why}", self.plan.name));
    }

    /// The same for what must not fail: what it prints.
    pub(crate) fn must_delta(&self, arguments: &[&str]) -> String {
        let ran = self.delta(arguments);
        assert_eq!(ran.code, Some(0), "{}: docker_delta {arguments:?}: {}", self.plan.name, ran.text);
        ran.text
    }

    /// Runs `docker_delta` where no engine answers.
    pub(crate) fn must_delta_alone(&self, arguments: &[&str]) -> String {
        let mut command = self.with_environment(Command::new(env!("CARGO_BIN_EXE_docker_delta")));
        command.env("PATH", self.path("docker"));
        let ran = ran(&command.args(arguments).output().unwrap());
        assert_eq!(ran.code, Some(0), "docker_delta {arguments:?}: {}", ran.text);
        ran.text
    }

    /// Removes every image.
    pub(crate) fn clear(&self) {
        let listed = self.must(&["images", "-a", "-q", "--no-trunc"]);
        for id in listed.split_whitespace() {
            // One that went with another is not there any more.
            self.client(&["rmi", "-f", id]);
        }
        assert_eq!(self.must(&["images", "-a", "-q"]).trim(), "", "{}", self.plan.name);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Some(process) = &mut self.process else { return };
        let asked = Command::new("kill").arg(process.id().to_string()).status();
        for _ in 0..200 {
            if asked.is_err() || process.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            sleep(Duration::from_millis(100));
        }
        let _ = process.kill();
        let _ = process.wait();
    }
}

fn ran(output: &Output) -> Ran {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Ran { code: output.status.code(), text: format!("{stdout}{stderr}"), stdout }
}

fn quoted(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"))).collect::<Vec<_>>().join(" ")
}

pub(crate) fn rootfs(name: &str) -> PathBuf {
    let folder = std::env::var_os("DOCKER_DELTA_ENGINES").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    folder.unwrap_or_else(|| home().join(".cache/docker-delta-engines/chroots")).join(name)
}
