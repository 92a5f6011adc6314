//! Values that know nothing of the product: ids, times, sizes, secrets, telephone numbers, e-mail addresses,
//! and text made comparable.
//!
//! What must never live here: anything that names another module of this crate.

pub mod clock;
pub mod country;
pub mod email;
pub mod fold;
pub mod id;
pub mod phone;
pub mod secret;
pub mod size;
pub mod text;
