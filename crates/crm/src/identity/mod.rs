//! Who calls: tenants, users, sign-in, API keys, OAuth clients and what they were granted.
//!
//! [`authenticate`] turns a credential into a caller. What must never live here: customers, notes or any
//! other record that a business works with.

pub mod authenticate;
pub mod invitations;
pub mod keys;
pub mod oauth;
pub mod sign_in;
pub mod tenants;
pub mod users;
