//! The company's identity provider: its published metadata, and what it says about a user who has signed in.
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
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse, TokenResponse,
};
use tokio::sync::Semaphore;
use ureq::Agent;
use zoop_crm::identity::sign_in::identities::Claimed;
use zoop_db::Timestamp;

use super::fetch::{self, FetchFailure};
use super::pending::Pending;

/// How long the provider's metadata is used without fetching it again, in microseconds.
const FRESH_FOR: i64 = 60 * 60 * 1_000_000;
/// The minimum time between two attempts to fetch the metadata, in microseconds.
const RETRY_INTERVAL: i64 = 30 * 1_000_000;
/// How far the provider's clock may be off, in microseconds.
const CLOCK_LEEWAY: i64 = 60 * 1_000_000;
/// The maximum number of sign-ins that wait for the provider at once, each on a thread of its own.
const MAX_WAITING: usize = 8;

/// The time limit for checking that the provider can be reached.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// The library's type for a provider whose metadata is known.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The settings for the company's identity provider.
#[derive(Clone, PartialEq, Eq)]
pub struct SsoProvider {
    /// The provider's issuer, exactly as the provider writes it: an https URL, or http on this machine.
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

/// Why the provider did not identify the user. The description is logged; it contains no token, no address and no
/// text from the provider.
#[derive(Debug)]
pub(super) enum SsoFailure {
    /// The provider does not answer, or its answer cannot be used.
    Unreachable(String),
    /// The provider's answer was rejected, or the provider rejected the code.
    Refused(&'static str),
    /// Too many sign-ins are waiting for the provider.
    Busy,
}

/// The company's identity provider, with its cached metadata.
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
    requested_at: Option<i64>,
}

impl SsoProvider {
    /// Checks that the provider can be reached, by fetching its metadata.
    ///
    /// # Errors
    /// If users cannot sign in at the provider at the moment. The text says why.
    pub fn reach(&self) -> Result<(), String> {
        let deadline = Instant::now() + REACH_TIMEOUT;
        Provider::new(self.clone(), "").discover(deadline).map(drop)
    }
}

impl Provider {
    /// The provider with these settings. It sends browsers back to this public URL.
    pub(crate) fn new(company: SsoProvider, public_url: &str) -> Self {
        Self {
            callback: format!("{public_url}{}", super::CALLBACK),
            agent: fetch::agent(company.issuer.starts_with("https://")),
            company,
            published: Mutex::default(),
            permits: Arc::new(Semaphore::new(MAX_WAITING)),
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

    /// The address to which the browser is sent to sign in.
    pub(super) async fn address(
        self: &Arc<Self>,
        pending: Pending,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<String, SsoFailure> {
        self.on_blocking_thread(move |provider| {
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

    /// Exchanges the code for what the provider says about the user.
    pub(super) async fn identify(
        self: &Arc<Self>,
        code: String,
        pending: Pending,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Claimed, SsoFailure> {
        self.on_blocking_thread(move |provider| provider.exchange(code, &pending, now, deadline))
            .await
    }

    /// Runs blocking work on a thread of its own, unless too many sign-ins are waiting.
    async fn on_blocking_thread<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, SsoFailure> + Send + 'static,
    ) -> Result<T, SsoFailure> {
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            return Err(SsoFailure::Busy);
        };
        let provider = self.clone();
        // If the visitor leaves, the thread continues and keeps its permit.
        let thread = tokio::task::spawn_blocking(move || {
            let done = work(&provider);
            drop(permit);
            done
        });
        thread.await.map_err(|error| SsoFailure::Unreachable(error.to_string()))?
    }

    fn exchange(
        &self,
        code: String,
        pending: &Pending,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Claimed, SsoFailure> {
        let fetch = |request| fetch::fetch(&self.agent, deadline, request);
        let client = self.client(now, deadline, false)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| SsoFailure::Unreachable("the provider names no token endpoint".into()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier()))
            .request(&fetch)
            .map_err(|error| token_failure(&error))?;
        let token =
            tokens.id_token().ok_or(SsoFailure::Refused("the provider sent no ID token"))?;
        let nonce = Nonce::new(pending.nonce());
        let verify = |client: &Client| -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
            let time = UNIX_EPOCH + microseconds(now.0.saturating_sub(CLOCK_LEEWAY));
            let verifier = client
                .id_token_verifier()
                .set_allowed_algs([
                    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
                ])
                .set_time_fn(move || time.into());
            token.claims(&verifier, &nonce).cloned()
        };
        let claims = match verify(&client) {
            // The provider may have changed its keys, so they are fetched again, unless that was just done.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => verify(&self.client(now, deadline, true)?),
            other => other,
        };
        let claims = claims.map_err(|error| SsoFailure::Refused(claims_failure(&error)))?;
        if claims.authorized_party().is_some_and(|party| **party != self.company.client_id) {
            return Err(SsoFailure::Refused("the ID token was made for another client"));
        }
        let verified_email = match claims.email().zip(claims.email_verified()) {
            Some((email, true)) => Some(email.as_str().to_owned()),
            Some((_, false)) => None,
            None => Self::email_from_user_info(&client, tokens.access_token(), &claims, &fetch)?,
        };
        Ok(Claimed {
            issuer: self.company.issuer.clone(),
            subject: claims.subject().as_str().to_owned(),
            verified_email,
        })
    }

    /// The e-mail address from the user information endpoint (OpenID Connect Core 1.0, 5.4), if the provider
    /// has verified it.
    fn email_from_user_info(
        client: &Client,
        token: &AccessToken,
        claims: &CoreIdTokenClaims,
        fetch: &impl Fn(HttpRequest) -> Result<HttpResponse, FetchFailure>,
    ) -> Result<Option<String>, SsoFailure> {
        // The answer must be about the same user: the library rejects another subject.
        let Ok(request) = client.user_info(token.clone(), Some(claims.subject().clone())) else {
            return Ok(None);
        };
        let user_info: CoreUserInfoClaims =
            request.require_signed_response(false).request(fetch).map_err(|_| {
                SsoFailure::Unreachable("the user information cannot be fetched".into())
            })?;
        let is_verified = user_info.email_verified() == Some(true);
        Ok(user_info.email().filter(|_| is_verified).map(|email| email.as_str().to_owned()))
    }

    /// The library's client for the provider; see [`Self::metadata`].
    fn client(
        &self,
        now: Timestamp,
        deadline: Instant,
        refetch: bool,
    ) -> Result<Client, SsoFailure> {
        let metadata = self.metadata(now, deadline, refetch)?;
        let unusable =
            |_| SsoFailure::Unreachable("the provider's addresses cannot be used".into());
        let redirect = RedirectUrl::new(self.callback.clone()).map_err(unusable)?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let supports = |method| methods.is_none_or(|methods| methods.contains(&method));
        let sends_in_body = !supports(CoreClientAuthMethod::ClientSecretBasic)
            && supports(CoreClientAuthMethod::ClientSecretPost);
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.company.client_id.clone()),
            Some(ClientSecret::new(self.company.client_secret.clone())),
        )
        .set_redirect_uri(redirect);
        Ok(if sends_in_body { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    /// The provider's metadata. It is fetched again after an hour, or with `refetch`, but at most every half minute.
    /// If fetching fails, the last known version is used.
    fn metadata(
        &self,
        now: Timestamp,
        deadline: Instant,
        refetch: bool,
    ) -> Result<Arc<CoreProviderMetadata>, SsoFailure> {
        // The lock is held while fetching, so that other callers wait for the result.
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let known = published.metadata.clone();
        let is_within = |since: i64, span| (0..span).contains(&now.0.saturating_sub(since));
        let is_fresh = is_within(published.fetched_at, FRESH_FOR);
        let was_just_requested =
            published.requested_at.is_some_and(|at| is_within(at, RETRY_INTERVAL));
        match known {
            Some(known) if was_just_requested || (is_fresh && !refetch) => return Ok(known),
            None if was_just_requested => {
                return Err(SsoFailure::Unreachable(
                    "the provider did not answer a moment ago".into(),
                ));
            }
            _ => {}
        }
        published.requested_at = Some(now.0);
        match self.discover(deadline) {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                published.metadata = Some(metadata.clone());
                published.fetched_at = now.0;
                Ok(metadata)
            }
            Err(cause) => {
                tracing::warn!(%cause, "the metadata of the company's provider could not be fetched");
                known.ok_or(SsoFailure::Unreachable(cause))
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
                Parse(_) => "the provider's metadata cannot be read".into(),
                Response(status, ..) => format!("the provider answered {}", status.as_u16()),
                Validation(_) => "the provider's metadata names another issuer".into(),
                _ => "the provider's address cannot be used".into(),
            }
        })
    }
}

fn microseconds(count: i64) -> Duration {
    Duration::from_micros(u64::try_from(count).unwrap_or(0))
}

type TokenError = RequestTokenError<FetchFailure, StandardErrorResponse<CoreErrorResponseType>>;

fn token_failure(error: &TokenError) -> SsoFailure {
    match error {
        RequestTokenError::ServerResponse(_) => {
            SsoFailure::Refused("the provider rejected the code")
        }
        RequestTokenError::Request(failed) => SsoFailure::Unreachable(failed.to_string()),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            SsoFailure::Unreachable("the provider's tokens cannot be read".into())
        }
    }
}

/// Says what is wrong with an ID token, without quoting it.
fn claims_failure(error: &ClaimsVerificationError) -> &'static str {
    use ClaimsVerificationError as Wrong;
    match error {
        Wrong::Expired(_) => "the ID token has expired",
        Wrong::InvalidAudience(_) => "the ID token was made for another client",
        Wrong::InvalidIssuer(_) => "the ID token names another issuer",
        Wrong::InvalidNonce(_) => "the ID token belongs to another sign-in",
        Wrong::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            "the ID token is signed with a key that the provider does not publish"
        }
        Wrong::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "the ID token is signed with an algorithm that is not accepted: use RS256 or ES256"
        }
        Wrong::SignatureVerification(_) => "the signature of the ID token is wrong",
        _ => "the ID token cannot be used",
    }
}
