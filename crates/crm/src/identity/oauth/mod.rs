//! The rules of the OAuth authorization server: clients, consent, grants, codes and tokens.
//!
//! A grant is what a user allowed one client to do in one tenant. Codes and tokens belong to a grant and end
//! with it. The server handles HTTP and pages, and fetches metadata documents.
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

/// The statements of this module, by table.
pub(crate) const GLOBAL_STATEMENTS: [Declared<GlobalSql>; 4] = [
    ("oauth clients", store::clients::GLOBAL_STATEMENTS),
    ("oauth requests", store::requests::GLOBAL_STATEMENTS),
    ("oauth grants", store::grants::GLOBAL_STATEMENTS),
    ("oauth tokens", store::tokens::GLOBAL_STATEMENTS),
];

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// Removes expired rows, and returns their number. To detect the use of a stolen copy, codes and access tokens
/// are kept for a day longer, and refresh tokens for as long as their grant could have lasted.
pub(crate) fn sweep(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize> {
    store::requests::cap_expiry(tx, Timestamp(now.0 + requests::LIFETIME), SLACK)?;
    tokens::cap_expiry(tx, now)?;
    let oldest = id::lowest_at(Timestamp(now.0 - tokens::MAX_LIFETIME - DAY));
    // The codes of such a grant have been removed by then.
    let unconnected = id::lowest_at(Timestamp(now.0 - DAY - HOUR));
    Ok(store::requests::sweep(tx, now)?
        + store::tokens::sweep_successors(tx, now)?
        + store::tokens::sweep(tx, Timestamp(now.0 - DAY), oldest)?
        + store::grants::sweep(tx, oldest, unconnected)?
        + clients::sweep(tx, now)?)
}
