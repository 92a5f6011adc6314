//! Client ID metadata documents, fetched in a way that cannot be used to reach internal machines.
//!
//! The host name is resolved once, and the server connects only to IP addresses that it has checked. It follows no
//! redirects, uses no proxy, and limits size and time. Only the log says why a fetch failed: shown in a browser,
//! that would reveal what this server can reach.
//!
//! Source: draft-ietf-oauth-client-id-metadata-document.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use url::{Host, Url};
use zoop_crm::identity::oauth::clients::Metadata;

use super::public::is_public;

/// The maximum number of documents fetched at once.
const MAX_CONCURRENT: usize = 4;
/// The size limit of a document, in bytes.
const MAX_BYTES: usize = 10 * 1024;
/// The size limit of the answer's head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The length limit of a document's URL, in bytes.
const MAX_URL_BYTES: usize = 512;
/// The maximum number of IP addresses tried for a host name.
const MAX_TRIED_ADDRESSES: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The minimum and maximum time for which a document is cached, in seconds, whatever its server says.
const CACHE_SECONDS: std::ops::RangeInclusive<u64> = 600..=86_400;

/// How documents are fetched. Only tests change this policy; there is no setting for it.
#[derive(Debug, Clone)]
pub struct DocumentPolicy {
    /// The certificates (DER) of the trusted authorities; if empty, those that the machine trusts.
    pub roots: Vec<Vec<u8>>,
    /// Whether `localhost` and ports other than 443 are allowed.
    pub local_names: bool,
    /// Whether non-public IP addresses are allowed.
    pub local_addresses: bool,
    /// The total time limit.
    pub timeout: Duration,
}

impl Default for DocumentPolicy {
    fn default() -> Self {
        // In the build for conformance tests, documents are on this machine.
        let is_local = cfg!(feature = "conformance-fixtures");
        Self {
            roots: Vec::new(),
            local_names: is_local,
            local_addresses: is_local,
            timeout: Duration::from_secs(5),
        }
    }
}

/// Fetches documents.
pub(crate) struct Documents {
    policy: DocumentPolicy,
    tls: OnceLock<Result<TlsConnector, String>>,
    permits: Semaphore,
}

/// The metadata in a valid document, and for how many seconds it may be cached.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) metadata: Metadata,
    pub(super) cache_seconds: u64,
}

impl Documents {
    pub(crate) fn new(policy: DocumentPolicy) -> Self {
        Self { policy, tls: OnceLock::new(), permits: Semaphore::new(MAX_CONCURRENT) }
    }

    /// Fetches the document of the client whose id is the URL `address`. The error is for the log.
    pub(super) async fn fetch(&self, address: &str) -> Result<Document, String> {
        let url = self.check_url(address).ok_or("the address may not be fetched")?;
        let fetched = async {
            let _permit = self.permits.acquire().await.map_err(|error| error.to_string())?;
            let (head, body) = self.get(&url).await?;
            let metadata = read(address, &body)?;
            Ok(Document { metadata, cache_seconds: cache_seconds(&head) })
        };
        let whole = tokio::time::timeout(self.policy.timeout, fetched).await;
        whole.unwrap_or_else(|_| Err("it timed out".to_owned()))
    }

    /// Parses a URL and checks that it may be fetched: it must be in canonical form and have a public host name.
    fn check_url(&self, address: &str) -> Option<Url> {
        let url = Url::parse(address).ok().filter(|url| url.as_str() == address)?;
        let is_local_name = |name: &str| {
            let last = name.rsplit('.').next().unwrap_or_default();
            !name.contains('.')
                || name.ends_with('.')
                || matches!(last, "localhost" | "local" | "internal")
        };
        let is_sound = address.len() <= MAX_URL_BYTES
            && url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && url.query().is_none()
            && url.path() != "/";
        let Some(Host::Domain(name)) = url.host() else { return None };
        let is_named = self.policy.local_names || (!is_local_name(name) && url.port().is_none());
        (is_sound && is_named).then_some(url)
    }

    async fn get(&self, url: &Url) -> Result<(HeaderMap, Bytes), String> {
        let name = url.host_str().unwrap_or_default();
        let port = url.port().unwrap_or(443);
        let stream = self.connect(name, port).await?;
        let server = ServerName::try_from(name.to_owned()).map_err(describe)?;
        let stream = self.tls()?.connect(server, stream).await.map_err(describe)?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(describe)?;
        // `tasks` is dropped when this function returns, which ends the connection.
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let host = if port == 443 { name.to_owned() } else { format!("{name}:{port}") };
        let request = Request::get(url.path())
            .header(HOST, host)
            .header(ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(describe)?;
        let answer = sender.send_request(request).await.map_err(describe)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("the document's server answered {}", answer.status()));
        }
        if !is_json(answer.headers()) {
            return Err("the document's media type is not JSON".to_owned());
        }
        let (head, body) = answer.into_parts();
        let body = Limited::<Incoming>::new(body, MAX_BYTES).collect().await.map_err(describe)?;
        Ok((head.headers, body.to_bytes()))
    }

    /// Connects to the host name's first public IP address that answers.
    async fn connect(&self, name: &str, port: u16) -> Result<TcpStream, String> {
        let found = tokio::net::lookup_host((name, port)).await.map_err(describe)?;
        let public: Vec<SocketAddr> = found
            .filter(|at| self.policy.local_addresses || is_public(at.ip()))
            .take(MAX_TRIED_ADDRESSES)
            .collect();
        let mut cause = "the host name has no public address".to_owned();
        for address in public {
            match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => cause = describe(error),
                Err(_) => "no address answered".clone_into(&mut cause),
            }
        }
        Err(cause)
    }

    fn tls(&self) -> Result<&TlsConnector, String> {
        self.tls.get_or_init(|| connector(&self.policy.roots)).as_ref().map_err(Clone::clone)
    }
}

