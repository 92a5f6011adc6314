//! Who calls: tenants, users, sign-in, API keys, OAuth clients and their grants.
//!
//! [`authenticate`] turns a credential into a caller. Customers, notes and all other records
//! that a tenant works with do not belong here.

pub mod authenticate;
pub mod invitations;
pub mod keys;
pub mod oauth;
pub mod sign_in;
pub mod tenants;
pub mod users;
