//! The rules of the OAuth authorization server: clients, consent, grants, codes and tokens.
//!
//! A grant is what a user allowed one client to do in one tenant. Codes and tokens belong to a grant and stop
//! working when the grant ends. The `server` crate handles HTTP and pages, and fetches metadata documents.
//!
//! Sources: RFC 6749 (with RFC 9700), RFC 7636, RFC 7591, RFC 7009, RFC 8707.

mod caller;
pub mod clients;
pub mod consent;
pub mod grants;
pub mod redirect;
pub mod requests;
mod store;
pub mod tokens;
pub mod tools;

pub(crate) use caller::caller;
pub(crate) use store::clients::{OAUTH_CLIENT_COUNTS, OAUTH_CLIENTS};
pub(crate) use store::grants::{OAUTH_GRANTS, touch};
pub(crate) use store::requests::OAUTH_REQUESTS;
pub(crate) use store::tokens::{OAUTH_CODES, OAUTH_SUCCESSORS, OAUTH_TOKENS};

use zoop_db::{Declared, GlobalSql};

use crate::call::sweep::Sweep;

/// The statements of this module, by table.
pub(crate) const GLOBAL_STATEMENTS: [Declared<GlobalSql>; 4] = [
    ("oauth clients", store::clients::GLOBAL_STATEMENTS),
    ("oauth requests", store::requests::GLOBAL_STATEMENTS),
    ("oauth grants", store::grants::GLOBAL_STATEMENTS),
    ("oauth tokens", store::tokens::GLOBAL_STATEMENTS),
];

/// The sweeps of this module. The order matters: a row is removed after the rows that refer to it.
pub(crate) const SWEEPS: [&[Sweep]; 4] =
    [store::requests::SWEEPS, store::tokens::SWEEPS, store::grants::SWEEPS, clients::SWEEPS];
