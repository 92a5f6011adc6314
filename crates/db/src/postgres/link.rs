//! [`Link`]: one open connection to the server, and the statements that are prepared on it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Statement};

use super::server::{Connected, Life};
use super::statement::{Key, Text};

/// The time limit for the server to acknowledge the end of a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An open connection. The thread's runtime holds its socket, so dropping it does not close it.
pub(super) struct Link {
    client: Client,
    statements: HashMap<Key, Statement>,
    task: JoinHandle<()>,
    life: Life,
}

impl Link {
    pub(super) fn new(Connected { client, task, life }: Connected) -> Self {
        Self { client, statements: HashMap::new(), task, life }
    }

    /// The server's life when the connection was opened.
    pub(super) fn life(&self) -> &Life {
        &self.life
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

    /// Cuts the connection off: the server sees its end now, not when the runtime runs next.
    pub(super) fn cut(self, runtime: &Runtime) {
        self.task.abort();
        let _ = runtime.block_on(self.task);
    }

    /// Closes the connection properly, so that the server does not log it as lost.
    pub(super) fn close(self, runtime: &Runtime) {
        let Self { client, statements, task, .. } = self;
        drop((statements, client));
        // A connection that does not end in time is ended by the operating system.
        let _ = runtime.block_on(async { tokio::time::timeout(CLOSE_TIMEOUT, task).await });
    }
}
