//! What the help of each command shows.

pub(super) const PROGRAM: &str = "\
Examples:
  # On the connected machine, which has both versions:
  docker_delta create app:v2 app.ddelta --base app:v1

  # On the machine that no network reaches, which has app:v1:
  docker_delta apply app.ddelta

  # Without an engine, from archives of `docker save`:
  docker_delta create v2.tar app.ddelta --base v1.tar
  docker_delta apply app.ddelta --base v1.tar -o v2-again.tar

Exit codes: 0 done, 1 fault of the program, 2 usage, 3 surroundings (no engine, no room, missing base),
4 content (damaged, other digest, unknown version).";

pub(super) const CREATE: &str = "\
An image is a name in the engine (app:v2, docker-daemon:app:v2, podman:app:v2), a file that `docker save` or
`podman save` wrote, an OCI layout (docker-archive:FILE[:NAME], oci-archive:FILE[:TAG], oci:DIR[:TAG], dir:DIR), or an
image of containerd (containerd:[NAMESPACE/]NAME, as in containerd:k8s.io/app:v2), or of a registry
(docker://REGISTRY/NAME[:TAG][@DIGEST]), with what `docker login` or `podman login` left; `-` is an archive on standard input.

Examples:
  docker_delta create app:v2 app.ddelta --base app:v1           # only what v1 lacks
  docker_delta create docker://registry.example/app:v2 app.ddelta --base docker://registry.example/app:v1
  docker_delta create app:v2 db:v7 all.ddelta --base app:v1 --base db:v6
  docker_delta create app:v1 first.ddelta                       # needs nothing on the other side
  docker_delta create --images images.txt site.ddelta --base-images have.txt
  helm template chart | docker_delta create --kubernetes - --pull site.ddelta
  docker_delta create app:v2 app.ddelta --base app:v1 --sign vendor.key
  docker_delta create app:v2 app.ddelta --base app:v1 --encrypt-to site.pub    # for whoever has the identity
  docker_delta create app:v2 app.run --base app:v1 --self-contained    # there: sh app.run
  docker_delta create -vd app:v2 app.ddelta --base app:v1       # only say what it would weigh
  docker_delta create -l 19 app:v2 app.ddelta --base app:v1     # smaller, slower
  docker_delta create app:v2 STICK --base app:v1 --volume-size fat32 --parity 10%   # STICK/app-v2.ddelta.001 and so on";

pub(super) const APPLY: &str = "\
Examples:
  docker_delta apply app.ddelta                    # into the engine, with the original tags
  docker_delta apply app.ddelta app:next           # under another name
  docker_delta apply app.ddelta docker://localhost:5000/app    # into a registry, which has the base
  docker_delta apply app.ddelta containerd:k8s.io/             # into containerd, which has the base
  docker_delta apply site.ddelta --to registry.local:5000/mirror/    # all of them
  docker_delta apply site.ddelta --to registry.local:5000/mirror/ --mapping registries.conf > mirror.conf
  docker_delta apply app.ddelta --base v1.tar -o v2.tar    # without an engine
  docker_delta apply app.ddelta --trust vendor.pub --no-downgrade
  docker_delta apply app.ddelta --identity-file site.age
  docker_delta apply -d app.ddelta                 # only say what is missing and what would be done";

pub(super) const WATCH: &str = "\
Examples:
  docker_delta watch /var/spool/docker_delta       # keys in /etc/docker_delta/trusted.d; the rest by /etc/docker_delta/watch.toml
  docker_delta watch --once IN --trust vendor.pub --patience 300    # for cron
  docker_delta watch IN --trust vendor.pub --to registry.local:5000/mirror/ --no-downgrade
  docker_delta watch IN --trust vendor.pub --base images/ --output images/    # without an engine
  docker_delta watch IN --json | jq -r 'select(.event == \"failed\") | .error.message'

What came of a package lies beside it: done/NAME.json is the report of `apply --json`, failed/NAME.error.json its error.
Exit codes of --once: that of the worst that happened (1, then 4, 2, 3).";

pub(super) const COMPARE: &str = "\
Examples:
  docker_delta compare v2.tar v2-again.tar         # the bytes around an image may differ, the image may not
  docker_delta compare app:v2 oci:DIR:v2

Exit codes: 0 the same config and layers at least, 4 different images.";

pub(super) const PUSH: &str = "\
Examples:
  docker_delta push app.ddelta docker://registry.example/app:v2    # beside the image, if that is there
  docker_delta push site.ddelta docker://registry.example/packages:2024-11
  docker_delta push -d app.ddelta docker://registry.example/app:v2    # only say what would be sent";

pub(super) const PULL: &str = "\
Examples:
  docker_delta pull docker://registry.example/app:v2               # into the engine, which has some older version
  docker_delta pull docker://registry.example/app:v2 --base app:v1
  docker_delta pull docker://registry.example/app:v2 docker://localhost:5000/app    # into a registry, which has the base
  docker_delta pull docker://registry.example/app:v2 --base v1.tar -o v2.tar    # without an engine
  docker_delta pull docker://registry.example/app:v2 --base v1.tar --download STICK/    # only the package
  docker_delta pull -d docker://registry.example/app:v2            # only say what there is, and what fits";

pub(super) const LIST: &str = "\
Examples:
  docker_delta list app.ddelta                     # a line for each layer, and the base image that it needs
  docker_delta list -v app.ddelta                  # with whole digests, and what makes each blob
  docker_delta list --json app.ddelta | jq '.layers[].package_bytes'";

pub(super) const INFO: &str = "\
Examples:
  docker_delta info app.ddelta
  docker_delta info -v app.ddelta                  # with features and members
  docker_delta info --json app.ddelta | jq -r '.bases[].names[]'";

pub(super) const VERIFY: &str = "\
Examples:
  docker_delta verify /media/stick/app.ddelta      # before the journey: is the copy good?
  docker_delta verify app.ddelta --trust vendor.pub    # and is it the vendor's?
  docker_delta verify /media/stick/app.ddelta.001  # of volumes, all of them
  docker_delta verify - < app.ddelta";

pub(super) const SIGN: &str = "\
Examples:
  docker_delta sign app.ddelta --key site.key              # one more signature inside; all else stays as it is
  docker_delta sign app.ddelta --key site.key --detached   # beside it, as `minisign -Sm app.ddelta` does
  minisign -Vm app.ddelta -p site.pub                      # checks the one beside it";

pub(super) const KEYGEN: &str = "\
Examples:
  docker_delta keygen vendor                       # asks for a password; vendor.key signs, vendor.pub checks
  docker_delta keygen --no-password ci             # for a machine that signs by itself
  sudo install -m 644 vendor.pub /etc/docker_delta/trusted.d/    # from now on only signed packages are taken there";

pub(super) const SPLIT: &str = "\
Examples:
  docker_delta split app.ddelta --volume-size 4G           # app.ddelta.001, app.ddelta.002 and so on
  docker_delta split app.ddelta STICK --volume-size fat32 --parity 10%
  docker_delta split app.ddelta --parity 5%                # one volume, and one of parity
  docker_delta split STICK/app.ddelta.001 COPY --resume    # a copy that goes on where it was stopped";

pub(super) const JOIN: &str = "\
Examples:
  docker_delta join app.ddelta.001 app.ddelta
  docker_delta join STICK1/app.ddelta.001 app.ddelta --volumes STICK2 --volumes STICK3";

pub(super) const REPAIR: &str = "\
Examples:
  docker_delta repair app.ddelta.001                       # what is bad is replaced, what is missing comes beside it
  docker_delta repair STICK/app.ddelta.002 -o GOOD_STICK   # all that is missing or bad goes there";

pub(super) const INSPECT: &str = "\
Examples:
  docker_delta inspect app:v2                      # in the engine
  docker_delta inspect v2.tar                      # in a file of `docker save`
  docker_delta inspect --json docker://registry.example/app:v2";

pub(super) const DOCTOR: &str = "\
Examples:
  docker_delta doctor                              # before anything else, on a machine that is new to you
  docker_delta doctor --engine podman";

pub(super) const COMPLETIONS: &str = "\
Examples:
  docker_delta completions bash > ~/.local/share/bash-completion/completions/docker_delta
  docker_delta completions fish > ~/.config/fish/completions/docker_delta.fish";

pub(super) const MAN: &str = "\
Examples:
  docker_delta man ~/.local/share/man/man1
  man docker_delta-create";
