//! The rules of the OAuth authorization server: clients, consent, grants, codes and tokens.
//!
//! A grant is what a user allowed one client to do in one tenant. Codes and tokens belong to a grant and
//! end with it. HTTP, pages and the fetching of metadata documents are in the server.
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

use zoop_db::{Declared, GlobalSql, Timestamp, WriteTx};

use crate::call::error::Result;
use crate::values::clock::SLACK;
use crate::values::id;

/// The statements of every table of this module.
pub(crate) const GLOBAL_STATEMENTS: [Declared<GlobalSql>; 4] = [
    ("oauth clients", store::clients::GLOBAL_STATEMENTS),
    ("oauth requests", store::requests::GLOBAL_STATEMENTS),
    ("oauth grants", store::grants::GLOBAL_STATEMENTS),
    ("oauth tokens", store::tokens::GLOBAL_STATEMENTS),
];

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// Removes what has expired. To detect the use of a stolen copy, codes and access tokens are kept for a
/// day longer, and refresh tokens for as long as their grant could have lasted.
pub(crate) fn sweep(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize> {
    store::requests::shorten(tx, Timestamp(now.0 + requests::LIFETIME), SLACK)?;
    tokens::shorten(tx, now)?;
    let oldest = id::least_at(Timestamp(now.0 - tokens::MAX_LIFETIME - DAY));
    // By then, the codes of such a grant are removed.
    let unconnected = id::least_at(Timestamp(now.0 - DAY - HOUR));
    Ok(store::requests::sweep(tx, now)?
        + store::tokens::sweep_successors(tx, now)?
        + store::tokens::sweep(tx, Timestamp(now.0 - DAY), oldest)?
        + store::grants::sweep(tx, oldest, unconnected)?
        + clients::sweep(tx, now)?)
}
