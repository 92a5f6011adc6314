//! [`Link`]: one open connection to the server, and the statements that are prepared on it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};

use super::server::{Connected, Incarnation};
use super::statement::{Key, Text};

/// The time limit for the server to acknowledge the end of a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An open connection. A task of the thread's runtime owns the socket, so dropping a `Link` does not close it.
pub(super) struct Link {
    client: Client,
    statements: HashMap<Key, Statement>,
    task: JoinHandle<()>,
    incarnation: Incarnation,
}

impl Link {
    pub(super) fn new(Connected { client, task, incarnation }: Connected) -> Self {
        Self { client, statements: HashMap::new(), task, incarnation }
    }

    /// The server's incarnation when the connection was opened.
    pub(super) fn incarnation(&self) -> &Incarnation {
        &self.incarnation
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the connection is known to have ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn prepared(&self, text: Text) -> Option<&Statement> {
        self.statements.get(&text.key())
    }

    pub(super) fn keep(&mut self, text: Text, statement: Statement) {
        self.statements.insert(text.key(), statement);
    }

    pub(super) fn forget_statements(&mut self) {
        self.statements.clear();
    }

    /// Closes the socket at once, not only when the runtime runs next.
    pub(super) fn cut(self, runtime: &Runtime) {
        self.task.abort();
        let _ = runtime.block_on(self.task);
    }

    /// Closes the connection properly, so that the server does not log it as lost.
    pub(super) fn close(self, runtime: &Runtime) {
        let Self { client, statements, task, .. } = self;
        drop((statements, client));
        // If the connection does not end in time, the operating system ends it.
        let _ = runtime.block_on(async { tokio::time::timeout(CLOSE_TIMEOUT, task).await });
    }
}
