//! The style sheet, the script, the font and the icon of the pages, embedded in the binary.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::App;

/// Path, media type, content.
const ASSETS: [(&str, &str, &[u8]); 4] = [
    ("/assets/app.css", "text/css; charset=utf-8", include_bytes!("../../assets/app.css")),
    ("/assets/page.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/page.js")),
    ("/assets/icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
    ("/assets/inter.woff2", "font/woff2", include_bytes!("../../assets/inter.woff2")),
];
/// Short, so that browsers use the files of a new release within an hour.
const CACHE_CONTROL_VALUE: &str = "public, max-age=3600";

/// The routes of the assets.
pub(crate) fn routes() -> Router<App> {
    ASSETS.into_iter().fold(Router::new(), |router, (path, media, content)| {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(media)),
            (CACHE_CONTROL, HeaderValue::from_static(CACHE_CONTROL_VALUE)),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        router.route(path, get(move || async move { (headers, content).into_response() }))
    })
}
