//! Signing in with a browser: passwords, second factors, identity providers, sessions and rate limits.
//!
//! Hashing a password is slow, so it never runs inside a transaction: one transaction reads the stored hash, the
//! caller compares the password with the hash, and another transaction writes the outcome.

pub mod acting;
pub mod attempts;
mod common;
pub mod devices;
mod factor_store;
pub mod identities;
pub mod links;
pub mod own_email;
pub mod own_name;
pub mod password;
pub mod password_login;
pub mod passwords;
pub(crate) mod restart;
pub mod second_factor;
pub mod sessions;
mod store;
#[cfg(test)]
mod tests;
mod totp;
pub mod user;

pub use acting::ActingMember;
pub use sessions::SignedIn;

pub(crate) use attempts::{ATTEMPTS, GLOBAL_STATEMENTS as ATTEMPT_STATEMENTS};
pub(crate) use devices::{DEVICES, GLOBAL_STATEMENTS as DEVICE_STATEMENTS};
pub(crate) use factor_store::{
    GLOBAL_STATEMENTS as FACTOR_STATEMENTS, PENDING_SIGN_INS, RECOVERY_CODES, SECOND_FACTORS,
};
pub(crate) use links::{GLOBAL_STATEMENTS as LINK_STATEMENTS, PASSWORD_LINKS};
pub(crate) use own_email::{EMAIL_LINKS, GLOBAL_STATEMENTS as OWN_EMAIL_STATEMENTS};
pub(crate) use store::{GLOBAL_STATEMENTS, PASSWORDS, SESSIONS};

use crate::call::sweep::Sweep;

pub(crate) const SWEEPS: [&[Sweep]; 6] = [
    attempts::SWEEPS,
    links::SWEEPS,
    own_email::SWEEPS,
    devices::SWEEPS,
    factor_store::SWEEPS,
    store::SWEEPS,
];
