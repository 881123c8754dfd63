"""The world in which what documents tell to type is typed; used by scripts/test-docs, inside of namespaces of its own.

Two sides, `connected` and `behind` the gap, each with a Docker engine, and with podman and containerd where a page speaks of them;
`registry.example`, which has the images, and `registry.local:5000` and `localhost:5000`, which have their base; a desk with images as
files. The engines have other images on either side, the files are the same for both.
"""
import fcntl, hashlib, io, os, re, shutil, socket, struct, subprocess, sys, tarfile, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTED, BEHIND = "connected", "behind"
# The versions of `app`, and what each side's engine has.
VERSIONS = ("v1", "v2", "v3")
HELD = {CONNECTED: VERSIONS, BEHIND: ("v1",)}
STICKS = ("STICK", "STICK1", "STICK2", "STICK3", "OTHER")
LISTS = {
    "more.txt": "registry.example/app:v2  # and nothing else\n",
    "have.txt": "registry.example/app:v1\n",
    "compose.yaml": "services:\n  app:\n    image: app:v2\n",
    "site.yaml": "kind: Pod\nspec:\n  containers:\n  - image: registry.example/app:v2\n",
}
# Of the keys that a page makes; nobody is there to be asked.
PASSWORD = "a password"


class World:
    def __init__(self, folder):
        self.folder, self.children, self.exported = folder, [], {}

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make(self, stores):
        """Starts everything; `stores` says which of podman and containerd are wanted besides Docker."""
        for name in ("home", "bin", CONNECTED, BEHIND):
            os.mkdir(self.path(name))
        self.programs()
        loopback()
        # Where engines listen by themselves, and only here.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        os.symlink(self.path(CONNECTED, "socket"), "/run/docker.sock")
        self.etc()
        self.clear()
        self.registry("registry.example", "127.0.0.1:443", ("app", "os"), VERSIONS)
        self.registry("registry.local", "127.0.0.2:5000", ("mirror/app",), ("v1",))
        self.registry(None, "127.0.0.1:5000", ("app",), ("v1",))
        for start in (self.docker, *(getattr(self, store) for store in stores)):
            for side, versions in HELD.items():
                start(side, versions)

    def programs(self):
        target = os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"))
        for name in ("docker_delta", "file_delta"):
            os.symlink(os.path.join(target, "release", name), self.path("bin", name))
        # Everything is done as root here already.
        os.symlink("/usr/bin/env", self.path("bin", "sudo"))

    def etc(self):
        """An /etc of our own, with names for the registries; what a page writes there is gone afterwards."""
        for name in ("upper", "work"):
            os.makedirs(f"/run/etc/{name}")
        options = "lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, "/etc"], check=True)
        with open(self.path("hosts"), "w") as hosts:
            hosts.write("127.0.0.1 localhost registry.example\n127.0.0.2 registry.local\n")
        subprocess.run(["mount", "--bind", self.path("hosts"), "/etc/hosts"], check=True)

    def clear(self):
        """A desk with nothing but `app` in its versions, as files of every name that documents use, lists of images and empty sticks."""
        shutil.rmtree(self.path("desk"), ignore_errors=True)
        for stick in STICKS:
            os.makedirs(self.path("desk", stick))
        for version, names in (("v1", ("old.tar", "v1.tar")), ("v2", ("new.tar", "v2.tar")), ("v3", ("v3.tar",))):
            for name in names:
                image(self.path("desk", name), f"app:{version}", version)
        for name, text in LISTS.items():
            with open(self.path("desk", name), "w") as out:
                out.write(text)

    def registry(self, host, address, repositories, versions):
        """A registry that has these versions of `app` in its repositories; with a name, also a certificate that is believed here."""
        place = self.path(f"registry-{address}")
        os.mkdir(place)
        config = f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: '{place}/storage'}}, delete: {{enabled: true}}}}\nhttp:\n  addr: {address}\n"
        if host:
            self.certify(host, place)
            config += f"  tls: {{certificate: {place}/leaf.pem, key: {place}/leaf.key}}\n"
        with open(f"{place}/config.yml", "w") as out:
            out.write(config)
        self.start(["docker-registry", "serve", f"{place}/config.yml"], f"{place}/log")
        await_port(address)
        place = f"{host or 'localhost'}:{address.split(':')[1]}".removesuffix(":443")
        for repository, version in ((repository, version) for repository in repositories for version in versions):
            subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false",
                            f"docker-archive:{self.path('desk', version)}.tar", f"docker://{place}/{repository}:{version}"], check=True)

    def certify(self, host, place):
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        authority = self.path("authority.pem")
        if not os.path.exists(authority):
            openssl("req", "-x509", "-days", "3650", "-subj", "/CN=documents", "-keyout", self.path("authority.key"), "-out", authority, *key)
        with open(f"{place}/extensions", "w") as out:
            out.write(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-subj", f"/CN={host}", "-keyout", f"{place}/leaf.key", "-out", f"{place}/request", *key)
        openssl("x509", "-req", "-days", "3650", "-CAcreateserial", "-extfile", f"{place}/extensions", "-in", f"{place}/request",
                "-CA", authority, "-CAkey", self.path("authority.key"), "-out", f"{place}/leaf.pem")

    def docker(self, side, versions):
        place = self.path(side)
        with open(f"{place}/daemon.json", "w") as out:
            out.write("{}")
        daemon = self.start(["dockerd", f"--config-file={place}/daemon.json", f"--data-root={place}/root", f"--exec-root={place}/exec", f"--pidfile={place}/pid",
                    f"--host=unix://{place}/socket", "--iptables=false", "--ip6tables=false", "--bridge=none"], f"{place}/log")
        self.await_answer(daemon, "docker version", side)
        self.hold(side, versions, "docker load -i {0}.tar")

    def podman(self, side, versions):
        with open(self.path(side, "storage.conf"), "w") as out:
            out.write(f'[storage]\ndriver = "vfs"\ngraphroot = "{self.path(side, "podman")}"\nrunroot = "{self.path(side, "podman-run")}"\n')
        self.hold(side, versions, "podman load -i {0}.tar")

    def containerd(self, side, versions):
        place = self.path(side, "containerd")
        os.mkdir(place)
        with open(f"{place}/config.toml", "w") as out:
            out.write(f'version = 2\nroot = "{place}/root"\nstate = "{place}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{place}/socket"\n')
        daemon = self.start(["containerd", "--config", f"{place}/config.toml"], f"{place}/log")
        self.await_answer(daemon, "ctr version", side)
        # As a node has it: by the registry, and under the name that Docker would give it.
        there = "registry.example/app:{0}"
        self.hold(side, versions, f"ctr -n k8s.io images pull {there} && ctr -n k8s.io images tag {there} docker.io/library/app:{{0}}")

    def await_answer(self, daemon, question, side):
        while daemon.poll() is None and self.type(question, side).returncode != 0:
            time.sleep(0.1)

    def hold(self, side, versions, load):
        for version in versions:
            loaded = self.type(load.format(version), side)
            if loaded.returncode != 0:
                sys.exit(f"{load} on the side {side}: {loaded.stdout}{loaded.stderr}")

    def start(self, command, log):
        with open(log, "w") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.children.append(child)
        return child

    def type(self, call, side=None):
        """Types a call, on the side where it belongs if none is named; variables that it exports stay."""
        side = side or (BEHIND if re.match(r"(docker_delta|docker delta) (apply|pull)\b", call) else CONNECTED)
        exports = re.fullmatch(r"export (\w+)=(\S+)", call)
        if exports:
            self.exported[exports[1]] = exports[2]
        self.forget_package(call)
        where = ROOT if call.startswith(("make ", "./demo")) else self.path("desk")
        # minisign asks for the password where there is no terminal too.
        typed = f"{PASSWORD}\n" if call.startswith("minisign -S") else ""
        return subprocess.run(["bash", "-c", call], cwd=where, env=self.environment(side), capture_output=True, text=True, timeout=1800, input=typed)

    def forget_package(self, call):
        """A page makes a package of one name in several ways; each finds the name free, as at a reader's who tries one of them."""
        if re.match(r"docker_delta create\b", call) and not re.search(r" (-f|--resume)\b", call):
            for name in re.findall(r"\S+\.(?:ddelta|run)\b", call):
                for path in (name, f"{name}.minisig", f"{name}.sha256"):
                    if os.path.isfile(self.path("desk", path)):
                        os.remove(self.path("desk", path))

    def environment(self, side):
        home = os.path.expanduser("~")
        return {
            "PATH": f"{self.path('bin')}:{os.environ['PATH']}", "HOME": self.path("home"), "TMPDIR": self.folder, "LANG": "C.UTF-8",
            "DOCKER_HOST": f"unix://{self.path(side, 'socket')}", "SSL_CERT_FILE": self.path("authority.pem"),
            "CONTAINERS_STORAGE_CONF": self.path(side, "storage.conf"), "CONTAINERD_ADDRESS": self.path(side, "containerd", "socket"),
            "DOCKER_DELTA_PASSWORD": PASSWORD,
            "CARGO_HOME": os.environ.get("CARGO_HOME", f"{home}/.cargo"), "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", f"{home}/.rustup"),
            "CARGO_INSTALL_ROOT": self.path("home", ".cargo"), "CARGO_NET_OFFLINE": "true",
            **{name: os.environ[name] for name in ("CARGO_TARGET_DIR",) if name in os.environ},
            **self.exported,
        }

    def end(self):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
        # An engine leaves mounts, which keep its folder.
        for line in reversed(open("/proc/self/mounts").read().splitlines()):
            if line.split()[1].startswith(self.folder):
                subprocess.run(["umount", "-l", line.split()[1]])


def image(path, name, version):
    """What `docker save` writes of an image of two layers, of which one changed a little since v1."""
    def words(seed, count):
        return b"".join(hashlib.sha256(f"{seed} {number}".encode()).hexdigest().encode() + b"\n" for number in range(count))
    layers = [{"usr/share/words": words("same", 20_000)}, {"app/words": words("app", 10_000) + words(version, 20), "app/version": version.encode()}]
    with tempfile.TemporaryDirectory() as folder:
        tars = [os.path.join(folder, f"{number}.tar") for number in range(len(layers))]
        for tar, files in zip(tars, layers):
            with tarfile.open(tar, "w") as made:
                for file, data in files.items():
                    add(made, file, data)
        subprocess.run([os.path.join(ROOT, "scripts", "docker-archive"), path, name, "{}", *tars], check=True)


def add(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def loopback():
    """Brings the loopback interface of this network namespace up (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


def await_port(address):
    host, port = address.split(":")
    for _ in range(600):
        with socket.socket() as one:
            if one.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"nothing answers at {address}")
