//! The company's identity provider: its published metadata, and what it says about a user who has signed
//! in there.
//!
//! Sources: OpenID Connect Core 1.0, 3.1; OpenID Connect Discovery 1.0, 4; RFC 9700, 2.1.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType,
    CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, SignatureVerificationError, StandardErrorResponse, TokenResponse,
};
use tokio::sync::Semaphore;
use ureq::Agent;
use zoop_crm::identity::sign_in::identities::Claimed;
use zoop_db::Timestamp;

use super::fetch::{self, Failed};
use super::pending::Pending;

/// How long the provider's metadata is used without fetching it again, in microseconds.
const FRESH: i64 = 60 * 60 * 1_000_000;
/// The shortest time between two fetches, in microseconds.
const PAUSE: i64 = 30 * 1_000_000;
/// How far the provider's clock may be off, in microseconds.
const LEEWAY: i64 = 60 * 1_000_000;
/// Sign-ins that may wait for the provider at once, each on a thread of its own.
const PERMITS: usize = 8;

/// How long the provider may take when only its reachability is checked.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// The provider, as this library describes it once it is discovered.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The company's identity provider.
#[derive(Clone, PartialEq, Eq)]
pub struct SsoProvider {
    /// Its issuer, exactly as it writes it: an https URL, or http on this machine.
    pub issuer: String,
    /// This server's client id at the provider.
    pub client_id: String,
    /// The secret of that client.
    pub client_secret: String,
    /// The company's name on the button.
    pub name: String,
}

impl fmt::Debug for SsoProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, client_id, .. } = self;
        formatter
            .debug_struct("Company")
            .field("issuer", issuer)
            .field("client_id", client_id)
            .finish_non_exhaustive()
    }
}

/// Why the provider did not identify the user. The description goes to the log: it contains no token, no
/// address and no text of the provider's.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It does not answer, or not correctly.
    Unreachable(String),
    /// It answers, and the answer is rejected.
    Refused(&'static str),
    /// Too many sign-ins are waiting for it.
    Busy,
}

/// The provider.
pub(crate) struct Provider {
    company: SsoProvider,
    callback: String,
    agent: Agent,
    published: Mutex<Published>,
    permits: Arc<Semaphore>,
}

/// The provider's metadata, including its keys.
#[derive(Default)]
struct Published {
    metadata: Option<Arc<CoreProviderMetadata>>,
    fetched_at: i64,
    asked_at: Option<i64>,
}

impl SsoProvider {
    /// Fetches the provider's metadata, as the first sign-in does.
    ///
    /// # Errors
    /// Why sign-in there does not work at the moment.
    pub fn reach(&self) -> Result<(), String> {
        let deadline = Instant::now() + REACH_TIMEOUT;
        Provider::new(self.clone(), "").discover(deadline).map(drop)
    }
}

impl Provider {
    /// The provider of these settings, which sends browsers back to this server.
    pub(crate) fn new(company: SsoProvider, public_url: &str) -> Self {
        Self {
            callback: format!("{public_url}{}", super::CALLBACK),
            agent: fetch::agent(company.issuer.starts_with("https://")),
            company,
            published: Mutex::default(),
            permits: Arc::new(Semaphore::new(PERMITS)),
        }
    }

    /// The company's name.
    pub(crate) fn name(&self) -> &str {
        &self.company.name
    }

    /// Whether the answer's `iss` parameter, if present, names this provider (RFC 9207).
    pub(super) fn is_issuer(&self, named: Option<&str>) -> bool {
        named.is_none_or(|named| named == self.company.issuer)
    }

