//! Proof of who is calling, and the one way from it into a transaction.
//!
//! Rights are read in the transaction that uses them, and nothing is cached: a revoked key, a removed
//! user or a new role counts from the very next call, in every process.

use std::sync::Arc;

use zoop_db::{Earlier, ReadTx, WriteTx};

use crate::access::Access;
use crate::clock::Environment;
use crate::error::Error;

/// Proof of who is calling: a bearer token, a session in one of the user's tenants, or the operator.
pub trait Proof {
    /// Why a call is not made, or fails.
    type Refusal: From<Error> + From<zoop_db::Error>;

    /// Reads what the caller may do now.
    ///
    /// # Errors
    /// A credential that is not valid, and the database's.
    fn access(
        &self,
        tx: &mut ReadTx<'_>,
        environment: &Environment,
    ) -> Result<Access, Self::Refusal>;
}

impl<P: Proof> Proof for Arc<P> {
    type Refusal = P::Refusal;

    fn access(&self, tx: &mut ReadTx<'_>, environment: &Environment) -> Result<Access, P::Refusal> {
        P::access(self, tx, environment)
    }
}

/// Lets a caller into a transaction that reads, and binds it to the caller's tenant.
pub(crate) fn enter_read<P: Proof>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
) -> Result<Access, P::Refusal> {
    let access = proof.access(tx, environment)?;
    if let Some(account) = access.account {
        tx.bind(account.number);
    }
    Ok(access)
}

/// Lets a caller into a transaction that writes, and binds it to the caller's tenant. The write may wait
/// there for another one that takes the caller's rights away, so they are read again after a wait.
pub(crate) fn enter_write<P: Proof>(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    proof: &P,
) -> Result<Access, P::Refusal> {
    let access = proof.access(tx, environment)?;
    match access.account.map(|account| tx.bind(account.number)) {
        Some(Earlier::MayBeStale) => proof.access(tx, environment),
        Some(Earlier::Holds) | None => Ok(access),
    }
}
