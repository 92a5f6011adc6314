//! Callers for tests, with real credentials.

use std::ops::Deref;

use zoop_db::ReadTx;

use super::TestEnv;
use crate::call::access::{Access, Account, Rights, Source};
use crate::call::caller::Refusal;
use crate::call::error::{Error, Result};
use crate::call::proof::Proof;
use crate::identity::authenticate::{Bearer, Operator};
use crate::identity::sign_in::sessions::InTenant;
use crate::values::clock::Environment;

/// A caller with a credential. It derefs to the rights that the credential had when the caller was created; a
/// call reads the current rights.
#[derive(Debug, Clone)]
pub struct Caller {
    access: Access,
    proof: CallerProof,
}

#[derive(Debug, Clone)]
enum CallerProof {
    Token(Bearer),
    Session(InTenant),
    Operator(Operator),
}

impl Caller {
    /// The operator, in one tenant or outside any tenant.
    pub fn operator(account: Option<Account>) -> Self {
        let tenant = account.map(|account| account.id);
        let access = Access::new(Rights::operator(account), Source::default());
        Self { access, proof: CallerProof::Operator(Operator { tenant }) }
    }
}

impl TestEnv {
    /// Authenticates a token.
    ///
    /// # Errors
    /// The reason why the token was rejected.
    ///
    /// # Panics
    /// If the database fails.
    pub fn authenticate(&self, token: &str) -> Result<Caller, &'static str> {
        let bearer = Bearer::new(token);
        let (proof, environment) = (bearer.clone(), self.environment.clone());
        let read = self.read(move |tx| match proof.access(tx, &environment) {
            Ok(access) => Ok(Ok(access)),
            Err(Refusal::Denied(denied)) => Ok(Err(denied.reason())),
            Err(Refusal::Failed(error)) => Err(error),
        });
        let access = read.expect("the database should answer")?;
        Ok(Caller { access, proof: CallerProof::Token(bearer) })
    }

    /// The caller that a session in a tenant stands for.
    ///
    /// # Panics
    /// If the session has ended or its user is not a member.
    pub fn in_tenant(&self, session: InTenant) -> Caller {
        let proof = CallerProof::Session(session.clone());
        let environment = self.environment.clone();
        let read = self
            .read(move |tx| session.access(tx, &environment).map_err(Refusal::of_own_credential));
        Caller { access: read.expect("the session should belong to a member"), proof }
    }
}

impl Deref for Caller {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

impl Proof for Caller {
    type Refusal = Error;

    fn access(&self, tx: &mut ReadTx<'_>, environment: &Environment) -> Result<Access> {
        match &self.proof {
            CallerProof::Token(bearer) => {
                bearer.access(tx, environment).map_err(Refusal::of_own_credential)
            }
            CallerProof::Session(session) => {
                session.access(tx, environment).map_err(Refusal::of_own_credential)
            }
            CallerProof::Operator(operator) => operator.access(tx, environment),
        }
    }
}
