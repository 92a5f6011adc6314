//! TLS to the server: enabled by `sslmode=require`, which also checks the server's certificate.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How to encrypt connections; `None` if the URL does not ask for encryption. The error says what is wrong.
///
/// The certificate must be from an authority that the machine trusts, or from one in the file that the
/// variable `SSL_CERT_FILE` names, and for the host in the URL.
pub(super) fn connector(config: &Config) -> Result<Option<MakeRustlsConnect>, String> {
    if config.get_ssl_mode() != SslMode::Require {
        if config.get_hosts().iter().any(is_remote) {
            tracing::warn!(
                "the connection to PostgreSQL is not encrypted: add sslmode=require to the database URL"
            );
        }
        return Ok(None);
    }
    let trusted = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(trusted.certs);
    if added == 0 {
        return Err(
            "this machine trusts no certificate authority: install its ca-certificates, or \
                    name a file with certificates in SSL_CERT_FILE"
                .to_owned(),
        );
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(client)))
}

/// Whether a connection to this host leaves the machine.
fn is_remote(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => !matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => false,
    }
}
