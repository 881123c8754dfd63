#!/bin/sh
# self-contained-1: a package of docker_delta, behind the program that applies it.
# Apply it with `sh THIS_FILE`, wherever it lies; `sh THIS_FILE --help` tells more. docker_delta takes it as a package.
machine=@MACHINE@
bytes=@BYTES@
digest=@DIGEST@

fail() {
    echo "ERROR: $2" >&2
    exit "$1"
}
case $0 in
    */*) self=$0 ;;
    *) self=./$0 ;;
esac
[ -r "$self" ] || fail 3 "cannot read $self"
[ "$(uname -s) $(uname -m)" = "Linux $machine" ] ||
    fail 3 "the program in $self is for Linux on $machine, and this is $(uname -s) on $(uname -m); use \`docker_delta apply\` of this machine"
compressed() { tail -c +4097 "$self" | head -c "$bytes"; }
if command -v sha256sum >/dev/null && [ "$(compressed | sha256sum | cut -c 1-64)" != "$digest" ]; then
    fail 4 "$self: the program in it is damaged; copy it again"
fi
# A stick may be mounted so that nothing on it is run, and so may a folder for temporary files.
program=
for folder in "${TMPDIR:-}" /tmp /var/tmp /dev/shm "${XDG_RUNTIME_DIR:-}" "${HOME:-}" .; do
    [ -d "$folder" ] && program=$(mktemp "$folder/docker_delta-XXXXXXXX" 2>/dev/null) || continue
    trap 'rm -f "$program"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    compressed | gzip -dc >"$program" && chmod 700 "$program" && "$program" --version >/dev/null 2>&1 && break
    rm -f "$program"
    program=
done
[ -n "$program" ] || fail 3 "no folder was found in which the program in $self can be run; name one with TMPDIR"

case ${1:-} in
    apply | info | list | verify)
        command=$1
        shift
        ;;
    *) command=apply ;;
esac
# The program stays open and needs no name, so that nothing is left of it however it ends.
if [ -e /proc/self/fd ]; then
    exec 9<"$program"
    rm -f "$program"
    exec /proc/self/fd/9 "$command" "$self" "$@"
fi
"$program" "$command" "$self" "$@"
exit
