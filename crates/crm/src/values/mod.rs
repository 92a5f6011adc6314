//! Values that do not depend on the rest of the product: ids, times, sizes, secrets, telephone numbers, e-mail
//! addresses and folded text.
//!
//! What must never live here: code that imports another module of this crate.

pub mod clock;
pub mod country;
pub mod email;
pub mod fold;
pub mod id;
pub mod phone;
pub mod secret;
pub mod size;
pub mod stem;
pub mod text;
