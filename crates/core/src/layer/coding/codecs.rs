//! The codecs of each method.

use crate::job::choices::Method;
use crate::limits::COMPARED_BYTES;
use crate::package::features::LayerCodec;

/// The codecs, besides the recipe, that may make the smallest result of a layer of `size` bytes. What is large is not worth a
/// comparison that the recipe wins: it holds the same matches, and what is new in it is compressed like a whole layer.
pub(super) const fn of(method: Method, has_bases: bool, size: u64) -> &'static [LayerCodec] {
    match method {
        Method::Auto if size > COMPARED_BYTES => &[],
        Method::Auto if has_bases => &[LayerCodec::Whole, LayerCodec::Vcdiff, LayerCodec::Bsdiff],
        Method::Auto | Method::Layer => &[LayerCodec::Whole],
        Method::Xdelta3 => &[LayerCodec::Vcdiff],
        Method::Bsdiff => &[LayerCodec::Bsdiff],
    }
}
