//! `customers.get` as a user of the official Rust SDK would write it, reading the table in [`super::peers`].

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::schemars::JsonSchema;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use zoop_db::Uuid;

use super::peers::{COLUMNS, TOKEN};
use super::server::{Server, free_port};

/// Starts the server on the peers' database.
pub(crate) fn start(database: &Path, tenant: &str) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["rmcp", "--port", &port.to_string(), "--tenant", tenant, "--database"]);
    command.arg(database);
    Server::start(command, port, "/mcp", TOKEN)
}

/// Runs the server.
pub(crate) fn serve(port: u16, database: PathBuf, tenant: Uuid) -> Result<()> {
    let crm = Crm { database: Arc::new(database), tenant };
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = false;
    config.json_response = true;
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(crm.clone()), sessions, config);
    let app = Router::new().route_service("/mcp", service).layer(middleware::from_fn(authenticate));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(axum::serve(listener, app).await?)
    })
}

async fn authenticate(request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if sent.and_then(|value| value.strip_prefix("Bearer ")) == Some(TOKEN) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

#[derive(Clone)]
struct Crm {
    database: Arc<PathBuf>,
    tenant: Uuid,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Which {
    id: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Customer {
    id: String,
    r#type: String,
    first_name: Option<String>,
    last_name: Option<String>,
    company_name: Option<String>,
    display_name: String,
    phone_raw: Option<String>,
    phone_e164: Option<String>,
    email: Option<String>,
    status: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

#[tool_router]
impl Crm {
    #[tool(name = "customers.get", description = "get a customer")]
    async fn get(&self, Parameters(which): Parameters<Which>) -> Result<Json<Customer>, ErrorData> {
        let id = Uuid::try_parse(&which.id)
            .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
        self.read(id).map(Json).map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    fn read(&self, id: Uuid) -> rusqlite::Result<Customer> {
        thread_local! { static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) }; }
        CONNECTION.with_borrow_mut(|connection| {
            let connection = match connection {
                Some(connection) => connection,
                none => none.insert(Connection::open(&*self.database)?),
            };
            let sql = format!("SELECT {COLUMNS} FROM customers WHERE tenant_id = ?1 AND id = ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row(params![self.tenant.as_bytes(), id.as_bytes()], |row| {
                Ok(Customer {
                    id: id.to_string(),
                    r#type: row.get(1)?,
                    first_name: row.get(2)?,
                    last_name: row.get(3)?,
                    company_name: row.get(4)?,
                    display_name: row.get(5)?,
                    phone_raw: row.get(6)?,
                    phone_e164: row.get(7)?,
                    email: row.get(8)?,
                    status: row.get(9)?,
                    created_at: row.get(10)?,
                    updated_at: row.get(11)?,
                    version: row.get(12)?,
                })
            })
        })
    }
}

#[tool_handler]
impl ServerHandler for Crm {}