    /// Where the browser goes to sign in.
    pub(super) async fn address(
        self: &Arc<Self>,
        pending: Pending,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<String, Trouble> {
        self.aside(move |provider| {
            let client = provider.client(now, deadline, false)?;
            let (state, nonce) = (pending.state(), pending.nonce());
            let verifier = PkceCodeVerifier::new(pending.verifier());
            let flow = CoreAuthenticationFlow::AuthorizationCode;
            let (url, ..) = client
                .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
                .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.into())))
                .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
                .url();
            Ok(url.into())
        })
        .await
    }

    /// The user that the returned code stands for.
    pub(super) async fn claimed(
        self: &Arc<Self>,
        code: String,
        pending: Pending,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Claimed, Trouble> {
        self.aside(move |provider| provider.exchange(code, &pending, now, deadline)).await
    }

    /// Runs blocking work on a thread of its own.
    async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            return Err(Trouble::Busy);
        };
        let provider = self.clone();
        // The thread goes on when the visitor has left, and keeps its permit.
        let thread = tokio::task::spawn_blocking(move || {
            let done = work(&provider);
            drop(permit);
            done
        });
        thread.await.map_err(|error| Trouble::Unreachable(error.to_string()))?
    }

    fn exchange(
        &self,
        code: String,
        pending: &Pending,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Claimed, Trouble> {
        let fetch = |request| fetch::fetch(&self.agent, deadline, request);
        let client = self.client(now, deadline, false)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| Trouble::Unreachable("it names no token endpoint".into()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier()))
            .request(&fetch)
            .map_err(|error| token_trouble(&error))?;
        let token = tokens.id_token().ok_or(Trouble::Refused("it sent no ID token"))?;
        let nonce = Nonce::new(pending.nonce());
        let verified = |client: &Client| -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
            let moment = UNIX_EPOCH + microseconds(now.0.saturating_sub(LEEWAY));
            let verifier = client
                .id_token_verifier()
                .set_allowed_algs([
                    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
                ])
                .set_time_fn(move || moment.into());
            token.claims(&verifier, &nonce).cloned()
        };
        let claims = match verified(&client) {
            // Keys change without notice: look for a new one, but not often.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => verified(&self.client(now, deadline, true)?),
            other => other,
        };
        let claims = claims.map_err(|error| Trouble::Refused(claims_trouble(&error)))?;
        if claims.authorized_party().is_some_and(|party| **party != self.company.client_id) {
            return Err(Trouble::Refused("its ID token was made for another client"));
        }
        let verified_email = match claims.email().zip(claims.email_verified()) {
            Some((email, true)) => Some(email.as_str().to_owned()),
            Some((_, false)) => None,
            None => Self::asked_email(&client, tokens.access_token(), &claims, &fetch)?,
        };
        Ok(Claimed {
            issuer: self.company.issuer.clone(),
            subject: claims.subject().as_str().to_owned(),
            verified_email,
        })
    }

    /// The e-mail address from the user information endpoint (OpenID Connect Core 1.0, 5.4), if the provider
    /// has verified it.
    fn asked_email(
        client: &Client,
        token: &AccessToken,
        claims: &CoreIdTokenClaims,
        fetch: &impl Fn(openidconnect::HttpRequest) -> Result<openidconnect::HttpResponse, Failed>,
    ) -> Result<Option<String>, Trouble> {
        // It must be about the same user: another subject in the answer is rejected.
        let Ok(request) = client.user_info(token.clone(), Some(claims.subject().clone())) else {
            return Ok(None);
        };
        let claims: CoreUserInfoClaims = request
            .require_signed_response(false)
            .request(fetch)
            .map_err(|_| Trouble::Unreachable("its user information cannot be fetched".into()))?;
        let is_verified = claims.email_verified() == Some(true);
        Ok(claims.email().filter(|_| is_verified).map(|email| email.as_str().to_owned()))
    }

    /// The library's view of the provider, with keys that are fresh enough or, if `anew`, just fetched.
    fn client(&self, now: Timestamp, deadline: Instant, anew: bool) -> Result<Client, Trouble> {
        let metadata = self.metadata(now, deadline, anew)?;
        let unusable = |_| Trouble::Unreachable("its addresses cannot be used".into());
        let redirect = RedirectUrl::new(self.callback.clone()).map_err(unusable)?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_none_or(|methods| methods.contains(&method));
        let posts = !takes(CoreClientAuthMethod::ClientSecretBasic)
            && takes(CoreClientAuthMethod::ClientSecretPost);
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.company.client_id.clone()),
            Some(ClientSecret::new(self.company.client_secret.clone())),
        )
        .set_redirect_uri(redirect);
        Ok(if posts { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    /// The provider's metadata. It is fetched once an hour. If that fails, the last known version is still
    /// used, and there is no other attempt for half a minute.
    fn metadata(
        &self,
        now: Timestamp,
        deadline: Instant,
        anew: bool,
    ) -> Result<Arc<CoreProviderMetadata>, Trouble> {
        // Callers that wait here wait for the one that fetches.
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let known = published.metadata.clone();
        let is_within = |since: i64, span| (0..span).contains(&now.0.saturating_sub(since));
        let is_fresh = is_within(published.fetched_at, FRESH);
        let was_asked = published.asked_at.is_some_and(|at| is_within(at, PAUSE));
        match known {
            Some(known) if was_asked || (is_fresh && !anew) => return Ok(known),
            None if was_asked => {
                return Err(Trouble::Unreachable("it did not answer a moment ago".into()));
            }
            _ => {}
        }
        published.asked_at = Some(now.0);
        match self.discover(deadline) {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                published.metadata = Some(metadata.clone());
                published.fetched_at = now.0;
                Ok(metadata)
            }
            Err(cause) => {
                tracing::warn!(%cause, "the metadata of the company's provider could not be fetched");
                known.ok_or(Trouble::Unreachable(cause))
            }
        }
    }

    fn discover(&self, deadline: Instant) -> Result<CoreProviderMetadata, String> {
        let issuer = IssuerUrl::new(self.company.issuer.clone()).map_err(|it| it.to_string())?;
        let fetch = |request| fetch::fetch(&self.agent, deadline, request);
        CoreProviderMetadata::discover(&issuer, &fetch).map_err(|error| {
            use openidconnect::DiscoveryError::{Parse, Request, Response, Validation};
            match error {
                Request(failed) => failed.to_string(),
                Parse(_) => "its metadata cannot be read".into(),
                Response(status, ..) => format!("it answered {}", status.as_u16()),
                Validation(_) => "it names another issuer".into(),
                _ => "its address cannot be used".into(),
            }
        })
    }
}

