//! Proof of who is calling, and the functions that read the caller's rights and bind the tenant.
//!
//! Rights are read in the transaction that uses them and must not be cached: a revoked key, a removed
//! user or a new role takes effect with the next call, in every process.

use std::sync::Arc;

use zoop_db::{Earlier, ReadTx, WriteTx};

use crate::call::access::Access;
use crate::call::error::Error;
use crate::values::clock::Environment;

/// Proof of who is calling: a bearer token, a session in one of the user's tenants, or the operator.
pub trait Proof {
    /// Why a caller is rejected, or why reading the rights fails.
    type Refusal: From<Error> + From<zoop_db::Error>;

    /// Reads the caller's current rights.
    ///
    /// # Errors
    /// The credential is invalid, or the database fails.
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

/// Reads the caller's rights and binds a read transaction to the caller's tenant.
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

/// Reads the caller's rights and binds a write transaction to the caller's tenant. On PostgreSQL, binding may
/// wait for another write, which may revoke the rights. The rights are then read again.
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
