use super::*;

#[test]
fn names_tags_and_places_are_told_apart() {
    let pick = |text: &str| Pick::from(Some(text));
    let name = |text: &str| text.parse::<ImageName>().unwrap();
    assert!(pick("@1").is_at(1) && !pick("@1").is_at(0) && !pick("@1").is_tag("@1"));
    assert!(pick("@x").is_tag("@x"));
    assert!(pick("v2").is_tag("v2") && pick("app").is_name(&name("docker.io/library/app:latest")));
    assert_eq!(pick("app:v1").names(&[name("app:v1"), name("app:v2")]), [name("app:v1")]);
    assert_eq!(Pick::All.names(&[name("app:v1"), name("app:v2")]).len(), 2);
    let error = pick("@7").absent::<()>("x.tar", &["app:v1".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "x.tar holds no image `@7`, which counts from 0; it holds app:v1");
}

#[test]
fn a_place_is_a_number_behind_a_mark() {
    for (text, place) in
        [("@0", Some(0)), ("@17", Some(17)), ("@", None), ("@-1", None), ("@1x", None), ("1", None), ("@@1", None)]
    {
        let pick = Pick::from(Some(text));
        assert_eq!((0..20).find(|at| pick.is_at(*at)), place, "{text}");
        assert_eq!((pick.is_tag(text), pick.is_all()), (place.is_none(), false), "{text}");
    }
    let pick = Pick::from(Some("v2"));
    assert!(pick.is_tag("v2") && ["2", "v", "v2 ", "V2", ""].iter().all(|other| !pick.is_tag(other)));
    let all = Pick::from(None);
    assert!(all.is_all() && !all.is_at(0) && !all.is_tag("") && !all.is_name(&"app".parse().unwrap()));
}

#[test]
fn names_that_nobody_asked_for_travel_only_where_none_was() {
    let names = ["app:v1", "r.example/app:v1", "app:v2"].map(|name| name.parse::<ImageName>().unwrap());
    for (text, expected) in [
        (Some("app:v2"), &names[2..]),
        (Some("docker.io/library/app:v1"), &names[..1]),
        // A tag, a place or an odd word names all that the image is called.
        (Some("v2"), &names[..]),
        (Some("@0"), &names[..]),
        (Some("no name"), &names[..]),
        (None, &names[..]),
    ] {
        assert_eq!(Pick::from(text).names(&names), expected, "{text:?}");
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let told = |text: Option<&str>, there: &[&str]| {
        let there: Vec<String> = there.iter().map(|name| (*name).to_owned()).collect();
        let error = Pick::from(text).absent::<()>("a.tar", &there).unwrap_err();
        (error.kind(), error.to_string())
    };
    use delta_core::error::Kind::{Content, Usage};
    for (text, there, kind, expected) in [
        (None, &["app:v1"][..], Content, "a.tar holds no image"),
        (Some("v2"), &["app:v1", "b"], Usage, "a.tar holds no image `v2`; it holds app:v1, b"),
        (Some("@2"), &[], Usage, "a.tar holds no image `@2`, which counts from 0; it holds images without names"),
    ] {
        assert_eq!(told(text, there), (kind, expected.to_owned()));
    }
}
