//! The style sheet, the scripts, the font and the icons of the pages, embedded in the binary.
//!
//! The address of each contains a hash of its content, so that browsers keep it for ever and yet use the files of a new
//! release at once.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::app::App;

const CACHE_CONTROL_VALUE: &str = "public, max-age=31536000, immutable";

/// The icon of the browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../assets/icon.svg").as_slice())
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
        Self { path, media_type, content }
    }
}

/// The routes of the assets.
pub(crate) fn routes() -> Router<App> {
    [&ICON, &FONT, &STYLE, &SCRIPT, &HTMX].into_iter().fold(Router::new(), |router, asset| {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
            (CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL_VALUE)),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        let answer = move || async move { (headers, asset.content.clone()).into_response() };
        router.route(&asset.path, get(answer))
    })
}
