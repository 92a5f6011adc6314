//! The SQL for clients, requests, grants, codes and tokens. All tenants share the tables, because a token is
//! looked up before its tenant is known.

pub(super) mod clients;
pub(super) mod grants;
pub(super) mod requests;
pub(super) mod tokens;
