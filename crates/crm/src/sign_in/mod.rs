//! People at a browser: passwords, second factors, sessions, and how often somebody may try.
//!
//! Hashing a password takes long, so it is never done on a database's thread: what is read here is
//! compared elsewhere, and the outcome comes back to be written.

pub mod identities;
pub mod sessions;
mod store;

pub use sessions::SignedIn;

pub(crate) use store::GLOBAL_STATEMENTS;
