//! What can be typed about signatures.

use std::path::PathBuf;

use clap::Args;

/// Whose packages are taken.
#[derive(Debug, Default, Args)]
pub(crate) struct Opening {
    /// Take only what this key signed: a public key (RW…), a file with one (NAME.pub), or a folder of such files; may be given several
    /// times [default: the keys in /etc/docker_delta/trusted.d, if there are any]
    #[arg(long, value_name = "PUBKEY|FILE|DIR")]
    pub(crate) trust: Vec<String>,
    /// Take what nobody signed too, although keys in /etc/docker_delta/trusted.d ask for signatures
    #[arg(long, conflicts_with = "trust")]
    pub(crate) allow_unsigned: bool,
    /// Decrypt with the identity in this file, of `age-keygen` or of ssh; may be given several times
    #[arg(long = "identity-file", value_name = "FILE")]
    pub(crate) identity_files: Vec<PathBuf>,
    /// Read the passphrase of the package, or of the identity, from the open file with this number, and not from the terminal or
    /// DOCKER_DELTA_PASSPHRASE
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

/// Whether one goes back.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Freshness {
    /// Refuse a package that is older than the one that was applied last, by the numbers that its maker signed
    #[arg(long)]
    pub(crate) no_downgrade: bool,
}

/// How a signature is made.
#[derive(Debug, Args)]
pub(crate) struct SignatureArguments {
    /// Sign this number, which grows from package to package [default: the time, in seconds]
    #[arg(long, value_name = "N")]
    pub(crate) sequence: Option<u64>,
    /// Put the signature beside the package, into PACKAGE.minisig, and not into it
    #[arg(long)]
    pub(crate) detached: bool,
    /// Read the password of the secret key from the open file with this number, and not from the terminal or
    /// DOCKER_DELTA_PASSWORD
    #[arg(long, value_name = "N")]
    pub(crate) password_fd: Option<u32>,
}

/// How what is made is signed, if it is.
#[derive(Debug, Args)]
pub(crate) struct Signing {
    /// Sign with this secret key (NAME.key of `docker_delta keygen` or of minisign)
    #[arg(long = "sign", value_name = "KEY")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) signature: SignatureArguments,
}

/// Who may read what is made.
#[derive(Debug, Args)]
pub(crate) struct EncryptionArguments {
    /// Encrypt for this recipient: age1…, a public key of ssh (ssh-ed25519 …, ssh-rsa …), or a file of such lines; may be given several
    /// times
    #[arg(long, value_name = "RECIPIENT|FILE")]
    pub(crate) encrypt_to: Vec<String>,
    /// Encrypt for whoever knows a passphrase, which is asked for
    #[arg(long, conflicts_with = "encrypt_to")]
    pub(crate) encrypt_passphrase: bool,
    /// Read the passphrase from the open file with this number, and not from the terminal or DOCKER_DELTA_PASSPHRASE
    #[arg(long, value_name = "N")]
    pub(crate) passphrase_fd: Option<u32>,
}

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub struct Sign {
    /// The package
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    /// The secret key (NAME.key of `docker_delta keygen` or of minisign)
    #[arg(short, long, value_name = "KEY")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) signature: SignatureArguments,
    /// Replace PACKAGE.minisig if it is there
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Arguments of `keygen`.
#[derive(Debug, Args)]
pub struct Keygen {
    /// Where the keys go: NAME.key is secret and signs, NAME.pub is for whoever checks
    #[arg(value_name = "NAME")]
    pub(crate) name: PathBuf,
    /// Make a secret key that takes no password: whoever reads the file can sign
    #[arg(long, conflicts_with = "password_fd")]
    pub(crate) no_password: bool,
    /// Read the password from the open file with this number, and not from the terminal or DOCKER_DELTA_PASSWORD
    #[arg(long, value_name = "N")]
    pub(crate) password_fd: Option<u32>,
}
