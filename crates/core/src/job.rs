//! What every job is given besides its data: what the user chose, room for what is large, somebody to tell, and what was
//! found out before.

pub mod cache;
pub mod choices;
pub mod context;
pub mod places;
pub mod progress;
