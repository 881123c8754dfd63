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
mod tests;
