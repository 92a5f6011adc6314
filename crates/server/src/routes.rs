//! The flat list of routes of both ports. Any other path is answered by [`ops::unknown_path`].

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};

use crate::app::App;
use crate::{console, files, mcp, oauth, ops, page_log, people, sso, web};

impl App {
    /// The routes of the public port.
    pub fn public_router(&self) -> Router {
        Router::new()
            .merge(web::assets::routes())
            .merge(oauth::routes())
            .merge(files::routes())
            .merge(self.pages())
            .fallback(ops::unknown_path)
            .layer(from_fn(web::refusal::for_people))
            // Added after the layer, so that it costs calls nothing and never turns a probe's answer into a page.
            .route("/api/mcp", any(mcp::endpoint).get(web::refusal::endpoint))
            .route("/api/mcp/", any(mcp::endpoint).get(web::refusal::endpoint))
            .merge(files::api())
            .route("/healthz", get(ops::health))
            .route("/readyz", get(ops::readiness))
            .with_state(self.clone())
    }

    /// The pages for people.
    fn pages(&self) -> Router<Self> {
        let layer = from_fn_with_state(self.clone(), page_log::layer);
        sso::routes()
            .merge(oauth::pages())
            .merge(people::routes())
            .merge(console::routes())
            .route_layer(layer)
    }

    /// The routes of the operator's port, which must not be reachable from outside.
    pub fn operations_router(&self) -> Router {
        Router::new()
            .route("/metrics", get(ops::metrics))
            .fallback(ops::unknown_path)
            .with_state(self.clone())
    }
}
