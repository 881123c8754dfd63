use super::*;

fn bearer(realm: &str) -> Challenge {
    Challenge::Bearer { realm: realm.to_owned(), service: Some("r s".to_owned()), scope: Some("asked".to_owned()) }
}

fn origin(url: &str) -> Origin {
    Origin::of(url).unwrap()
}

#[test]
fn a_token_is_asked_for_all_that_is_done() {
    let scopes = ["repository:a:pull".to_owned(), "repository:b:pull,push".to_owned()];
    let ask = |scopes: &[String], realm: &str| {
        TokenRequest::new(&bearer(realm), scopes, None, &origin("https://r.example")).unwrap()
    };
    let expected = "https://t.example/x?service=r%20s&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull%2Cpush";
    assert_eq!(ask(&scopes, "https://t.example/x"), TokenRequest::Get(expected.to_owned()));
    let expected = "https://t.example/x?a=b&service=r%20s&scope=asked";
    assert_eq!(ask(&[], "https://t.example/x?a=b"), TokenRequest::Get(expected.to_owned()));
}

#[test]
fn an_identity_token_is_posted() {
    let credentials = Credentials::IdentityToken("secret&".to_owned());
    let challenge = bearer("https://t.example/x");
    let request = TokenRequest::new(&challenge, &[], Some(&credentials), &origin("https://r.example")).unwrap();
    let form = "grant_type=refresh_token&service=r%20s&client_id=docker_delta&scope=asked&refresh_token=secret%26";
    assert_eq!(request, TokenRequest::Post("https://t.example/x".to_owned(), form.to_owned()));
}

#[test]
fn no_password_goes_where_it_can_be_heard() {
    for realm in ["http://t.example/x", "ftp://t.example", "t"] {
        assert!(TokenRequest::new(&bearer(realm), &[], None, &origin("https://r.example")).is_err(), "{realm}");
    }
    assert!(TokenRequest::new(&bearer("http://t.example"), &[], None, &origin("http://localhost")).is_ok());
}

#[test]
fn tokens_are_found_by_what_they_allow() {
    let mut authorization = Authorization { challenge: Some(bearer("x")), ..Authorization::default() };
    let scopes = ["repository:a:pull".to_owned()];
    authorization.keep(&scopes, token(br#"{"access_token":"t"}"#).unwrap());
    assert_eq!(authorization.header(&scopes, None).as_deref(), Some("Bearer t"));
    assert_eq!(authorization.header(&[], None), None);
    assert!(!format!("{authorization:?}").contains("\"t\""));
    authorization.forget(&scopes);
    assert_eq!(authorization.header(&scopes, None), None);
    for answer in [&b"{}"[..], b"", br#"{"token":"a\nb"}"#, br#"{"token":7}"#] {
        assert!(token(answer).is_err());
    }
}

#[test]
fn a_text_in_a_url_is_letters_digits_and_what_stands_for_other_bytes() {
    for byte in 0..=0x7f_u8 {
        let text = char::from(byte).to_string();
        let expected = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => text.clone(),
            byte => format!("%{byte:02X}"),
        };
        assert_eq!(encoded(&text), expected);
    }
    assert_eq!(encoded("ü"), "%C3%BC");
}

#[test]
fn what_is_not_known_is_not_asked_for() {
    let challenge = Challenge::Bearer { realm: "https://t.example/x".to_owned(), service: None, scope: None };
    let asked = TokenRequest::new(&challenge, &[], None, &origin("https://r.example")).unwrap();
    assert_eq!(asked, TokenRequest::Get("https://t.example/x?".to_owned()));
    let error = TokenRequest::new(&Challenge::Basic, &[], None, &origin("https://r.example")).unwrap_err();
    assert_eq!(error.kind(), delta_core::error::Kind::Internal);
}

#[test]
fn a_token_is_what_can_stand_in_a_header() {
    let of = |text: &str| token(serde_json::json!({ "token": text }).to_string().as_bytes());
    for good in ["t", "a.b-c_d/e+f=", "!~"] {
        assert_eq!(of(good).unwrap(), good);
    }
    for bad in ["", " ", "a b", "a\nb", "\u{7f}", "tökén", "\0"] {
        assert_eq!(of(bad).unwrap_err().kind(), delta_core::error::Kind::Environment, "{bad:?}");
    }
    // The first of two names for it.
    assert_eq!(token(br#"{"token": "a", "access_token": "b"}"#).unwrap(), "a");
}

#[test]
fn a_header_is_made_of_what_was_asked_for_and_is_known() {
    let password = Credentials::Password { user: "u".to_owned(), password: "p".to_owned() };
    let identity = Credentials::IdentityToken("t".to_owned());
    let nothing = Authorization::default();
    assert_eq!(nothing.header(&[], Some(&password)), None);
    let basic = Authorization { challenge: Some(Challenge::Basic), ..Authorization::default() };
    assert_eq!(basic.header(&[], Some(&password)).as_deref(), Some("Basic dTpw"));
    assert_eq!((basic.header(&[], Some(&identity)), basic.header(&[], None)), (None, None));
    let mut bearer = Authorization { challenge: Some(bearer("x")), ..Authorization::default() };
    bearer.keep(&["a".to_owned()], "one".to_owned());
    bearer.keep(&["a".to_owned(), "b".to_owned()], "both".to_owned());
    let of =
        |scopes: &[&str]| bearer.header(&scopes.iter().map(ToString::to_string).collect::<Vec<_>>(), Some(&password));
    assert_eq!(of(&["a"]).as_deref(), Some("Bearer one"));
    assert_eq!(of(&["a", "b"]).as_deref(), Some("Bearer both"));
    assert_eq!((of(&["b"]), of(&[])), (None, None));
}
