//! One layer: split into entries, matched with the layers that are known, written as a recipe or another codec.
//!
//! [`tar_index`] splits a layer, [`matcher`] finds what each of its entries looks like, [`recipe`] is how method `auto`
//! writes that down, and `coding` makes members of the package of it, by whichever codec. Which layers there are, and
//! which may be used as bases, is for [`crate::create`] and [`crate::apply`] to say.

pub(crate) mod base_index;
pub(crate) mod blocks;
pub(crate) mod coding;
pub mod matcher;
pub mod recipe;
mod similarity;
pub mod tar_index;
mod window;
