//! Compose files (compose-spec, "Services top-level elements").

use std::rc::Rc;

use delta_core::error::{Error, Result};

use super::Listed;
use super::variables::filled;
use super::yaml::{Node, Value};

/// The images of all services.
pub(super) fn images(
    documents: &[Rc<Node>],
    label: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Listed>> {
    let services: Vec<&Rc<Node>> = documents.iter().filter_map(|document| document.get("services")).collect();
    if services.is_empty() {
        return Err(Error::content(format!("{label} has no services, so it is no Compose file")));
    }
    let mut listed = Vec::new();
    for services in services {
        let Value::Map(services) = &services.value else {
            return Err(Error::content(format!("{label}:{}: expected services by their names", services.line)));
        };
        for (_, service) in services {
            // One without an image is built where it runs.
            let Some(image) = service.get("image") else { continue };
            let place = format!("{label}:{}", image.line);
            let text = image.text().ok_or_else(|| Error::content(format!("{place}: expected the name of an image")))?;
            let image = filled(text, value).map_err(|error| error.within(&place))?;
            listed.push(Listed { image, place });
        }
    }
    Ok(listed)
}

#[cfg(test)]
mod tests;
