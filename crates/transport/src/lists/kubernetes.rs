//! Manifests of Kubernetes: whatever holds a pod, also in lists and in resources of one's own.

use std::rc::Rc;

use delta_core::error::{Error, Result};

use super::Listed;
use super::yaml::{Node, Value};

/// The fields of a pod that list containers (Kubernetes API, PodSpec).
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Values that are looked at; what is referred to counts each time.
const VISITS: usize = 4 << 20;

/// The images of every container.
pub(super) fn images(documents: &[Rc<Node>], label: &str) -> Result<Vec<Listed>> {
    let mut listed = Vec::new();
    let mut left = VISITS;
    for document in documents {
        visit(document, label, &mut left, &mut listed)?;
    }
    Ok(listed)
}

fn visit(node: &Node, label: &str, left: &mut usize, listed: &mut Vec<Listed>) -> Result<()> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| Error::content(format!("{label}:{}: it refers to itself too often", node.line)))?;
    match &node.value {
        Value::Text(_) => {}
        Value::List(all) => all.iter().try_for_each(|node| visit(node, label, left, listed))?,
        Value::Map(entries) => {
            for (key, node) in entries {
                if let (true, Value::List(containers)) = (CONTAINERS.contains(&key.as_str()), &node.value) {
                    listed.extend(containers.iter().filter_map(|container| image(container, label)));
                }
                visit(node, label, left, listed)?;
            }
        }
    }
    Ok(())
}

fn image(container: &Node, label: &str) -> Option<Listed> {
    let image = container.get("image")?;
    let text = image.text().filter(|text| !text.is_empty())?;
    Some(Listed { image: text.to_owned(), place: format!("{label}:{}", image.line) })
}