fn describe(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn connector(roots: &[Vec<u8>]) -> Result<TlsConnector, String> {
    let trusted = if roots.is_empty() {
        rustls_native_certs::load_native_certs().certs
    } else {
        roots.iter().cloned().map(CertificateDer::from).collect()
    };
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(trusted);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(describe)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads the metadata in a document. The document must describe the client whose id is this URL, and the client must
/// work without a secret.
fn read(address: &str, body: &[u8]) -> Result<Metadata, String> {
    let sent: Value = serde_json::from_slice(body).map_err(describe)?;
    if sent["client_id"].as_str() != Some(address) {
        return Err("the document's client_id is not its address".to_owned());
    }
    if !sent["client_name"].is_string() {
        return Err("the document has no client_name".to_owned());
    }
    if sent.get("client_secret").is_some() {
        return Err("the document contains a client_secret".to_owned());
    }
    let supported = sent["token_endpoint_auth_methods_supported"].as_array();
    let knows_none = supported.is_some_and(|methods| methods.iter().any(|method| method == "none"));
    match sent["token_endpoint_auth_method"].as_str() {
        None | Some("none") => {}
        Some("private_key_jwt") if knows_none => {}
        Some(_) => return Err("the document's client does not work without a secret".to_owned()),
    }
    Metadata::read(&sent).map_err(|fault| format!("its metadata is invalid: {fault:?}"))
}

/// How long a document may be cached (RFC 9111, 5.2.2), within this server's bounds, in seconds.
fn cache_seconds(headers: &HeaderMap) -> u64 {
    let lists = headers.get_all(CACHE_CONTROL).iter().filter_map(|list| list.to_str().ok());
    let directives: Vec<String> = lists
        .flat_map(|list| list.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    let has = |name: &str| directives.iter().any(|directive| directive == name);
    let age = directives.iter().find_map(|it| it.strip_prefix("max-age=")?.parse::<u64>().ok());
    match age {
        Some(age) if !has("no-store") && !has("no-cache") => {
            age.clamp(*CACHE_SECONDS.start(), *CACHE_SECONDS.end())
        }
        _ => *CACHE_SECONDS.start(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_address_is_a_canonical_url_with_a_public_name() {
        let local = DocumentPolicy { local_names: false, ..DocumentPolicy::default() };
        let documents = Documents::new(local);
        for address in [
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "https://program.example/client.json",
        ] {
            assert!(documents.check_url(address).is_some(), "{address}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        for address in [
            "",
            "program",
            "http://a.example/x",
            "https://a.example",
            "https://a.example/",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://user@a.example/x",
            "https://a.example/x#f",
            "https://a.example/x?y",
            "https://a.example/../x",
            "https://a.example:443/x",
            "https://a.example:8443/x",
            "https://A.example/x",
            "https://a.example./x",
            "https://localhost/x",
            "https://a.localhost/x",
            "https://printer.local/x",
            "https://metadata.google.internal/x",
            "https://intranet/x",
            "https://a.example/é",
            long.as_str(),
        ] {
            assert!(documents.check_url(address).is_none(), "{address}");
        }
    }

    #[test]
    fn a_document_describes_its_own_address_and_a_client_without_a_secret() {
        const ADDRESS: &str = "https://a.example/client.json";
        let sound = json!({
            "client_id": ADDRESS, "client_name": "A", "redirect_uris": ["https://a.example/cb"],
        });
        let is_accepted = |change: Value| {
            let mut sent = sound.clone();
            for (name, value) in change.as_object().unwrap() {
                sent[name] = value.clone();
            }
            read(ADDRESS, sent.to_string().as_bytes()).is_ok()
        };
        assert!(is_accepted(json!({})));
        assert!(is_accepted(json!({ "token_endpoint_auth_method": "none" })));
        let both = json!(["private_key_jwt", "none"]);
        assert!(is_accepted(json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": both,
        })));
        for change in [
            json!({ "client_id": "https://b.example/client.json" }),
            json!({ "client_id": null }),
            json!({ "client_name": null }),
            json!({ "client_secret": "s" }),
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            json!({
                "token_endpoint_auth_method": "client_secret_post",
                "token_endpoint_auth_methods_supported": both,
            }),
        ] {
            assert!(!is_accepted(change.clone()), "{change}");
        }
    }

    #[test]
    fn a_document_is_cached_for_ten_minutes_to_a_day() {
        let cached_for = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            cache_seconds(&headers)
        };
        assert_eq!(cache_seconds(&HeaderMap::new()), 600);
        assert_eq!(cached_for("max-age=3600"), 3_600);
        assert_eq!(cached_for("Public, Max-Age=7200"), 7_200);
        assert_eq!(cached_for("max-age=1"), 600);
        assert_eq!(cached_for("max-age=31536000"), 86_400);
        assert_eq!(cached_for("max-age=3600, no-cache"), 600);
        assert_eq!(cached_for("no-store"), 600);
        assert_eq!(cached_for("max-age=soon"), 600);
    }
}
