use super::super::yaml::documents;
use super::*;

fn named_in(text: &str) -> Result<Vec<(String, String)>> {
    let value = |name: &str| (name == "TAG").then(|| "v1".to_owned());
    let listed = images(&documents(text, "it").unwrap(), "it", &value)?;
    Ok(listed.into_iter().map(|one| (one.image, one.place)).collect())
}

#[test]
fn services_of_every_document_name_images() {
    let text = "services:\n  b: {image: 'b:$TAG'}\n  a: {image: a}\n---\nname: other\n---\nservices: {c: {image: c}}\n";
    let expected =
        [("b:v1", "it:2"), ("a", "it:3"), ("c", "it:7")].map(|(image, place)| (image.to_owned(), place.to_owned()));
    assert_eq!(named_in(text).unwrap(), expected);
    // An empty list of services is one.
    assert!(named_in("services: {}").unwrap().is_empty());
}

#[test]
fn what_is_no_compose_file_is_told() {
    for (text, expected) in [
        ("", "it has no services, so it is no Compose file"),
        ("services: ~", "it has no services, so it is no Compose file"),
        ("Services: {a: {image: a}}", "it has no services, so it is no Compose file"),
        ("\nservices: text", "it:2: expected services by their names"),
        ("services: [{image: a}]", "it:1: expected services by their names"),
        ("services:\n  a: {image: {b: c}}", "it:2: expected the name of an image"),
    ] {
        let error = named_in(text).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (delta_core::error::Kind::Content, expected.to_owned()),
            "{text}"
        );
    }
    let error = named_in("services:\n  a:\n    image: a:$NONE\n").unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (delta_core::error::Kind::Usage, "it:3: the variable NONE has no value".to_owned())
    );
    assert!(error.hint().unwrap().contains("NONE=VALUE"), "{error:?}");
}

#[test]
fn a_service_that_is_no_map_names_nothing() {
    for text in ["services: {a: text}", "services: {a: [image]}", "services: {a: ~}", "services: {a: {build: .}}"] {
        assert!(named_in(text).unwrap().is_empty(), "{text}");
    }
}
