use super::super::yaml::documents;
use super::*;

fn named_in(text: &str) -> Vec<(String, String)> {
    let listed = images(&documents(text, "it").unwrap(), "it").unwrap();
    listed.into_iter().map(|one| (one.image, one.place)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(image, place)| ((*image).to_owned(), (*place).to_owned())).collect()
}

#[test]
fn each_field_that_lists_containers_is_looked_at_wherever_it_lies() {
    let text = "initContainers: [{image: a}]\ncontainers: [{image: b}]\nephemeralContainers:\n- image: c\n- image: d\n\
                spec: {x: [[{containers: [{image: e}]}]]}\n";
    let expected = [("a", "it:1"), ("b", "it:2"), ("c", "it:4"), ("d", "it:5"), ("e", "it:6")];
    assert_eq!(named_in(text), pairs(&expected));
    // Of a container's own fields one may list containers too.
    assert_eq!(
        named_in("containers: [{image: a, more: {containers: [{image: b}]}}]"),
        pairs(&[("a", "it:1"), ("b", "it:1")])
    );
}

#[test]
fn what_is_called_otherwise_or_is_no_list_names_nothing() {
    for text in [
        "container: [{image: a}]",
        "Containers: [{image: a}]",
        "containers: {image: a}",
        "containers: a",
        "containers: [a, [b], ~]",
        "containers: [{Image: a}, {image: [a]}, {image: {a: b}}, {image: ''}, {image: ~}]",
        "image: a",
        "volumes: [{image: a}, {image: {reference: ''}}, {image: {Reference: a}}, {reference: a}]",
        "volumes: {image: {reference: a}}",
        "[a, b]",
        "a",
        "",
    ] {
        assert!(named_in(text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_merged_into_a_container_counts() {
    let text = "base: &base {image: a}\ncontainers:\n- <<: *base\n- {<<: *base, image: b}\nvolumes: [{image: {<<: {reference: c}}}]\n";
    assert_eq!(named_in(text), pairs(&[("a", "it:1"), ("b", "it:4"), ("c", "it:5")]));
}

#[test]
fn so_many_values_are_looked_at_and_no_more() {
    let looked = |values: usize, left: usize| {
        let text = if values == 0 { "\n[]".to_owned() } else { format!("\n{}", "- x\n".repeat(values)) };
        let (mut left, mut listed) = (left, Vec::new());
        visit(&documents(&text, "it").unwrap()[0], "it", &mut left, &mut listed).map(|()| left)
    };
    // The list itself is one.
    assert_eq!(looked(9, 10).unwrap(), 0);
    assert_eq!(looked(0, 10).unwrap(), 9);
    let error = looked(10, 10).unwrap_err();
    assert_eq!(error.to_string(), "it:11: it refers to itself too often");
    assert_eq!(error.kind(), delta_core::error::Kind::Content);
    assert_eq!(looked(0, 0).unwrap_err().to_string(), "it:2: it refers to itself too often");
}
