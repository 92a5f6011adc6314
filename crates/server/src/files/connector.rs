//! The store's connections to a bucket, with the HTTP client and the TLS library that the server uses anyway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::{
    HttpClient, HttpConnector as Connector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::{ClientOptions, Result};
use rustls::{ClientConfig, RootCertStore};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take until its answer begins. A request sends at most one part of a file.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the next piece of an answer may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// Connects to a bucket's server. The requests have no options, because the store has none either.
#[derive(Debug)]
pub(super) struct BucketConnector;

/// A client with a pool of connections.
#[derive(Debug)]
struct Pool(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

impl Connector for BucketConnector {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient> {
        let failed = |source: rustls::Error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(source),
        };
        let mut roots = RootCertStore::empty();
        let machine = rustls_native_certs::load_native_certs();
        for error in &machine.errors {
            tracing::warn!(%error, "a certificate of this machine could not be read");
        }
        roots.add_parsable_certificates(machine.certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        // The scheme is checked by the connector around it.
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let pool = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(https.enable_http1().wrap_connector(tcp));
        Ok(HttpClient::new(Pool(pool)))
    }
}

#[async_trait]
impl HttpService for Pool {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(TIMEOUT, self.0.request(request));
        let answer = answer.await.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let answer = answer.map_err(|error| {
            let kind =
                if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
            HttpError::new(kind, error)
        })?;
        Ok(answer.map(|body| limited(body, PIECE_TIMEOUT)))
    }
}

/// A body that ends with an error if its next piece does not come in time.
fn limited(body: Incoming, limit: Duration) -> HttpResponseBody {
    let pieces = stream::try_unfold(body.into_data_stream(), move |mut body| async move {
        let piece = tokio::time::timeout(limit, body.next()).await;
        let piece = piece.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let piece = piece.transpose();
        let piece = piece.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
        Ok(piece.map(|piece| (piece, body)))
    });
    HttpResponseBody::new(StreamBody::new(pieces.map_ok(Frame::data)))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_stops_coming_is_given_up() {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = server.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            let (mut connection, _) = server.accept().await.expect("a connection");
            let mut request = [0; 1024];
            let _ = connection.read(&mut request).await.expect("a request");
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
            connection.write_all(answer).await.expect("half of an answer");
            connection
        });
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        let uri = format!("http://{address}/").parse().expect("an address");
        let answer = client.get(uri).await.expect("an answer");
        let read = limited(answer.into_body(), Duration::from_millis(50)).bytes().await;
        assert_eq!(read.expect_err("half of an answer").kind(), HttpErrorKind::Timeout);
        drop(serving);
    }
}