fn microseconds(count: i64) -> Duration {
    Duration::from_micros(u64::try_from(count).unwrap_or(0))
}

type TokenTrouble = RequestTokenError<Failed, StandardErrorResponse<CoreErrorResponseType>>;

fn token_trouble(error: &TokenTrouble) -> Trouble {
    match error {
        RequestTokenError::ServerResponse(_) => Trouble::Refused("it rejected the code"),
        RequestTokenError::Request(failed) => Trouble::Unreachable(failed.to_string()),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Trouble::Unreachable("its tokens cannot be read".into())
        }
    }
}

/// What is wrong with an ID token, in words that contain nothing of it.
fn claims_trouble(error: &ClaimsVerificationError) -> &'static str {
    use ClaimsVerificationError as Wrong;
    match error {
        Wrong::Expired(_) => "its ID token has expired",
        Wrong::InvalidAudience(_) => "its ID token was made for another client",
        Wrong::InvalidIssuer(_) => "its ID token names another issuer",
        Wrong::InvalidNonce(_) => "its ID token belongs to another sign-in",
        Wrong::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            "its ID token is signed with a key that it does not publish"
        }
        Wrong::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "its ID token is signed with an algorithm that is not accepted: use RS256 or ES256"
        }
        Wrong::SignatureVerification(_) => "its ID token's signature is wrong",
        _ => "its ID token cannot be used",
    }
}
