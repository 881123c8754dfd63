//! Where a URL leads: whom credentials may be shown.

/// The scheme, host and port of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Whether the way there is encrypted.
    pub(super) is_encrypted: bool,
    authority: String,
}

impl Origin {
    /// The origin of an absolute URL without a user's name in it.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
        let is_encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let usual = if is_encrypted { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(&authority).to_owned();
        (!authority.is_empty() && !authority.contains('@')).then_some(Self { is_encrypted, authority })
    }

    /// How to speak of it: what else stands in a URL may be secret.
    pub(super) fn label(&self) -> &str {
        &self.authority
    }
}

/// Whether a host with or without a port is this machine.
pub(super) fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What a URL means that was found at `base`; nothing for what is no http.
pub(super) fn resolve(base: &str, found: &str) -> Option<String> {
    let (scheme, rest) = base.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let url = if let Some(rest) = found.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if found.starts_with('/') {
        format!("{scheme}://{authority}{found}")
    } else if found.contains("://") {
        found.to_owned()
    } else {
        let path = rest.split(['?', '#']).next()?;
        let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
        format!("{scheme}://{folder}/{found}")
    };
    Origin::of(&url).map(|_| url)
}

#[cfg(test)]
mod tests;
