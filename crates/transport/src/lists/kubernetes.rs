//! Manifests of Kubernetes: whatever holds a pod, also in lists and in resources of one's own.

use std::rc::Rc;

use delta_core::error::{Error, Result};

use super::Listed;
use super::yaml::{Node, Value};

/// The fields of a pod that list containers (Kubernetes API, PodSpec).
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// The field of a pod that lists volumes, of which some are images (Kubernetes API, ImageVolumeSource).
const VOLUMES: &str = "volumes";

/// Values that are looked at; what is referred to counts each time.
const VISITS: usize = 4 << 20;

/// The images of every container, and of volumes.
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
        Value::Nothing | Value::Text(_) => {}
        Value::List(all) => all.iter().try_for_each(|node| visit(node, label, left, listed))?,
        Value::Map(entries) => {
            for (key, node) in entries {
                match &node.value {
                    Value::List(containers) if CONTAINERS.contains(&key.as_str()) => {
                        listed.extend(containers.iter().filter_map(|container| named(container.get("image")?, label)));
                    }
                    Value::List(volumes) if key == VOLUMES => {
                        let image = |volume: &Rc<Node>| named(volume.get("image")?.get("reference")?, label);
                        listed.extend(volumes.iter().filter_map(image));
                    }
                    _ => {}
                }
                visit(node, label, left, listed)?;
            }
        }
    }
    Ok(())
}

fn named(image: &Node, label: &str) -> Option<Listed> {
    let text = image.text().filter(|text| !text.is_empty())?;
    Some(Listed { image: text.to_owned(), place: format!("{label}:{}", image.line) })
}

#[cfg(test)]
mod tests;
