#!/bin/sh
# Installs docker_delta without root and without a package manager: sh install.sh [PREFIX], into ~/.local if no folder is named.
# sh install.sh --uninstall [PREFIX] removes what that installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
remove=
[ "${1:-}" != --uninstall ] || { remove=yes; shift; }
case ${1:-} in
    -*)
        sed -n '2,3s/^# //p' "$0" >&2
        exit 2
        ;;
esac
prefix=${1:-$HOME/.local}
plugin=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-delta

if [ -n "$remove" ]; then
    (cd "$here" && find bin lib share -type f -o -type l) | while read -r file; do rm -f "$prefix/$file"; done
    # Folders that others use too are not empty, and stay.
    (cd "$here" && find bin lib share -depth -type d) | while read -r folder; do rmdir "$prefix/$folder" 2>/dev/null || true; done
    [ "$(readlink "$plugin")" != "$prefix/bin/docker_delta" ] || rm -f "$plugin"
    echo "docker_delta is removed from $prefix"
    exit
fi

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
# What runs at the moment is replaced and not written into.
(cd "$here" && find bin lib share -type f -o -type l) | while read -r file; do
    mkdir -p "$prefix/$(dirname "$file")"
    rm -f "$prefix/$file"
    cp -P "$here/$file" "$prefix/$file"
done
mkdir -p "$(dirname "$plugin")"
ln -sf "$prefix/bin/docker_delta" "$plugin"
"$prefix/bin/docker_delta" --version
echo "is in $prefix/bin, and in Docker's client as \`docker delta\`"
case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "put $prefix/bin into your PATH to call it by its name" ;;
esac
