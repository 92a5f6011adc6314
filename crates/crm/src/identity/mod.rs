//! The identity of callers: tenants, users, invitations, sign-in, API keys, OAuth clients and their grants.
//!
//! [`authenticate`] turns a credential into a caller. Business records, such as customers and notes, do not
//! belong here.

pub mod authenticate;
pub mod invitations;
pub mod keys;
pub mod oauth;
pub mod sign_in;
pub mod tenants;
pub mod users;
