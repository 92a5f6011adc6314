//! The SQL of programs, requests, grants, codes and tokens. All of it stands above tenants, because a
//! token is looked up before the tenant is known.

pub(super) mod clients;
pub(super) mod grants;
pub(super) mod requests;
pub(super) mod tokens;
