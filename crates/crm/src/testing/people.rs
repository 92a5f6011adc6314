//! What users do in a browser before a client can call: they sign in and connect the client.

use std::time::Instant;

use serde_json::json;
use zoop_db::{Db, WriteTx};

use super::TIMEOUT;
use crate::call::error::{Error, Result};
use crate::call::scope::{ScopeNames, Scopes};
use crate::identity::oauth::clients::{self, Metadata, Registration};
use crate::identity::oauth::consent::{self, Choice};
use crate::identity::oauth::grants;
use crate::identity::oauth::requests::{self, AuthorizationRequest};
use crate::identity::oauth::tokens::{self, CodeRequest, Issued};
use crate::identity::sign_in::SignedIn;
use crate::identity::sign_in::sessions::{self, Method, Origin};
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

pub(super) fn sign_in(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
) -> Result<(Secret, SignedIn)> {
    let origin = Origin { address: None, browser: "a test".to_owned() };
    let secret = sessions::start(tx, environment, user, Method::Password, &origin)?;
    let found = sessions::find(tx, &secret, environment.clock.now())?;
    Ok((secret, found.expect("the session should be valid")))
}

/// Connects a client for a user, as a browser and the client do, and returns the grant and its tokens.
///
/// # Panics
/// If the client is rejected.
pub fn connect(
    db: &Db,
    environment: &Environment,
    tenant: Id<kinds::Tenant>,
    user: Id<kinds::User>,
    scopes: Scopes,
) -> (Id<kinds::Grant>, Issued) {
    const REDIRECT: &str = "https://program.example/callback";
    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let environment = environment.clone();
    let connecting = db.write::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
        let (_, signed_in) = sign_in(tx, &environment, user)?;
        let metadata = json!({ "client_name": "Program", "redirect_uris": [REDIRECT] });
        let metadata = Metadata::read(&metadata).expect("valid metadata");
        let from = signed_in.session.to_string();
        let registered = clients::register(tx, &environment, &metadata, &from)?;
        let Registration::Done(client) = registered else { panic!("{registered:?}") };
        let request = AuthorizationRequest {
            client_id: client.id.clone(),
            redirect_uri: REDIRECT.to_owned(),
            state: None,
            challenge: CHALLENGE.to_owned(),
            scopes: ScopeNames::own(scopes),
        };
        let pending = requests::start(tx, &environment, &signed_in, &request)?;
        let choice = Choice { tenant, scopes, is_allowed: true };
        let answer = consent::answer(tx, &environment, &signed_in, &pending, choice, None)?;
        let consent::ConsentOutcome::Allowed(_, code) = answer else { panic!("{answer:?}") };
        let verifier = VERIFIER.to_owned();
        let request = CodeRequest { client_id: client.id, code, verifier, redirect_uri: None };
        let tokens::TokenOutcome::Issued(issued) =
            tokens::exchange(tx, &environment, &request, None)?
        else {
            panic!("the code should be valid")
        };
        let grants = grants::of_user(tx, &signed_in, environment.clock.now(), None, 1)?;
        Ok((grants.first().expect("a grant").id, issued))
    });
    connecting.wait().expect("a connected program")
}
