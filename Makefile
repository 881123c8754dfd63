# `make test` installs what is missing and runs every check; `./demo` shows the program at work.

.PHONY: test check tools deny install

test: tools check
	scripts/run-tests

# Format and lints, as warnings are errors.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The real programs that the tests compare with, and the engines, from Debian.
tools:
	scripts/install-test-tools
	scripts/install-test-engines

# Licences and known faults of what we depend on; needs cargo-deny.
deny:
	cargo deny check

install:
	cargo install --locked --path crates/cli
