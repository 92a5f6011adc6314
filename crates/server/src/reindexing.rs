//! Writes customers to the search index again that an older version of this program wrote with fewer tokens: after an
//! upgrade all of them, and later the ones that an older version wrote while it still ran beside this one.

use std::time::{Duration, Instant};

use zoop_crm::call::error::Result;
use zoop_crm::maintenance::{self, Outdated};
use zoop_db::Timestamp;

use crate::app::Shared;

/// The time limit for finding outdated entries, which reads the index of every tenant.
const FIND_TIMEOUT: Duration = Duration::from_secs(60);
/// The time limit for one step. It is short, because the next round tries again.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of customers that one write indexes. Other writes wait for it.
const STEP: usize = 50;
/// How long one round indexes customers.
const ROUND: Duration = Duration::from_secs(40);
/// The time until the next search for outdated entries, once none are left, in microseconds.
const PAUSE: i64 = 3_600 * 1_000_000;

/// When to look for outdated entries again.
#[derive(Default)]
pub(crate) struct Reindexing {
    due: Option<Timestamp>,
}

impl Reindexing {
    /// Indexes outdated customers, the oldest first, for as long as a round may take.
    pub(crate) async fn round(&mut self, shared: &Shared, now: Timestamp) -> Result<()> {
        if self.due.is_some_and(|due| now < due) {
            return Ok(());
        }
        let end = Instant::now() + ROUND;
        let mut customers = 0;
        while Instant::now() < end {
            let outdated =
                shared.db.read(Instant::now() + FIND_TIMEOUT, maintenance::outdated).await?;
            if outdated.is_empty() {
                self.due = Some(Timestamp(now.0 + PAUSE));
                break;
            }
            for Outdated { tenant, customers: ids } in outdated {
                for step in ids.chunks(STEP).map(<[_]>::to_vec) {
                    customers += step.len();
                    let write = shared.db.write(Instant::now() + STEP_TIMEOUT, move |tx| {
                        maintenance::reindex(tx, tenant, &step)
                    });
                    write.await?;
                }
            }
        }
        if customers > 0 {
            tracing::info!(customers, "written to the search index again, in its newest form");
        }
        Ok(())
    }
}
