//! Writes the files of the database again in the night after an erasure: rows that were erased leave their values
//! there. Of several servers on one database, one does it.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zoop_crm::business::customers::erase::rewriting::{self, Waiting};
use zoop_crm::call::error::Result;
use zoop_crm::maintenance;
use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx};

use crate::app::Shared;

/// The time limit for a database job of this module.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time until the next search for erasures, in microseconds. It looks at every business, so a search that fails is
/// not repeated sooner either.
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
        let pause = Timestamp(now.0 + PAUSE);
        self.next = Some(pause);
        let waiting = waiting(shared).await?;
        let due = waiting.iter().map(|it| it.due_at).min();
        if due.is_none_or(|due| now < due) {
            self.next = Some(due.map_or(pause, |due| due.min(pause)));
            return Ok(());
        }
        let claim = move |tx: &mut WriteTx<'_>| rewriting::claim_due(tx, &waiting, now);
        let claims = shared.db.write(Instant::now() + TIMEOUT, claim).await?;
        // Another server may have been faster.
        if claims.is_empty() {
            return Ok(());
        }
        tracing::info!(
            "after an erasure, the files of the database are written again; other writes wait meanwhile"
        );
        if let Err(error) = rewrite(shared.db.url().to_owned()).await {
            tracing::warn!(
                %error,
                "after an erasure, the files of the database could not be written again; `zoop erase --finish` does it, \
                 otherwise a server tries again in another night"
            );
            return Ok(());
        }
        let done = shared.environment.clock.now();
        let store = move |tx: &mut WriteTx<'_>| rewriting::rewritten(tx, &claims, done);
        shared.db.write(Instant::now() + TIMEOUT, store).await?;
        tracing::info!("the files of the database were written again");
        Ok(())
    }
}

/// The businesses whose erasures wait. Of a few at once, so that no snapshot stays open for long.
async fn waiting(shared: &Shared) -> Result<Vec<Waiting>> {
    let (mut waiting, mut next) = (Vec::new(), Some(Tenant(0)));
    while let Some(from) = next {
        let search = move |tx: &mut ReadTx<'_>| rewriting::search(tx, from);
        let found = shared.db.read(Instant::now() + TIMEOUT, search).await?;
        waiting.extend(found.waiting);
        next = found.next;
    }
    Ok(waiting)
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
