//! YAML as a tree that knows its lines. What is referred to is shared and never copied.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use delta_core::error::{Error, Result};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deeply things may lie in one another, and refer to one another.
const DEPTH: usize = 100;

/// A value and the line where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
    /// How many lists and maps are below one another in it, those that it refers to too.
    depth: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    Text(String),
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>),
}

impl Node {
    fn new(line: usize, value: Value) -> Self {
        let below = match &value {
            Value::Nothing | Value::Text(_) => return Self { line, value, depth: 0 },
            Value::List(all) => all.iter().map(|node| node.depth).max(),
            Value::Map(all) => all.iter().map(|(_, node)| node.depth).max(),
        };
        Self { line, value, depth: below.map_or(1, |below| below + 1) }
    }

    /// The value of a key, unless that is nothing; those of `<<` (YAML merge keys) come after its own.
    pub(super) fn get(&self, key: &str) -> Option<&Rc<Self>> {
        self.get_unseen(key, &mut BTreeSet::new()).filter(|node| !matches!(node.value, Value::Nothing))
    }

    /// Looks into each node once, however often others merge it.
    fn get_unseen(&self, key: &str, seen: &mut BTreeSet<*const Self>) -> Option<&Rc<Self>> {
        let Value::Map(entries) = &self.value else { return None };
        if !seen.insert(std::ptr::from_ref(self)) {
            return None;
        }
        let own = entries.iter().rev().find(|(name, _)| name == key).map(|(_, node)| node);
        own.or_else(|| {
            let merged = entries.iter().filter(|(name, _)| name == "<<").flat_map(|(_, node)| match &node.value {
                Value::List(all) => all.as_slice(),
                _ => std::slice::from_ref(node),
            });
            merged.into_iter().find_map(|node| node.get_unseen(key, seen))
        })
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What is being read, outermost first.
enum Open {
    List(Vec<Rc<Node>>),
    Map(Vec<(String, Rc<Node>)>, Option<String>),
}

/// The documents of a stream.
pub(super) fn documents(text: &str, label: &str) -> Result<Vec<Rc<Node>>> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, usize, Open)> = Vec::new();
    let mut anchors: BTreeMap<usize, Rc<Node>> = BTreeMap::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            Error::content(format!("{label}:{}: it is no YAML: {}", error.marker().line(), error.info()))
        })?;
        let line = span.start.line();
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, Node::new(line, scalar(&text, style)).into()),
            Event::Alias(anchor) => {
                let unknown = || Error::content(format!("{label}:{line}: it refers to what is not there yet"));
                (0, anchors.get(&anchor).cloned().ok_or_else(unknown)?)
            }
            Event::SequenceStart(anchor, _) => {
                open.push((line, anchor, Open::List(Vec::new())));
                require_within(open.len(), label, line)?;
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push((line, anchor, Open::Map(Vec::new(), None)));
                require_within(open.len(), label, line)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((line, anchor, closed)) = open.pop() else { continue };
                let value = match closed {
                    Open::List(all) => Value::List(all),
                    Open::Map(all, _) => Value::Map(all),
                };
                let node = Node::new(line, value);
                require_within(node.depth, label, line)?;
                (anchor, Rc::new(node))
            }
            _ => continue,
        };
        if anchor > 0 {
            anchors.insert(anchor, node.clone());
        }
        match open.last_mut() {
            None => found.push(node),
            Some((.., Open::List(all))) => all.push(node),
            Some((.., Open::Map(all, key))) => match key.take() {
                Some(key) => all.push((key, node)),
                // What is no text names nothing that is looked for.
                None => *key = Some(node.text().unwrap_or_default().to_owned()),
            },
        }
    }
    Ok(found)
}

/// A text, unless it means nothing (YAML 1.2, "Core Schema").
fn scalar(text: &str, style: ScalarStyle) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => Value::Nothing,
        _ => Value::Text(text.to_owned()),
    }
}

fn require_within(depth: usize, label: &str, line: usize) -> Result<()> {
    if depth > DEPTH {
        return Err(Error::content(format!("{label}:{line}: it is nested more than {DEPTH} deep")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Rc<Node> {
        let mut all = documents(text, "it").unwrap();
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    fn text_at<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
        node.get(key)?.text()
    }

    #[test]
    fn things_lie_in_one_another_to_a_bound() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let maps = |depth: usize| format!("{}x{}", "{a: ".repeat(depth), "}".repeat(depth));
        for made in [&nested as &dyn Fn(usize) -> String, &maps] {
            assert!(documents(&made(DEPTH), "it").is_ok());
            let error = documents(&made(DEPTH + 1), "it").unwrap_err();
            assert_eq!(error.to_string(), "it:1: it is nested more than 100 deep");
        }
    }

    /// Each refers to the one before, so many.
    fn chain(length: usize) -> String {
        let more = (1..length).map(|number| format!("- &a{number} [*a{}]\n", number - 1));
        ["- &a0 []\n".to_owned()].into_iter().chain(more).collect()
    }

    #[test]
    fn what_refers_to_one_another_is_bounded_like_what_lies_in_one_another() {
        // The list of them all is one more.
        assert!(documents(&chain(DEPTH - 1), "it").is_ok());
        let error = documents(&chain(DEPTH), "it").unwrap_err();
        assert_eq!(error.to_string(), "it:1: it is nested more than 100 deep");
        let error = documents(&chain(200_000), "it").unwrap_err();
        assert_eq!(error.to_string(), "it:101: it is nested more than 100 deep");
    }

    #[test]
    fn what_is_merged_again_and_again_is_looked_into_once() {
        let mut text = "a0: &a0 {x: y}\n".to_owned();
        for level in 1..45 {
            let refers = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} {{<<: [{refers}]}}\n");
        }
        let last = one(&text).get("a44").unwrap().clone();
        assert_eq!((text_at(&last, "x"), text_at(&last, "image")), (Some("y"), None));
    }

    #[test]
    fn own_values_go_before_those_that_are_merged() {
        let node = one("{a: 1, <<: [{a: 2, b: 2}, {b: 3, c: 3}], d: ~, <<: {c: 4, d: 4, e: 4}}");
        let found: Vec<Option<&str>> = ["a", "b", "c", "d", "e", "f"].map(|key| text_at(&node, key)).into();
        assert_eq!(found, [Some("1"), Some("2"), Some("3"), None, Some("4"), None]);
        // Of what stands twice the later one counts; what is no map has nothing to merge.
        assert_eq!(text_at(&one("{a: 1, a: 2}"), "a"), Some("2"));
        assert_eq!(text_at(&one("{<<: text}"), "a"), None);
        assert_eq!(text_at(&one("[a]"), "a"), None);
    }

    #[test]
    fn nothing_is_what_the_core_schema_has_for_it_without_quotes() {
        for nothing in ["~", "null", "Null", "NULL", ""] {
            assert!(one(&format!("{{a: {nothing}}}")).get("a").is_none(), "{nothing}");
        }
        for text in ["'~'", "\"null\"", "nULL", "''", "0", "false"] {
            assert!(one(&format!("{{a: {text}}}")).get("a").is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_referred_to_stands_before() {
        for (text, expected) in [("a: *b\n", "it:1: "), ("a: &a [*a]\n", "it:1: it refers to what is not there yet")] {
            let error = documents(text, "it").unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        assert!(documents("", "it").unwrap().is_empty());
        assert_eq!(documents("a\n---\nb\n", "it").unwrap().len(), 2);
    }
}
