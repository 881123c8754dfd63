# `make test` installs what is missing and runs every check; `./demo` shows the program at work.

.PHONY: test check tools deny docs-test book fuzz install static release test-release

test: check docs-test
	scripts/run-tests

# What README.md and docs/ tell to type, each page in a world made for it, and the recipes of examples/.
docs-test: tools
	scripts/test-docs
	scripts/test-examples

# The pages of docs/ as a book, in target/book; its links are looked at.
book: tools
	scripts/book

# Format, lints, documentation, the book, spelling, dependencies.
check: tools
	scripts/check

# The real programs that the tests compare with, and the engines, from Debian.
tools:
	scripts/install-test-tools
	scripts/install-test-engines
	scripts/install-check-tools

# Known faults of what we depend on; asks a database on the network.
deny:
	cargo deny check advisories

# Every fuzz target for so many minutes: make fuzz MINUTES=10
MINUTES = 10
fuzz:
	scripts/fuzz $(MINUTES)

# Programs that need no library of the system, for x86_64 and aarch64: target/static/MACHINE.
static: release-tools
	scripts/static target/static

# All that is released, into dist/; SIGNING_KEY=NAME.key signs the digests. `make test-release`, as root, tries it in fresh systems.
release: release-tools
	scripts/release dist

test-release: release-tools
	scripts/test-release dist

.PHONY: release-tools
release-tools:
	scripts/install-release-tools

# Compiles all of it for macOS and Windows, on Linux, without linking.
ports:
	scripts/check-ports

# The programs for Windows, under wine, against those of Linux.
test-windows: release-tools
	cargo build --locked --package docker_delta
	scripts/windows target/windows dev
	scripts/test-windows target/windows target/debug/docker_delta

.PHONY: ports test-windows

install:
	cargo install --locked --path crates/cli
