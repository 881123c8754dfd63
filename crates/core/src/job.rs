//! What every job is given besides its data: what the user chose, room for what is large, and somebody to tell.

pub mod choices;
pub mod context;
pub mod places;
pub mod progress;
