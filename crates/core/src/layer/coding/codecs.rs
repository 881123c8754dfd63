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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compared_bytes_are_coded_by_all_codecs_and_one_more_by_the_recipe_alone() {
        let all = [LayerCodec::Whole, LayerCodec::Vcdiff, LayerCodec::Bsdiff];
        assert_eq!(of(Method::Auto, true, COMPARED_BYTES), all);
        assert_eq!(
            of(Method::Auto, false, COMPARED_BYTES),
            [LayerCodec::Whole],
            "without a base there is no difference"
        );
        assert_eq!(of(Method::Auto, true, COMPARED_BYTES + 1), []);
        assert_eq!(of(Method::Auto, false, COMPARED_BYTES + 1), []);
        for (method, codec) in [
            (Method::Layer, LayerCodec::Whole),
            (Method::Xdelta3, LayerCodec::Vcdiff),
            (Method::Bsdiff, LayerCodec::Bsdiff),
        ] {
            assert!([0, COMPARED_BYTES + 1].iter().all(|size| of(method, true, *size) == [codec]), "{method}");
        }
    }
}
