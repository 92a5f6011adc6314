//! Servers made with the most-used SDKs, and the table that they read: one row per customer, filled from the
//! generated database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use rusqlite::Connection;

use super::server::{Server, free_port};
use crate::say;

/// The token that these servers accept.
pub(crate) const TOKEN: &str = "sk_test_0123456789abcdef0123456789abcdef";
/// The columns of the servers' table, which each server reads.
pub(crate) const COLUMNS: &str = "id, type, first_name, last_name, company_name, display_name, \
    phone_raw, phone_e164, email, status, created_at, updated_at, version";

/// Where the peers' programs are; `./bench` makes the folder.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    pub(crate) folder: PathBuf,
}

impl Peers {
    /// Starts the server made with Python's fastmcp.
    pub(crate) fn fastmcp(&self, database: &Path, tenant: &str) -> Result<Server> {
        let python = self.folder.join("py/venv/bin/python");
        self.start(Command::new(python), "py/server.py", database, tenant)
    }

    /// Starts the server made with the TypeScript SDK.
    pub(crate) fn typescript(&self, database: &Path, tenant: &str) -> Result<Server> {
        self.start(Command::new("node"), "ts/server.mjs", database, tenant)
    }

    fn start(
        &self,
        mut command: Command,
        program: &str,
        database: &Path,
        tenant: &str,
    ) -> Result<Server> {
        let port = free_port()?;
        command.arg(self.folder.join(program));
        command.env("PORT", port.to_string()).env("TENANT", tenant).env("API_KEY", TOKEN);
        command.env("DB", database);
        Server::start(command, port, "/mcp", TOKEN)
    }
}

/// The peers' database with the customers of a generated one, created if it does not exist yet.
pub(crate) fn database(generated: &Path) -> Result<PathBuf> {
    let path = generated.with_extension("peers.db");
    if path.exists() {
        return Ok(path);
    }
    say("writing the peers' table");
    let part = generated.with_extension("peers.part");
    let _ = fs::remove_file(&part);
    let connection = Connection::open(&part)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE customers (tenant_id BLOB NOT NULL, id BLOB NOT NULL, type TEXT NOT NULL,
           first_name TEXT, last_name TEXT, company_name TEXT, display_name TEXT NOT NULL,
           phone_raw TEXT, phone_e164 TEXT, email TEXT, status TEXT NOT NULL,
           created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, version INTEGER NOT NULL,
           PRIMARY KEY (tenant_id, id)) WITHOUT ROWID;
         ATTACH '{}' AS generated;
         INSERT INTO customers (tenant_id, {COLUMNS})
           SELECT t.id, c.id, customer_type, first_name, last_name, company_name,
             coalesce(company_name, first_name || ' ' || last_name, first_name), phone_raw, phone,
             email, status, updated_at / 1000, updated_at / 1000, 1
           FROM generated.customers c JOIN generated.tenants t ON t.no = c.tenant_no
           ORDER BY t.id, c.id;
         DETACH generated;",
        generated.display()
    ))?;
    connection.close().map_err(|(_, error)| error)?;
    fs::rename(&part, &path)?;
    Ok(path)
}
