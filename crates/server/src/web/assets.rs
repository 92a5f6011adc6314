//! The style sheet, the scripts, the font and the icons of the pages, embedded in the binary.
//!
//! The address of each contains a hash of its content, so that browsers keep it for ever and yet use the files of a new
//! release at once. Texts are compressed once, for clients that accept it.

use std::io::Write;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::app::App;

const CACHE_CONTROL_VALUE: &str = "public, max-age=31536000, immutable";

/// The icon of the browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../assets/icon.svg").as_slice())
});
/// The icon of a phone's home screen.
pub(crate) static HOME_SCREEN: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_bytes!("../../assets/home-screen.png").as_slice();
    Asset::new("home-screen", "png", "image/png", content)
});
/// What a phone needs to put the console on its home screen.
///
/// Source: W3C, Web Application Manifest.
pub(crate) static MANIFEST: LazyLock<Asset> = LazyLock::new(|| {
    let icon = |asset: &Asset, sizes| json!({ "src": asset.path, "type": asset.media_type, "sizes": sizes, "purpose": "any" });
    let manifest = json!({
        "name": "Zoop", "short_name": "Zoop", "start_url": "/customers", "display": "standalone",
        "background_color": "#f3f5f4", "theme_color": "#0f5c4d",
        "icons": [icon(&ICON, "any"), icon(&HOME_SCREEN, "512x512")],
    });
    Asset::new("manifest", "json", "application/manifest+json", manifest.to_string())
});
/// The font.
static FONT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_bytes!("../../assets/inter.woff2").as_slice();
    Asset::new("inter", "woff2", "font/woff2", content)
});
/// The style sheet, with the address of the font.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/app.css").replace("inter.woff2", &FONT.path);
    Asset::new("app", "css", "text/css; charset=utf-8", content)
});
/// The product's own script.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/page.js").as_bytes();
    Asset::new("page", "js", "text/javascript; charset=utf-8", content)
});
/// The keyboard shortcuts.
pub(crate) static KEYS: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/keys.js").as_bytes();
    Asset::new("keys", "js", "text/javascript; charset=utf-8", content)
});
/// The library that replaces parts of a page.
pub(crate) static HTMX: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../../assets/htmx-4.0.1.js").as_bytes();
    Asset::new("htmx", "js", "text/javascript; charset=utf-8", content)
});

/// A file that pages load.
pub(crate) struct Asset {
    /// Its address.
    pub(crate) path: String,
    media_type: &'static str,
    content: Bytes,
    /// The content in gzip, if that is shorter.
    compressed: Option<Bytes>,
}

impl Asset {
    fn new(
        name: &str,
        extension: &str,
        media_type: &'static str,
        content: impl Into<Bytes>,
    ) -> Self {
        let content = content.into();
        let digest = Sha256::digest(&content);
        let hash = u64::from_be_bytes(*digest.first_chunk().unwrap_or(&[0; 8]));
        let path = format!("/assets/{name}.{hash:016x}.{extension}");
        let compressed = compressed(&content).ok().filter(|it| it.len() < content.len());
        Self { path, media_type, compressed: compressed.map(Bytes::from), content }
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let sent = [
            (CONTENT_TYPE, HeaderValue::from_static(self.media_type)),
            (CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL_VALUE)),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (VARY, HeaderValue::from_static("accept-encoding")),
        ];
        match &self.compressed {
            Some(compressed) if accepts_gzip(headers) => {
                let coding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
                (sent, coding, compressed.clone()).into_response()
            }
            _ => (sent, self.content.clone()).into_response(),
        }
    }
}

/// The routes of the assets.
pub(crate) fn routes() -> Router<App> {
    let assets = [&ICON, &HOME_SCREEN, &MANIFEST, &FONT, &STYLE, &SCRIPT, &KEYS, &HTMX];
    assets.into_iter().fold(Router::new(), |router, asset| {
        let answer = move |headers: HeaderMap| async move { asset.answer(&headers) };
        router.route(&asset.path, get(answer))
    })
}

fn compressed(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

/// Whether the client accepts gzip (RFC 9110, 12.5.3). What is refused has the weight 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|it| it.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|weight| weight > 0.0)
    })
}
