//! What a registry asks for with a 401 (RFC 9110, section 11.6.1; distribution's token authentication).

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user's name and password with each request.
    Basic,
    /// A token that somebody else hands out.
    Bearer {
        /// The URL of who hands it out.
        realm: String,
        /// The name of the registry there.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the values of `WWW-Authenticate`; the first that can be answered counts, a token before a password.
    pub(super) fn read<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let bearer = values.clone().find_map(bearer);
        bearer.or_else(|| values.clone().find_map(|value| rest_of(value, "basic").map(|_| Self::Basic)))
    }
}

fn bearer(value: &str) -> Option<Challenge> {
    let mut parameters = rest_of(value, "bearer")?;
    let (mut realm, mut service, mut scope) = (None, None, None);
    while let Some((name, value, rest)) = parameter(parameters) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            "scope" => scope = Some(value),
            _ => {}
        }
        parameters = rest;
    }
    Some(Challenge::Bearer { realm: realm?, service, scope })
}

/// What stands behind the name of a scheme.
fn rest_of<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = value.trim_start().split_once(' ').unwrap_or((value.trim(), ""));
    name.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// The first `name=value`, in quotes or not, and the rest.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let text = text.trim_start_matches([' ', ',', '\t']);
    let (name, rest) = text.split_once('=')?;
    // Blanks around it are bad, and borne (RFC 9110, section 11.2).
    let rest = rest.trim_start_matches([' ', '\t']);
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        return Some((name.trim(), rest[..end].to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((name.trim(), value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            character => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_are_read() {
        for (value, expected) in [
            (r#"Basic realm="Registry""#, Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            ("  BASIC ", Some(Challenge::Basic)),
            ("Basically", None),
            (
                r#"Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push""#,
                Some(bearer("https://auth.example/token", Some("r"), Some("repository:a/b:pull,push"))),
            ),
            (r#"bearer  realm=x , error="a\"b", service = s"#, Some(bearer("x", Some("s"), None))),
            (r#"Bearer REALM="x",Scope=y,,service="a\\b""#, Some(bearer("x", Some(r"a\b"), Some("y")))),
            (r#"Bearer realm="",service="#, Some(bearer("", Some(""), None))),
            (r#"Bearer realm="x",realm="y""#, Some(bearer("y", None, None))),
            // What stands behind a quote that is not closed is not read.
            (r#"Bearer realm="x",scope="y"#, Some(bearer("x", None, None))),
            (r#"Bearer realm="x",scope="y\"#, Some(bearer("x", None, None))),
            (r#"Bearer service="r""#, None),
            (r#"Bearer realm="x"#, None),
            ("Bearer realm", None),
            ("Bearer", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::read([value].into_iter()), expected, "{value}");
        }
    }

    #[test]
    fn a_token_goes_before_a_password() {
        let values = [r#"Basic realm="r""#, r#"Bearer realm="t""#];
        assert_eq!(Challenge::read(values.into_iter()), Some(bearer("t", None, None)));
    }
}
