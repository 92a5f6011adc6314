//! Writes the files of the database again in the night after an erasure: rows that were erased leave their values there.
//! Of several servers on one database, one does it.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zoop_crm::business::customers::erase::rewriting;
use zoop_crm::call::error::Result;
use zoop_crm::maintenance;
use zoop_db::{Timestamp, WriteTx};

use crate::app::Shared;

/// The time limit for a database job of this module.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time until the next search for erasures, in microseconds. It looks at every business.
const PAUSE: i64 = 3_600 * 1_000_000;

/// When the next round looks for erasures.
#[derive(Default)]
pub(crate) struct Rewriting {
    next: Option<Timestamp>,
}

impl Rewriting {
    /// Writes the files again if an erasure is due.
    pub(crate) async fn round(&mut self, shared: &Shared, now: Timestamp) -> Result<()> {
        if self.next.is_some_and(|next| now < next) {
            return Ok(());
        }
        let waiting = shared.db.read(Instant::now() + TIMEOUT, rewriting::waiting).await?;
        let pause = Timestamp(now.0 + PAUSE);
        self.next = Some(waiting.due_at.map_or(pause, |due| due.min(pause)));
        if waiting.due_at.is_none_or(|due| now < due) {
            return Ok(());
        }
        let mut claimed = Vec::new();
        for tenant in waiting.tenants {
            let claim = move |tx: &mut WriteTx<'_>| rewriting::claim_due(tx, tenant, now);
            if shared.db.write(Instant::now() + TIMEOUT, claim).await? {
                claimed.push(tenant);
            }
        }
        self.next = Some(pause);
        // Another server may have been faster.
        if claimed.is_empty() {
            return Ok(());
        }
        tracing::info!(
            "after an erasure, the files of the database are written again; other writes wait meanwhile"
        );
        if let Err(error) = rewrite(shared.db.url().to_owned()).await {
            tracing::warn!(
                %error,
                "after an erasure, the files of the database could not be written again; `zoop erase --finish` does it, \
                 otherwise a server tries again in a day"
            );
            return Ok(());
        }
        let (until, done) = (rewriting::postponed(now), shared.environment.clock.now());
        for tenant in claimed {
            let store = move |tx: &mut WriteTx<'_>| rewriting::rewritten(tx, tenant, until, done);
            shared.db.write(Instant::now() + TIMEOUT, store).await?;
        }
        tracing::info!("the files of the database were written again");
        Ok(())
    }
}

/// Writes the database at a URL again. The thread is none of the runtime's, which would wait for it when the server is
/// stopped; it can be interrupted at any time.
async fn rewrite(url: String) -> zoop_db::error::Result<()> {
    let (sender, receiver) = oneshot::channel();
    let write = move || {
        // A server that stops does not wait for the outcome.
        let _ = sender.send(maintenance::rewrite(&url, maintenance::REWRITE_PATIENCE));
    };
    thread::Builder::new().name("zoop-rewrite".to_owned()).spawn(write)?;
    receiver.await.unwrap_or_else(|_| Err(io::Error::other("the thread has ended").into()))
}
