//! Packs the entries of the history that an earlier version of this program wrote: after an upgrade all of them, and later
//! the ones that an older version wrote while it still ran beside this one.

use std::time::{Duration, Instant};

use zoop_crm::call::error::Result;
use zoop_crm::call::history::former::{self, Next};
use zoop_db::{Tenant, Timestamp};

use crate::app::Shared;

/// The time limit for reading or writing the entries of one step.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long one round packs entries.
const ROUND: Duration = Duration::from_secs(20);
/// The time until the next search for such entries, once none are left, in microseconds.
const PAUSE: i64 = 3_600 * 1_000_000;

/// Where the next round goes on, and when.
pub(crate) struct Packing {
    from: Tenant,
    due: Option<Timestamp>,
}

impl Default for Packing {
    fn default() -> Self {
        Self { from: Tenant(0), due: None }
    }
}

impl Packing {
    /// Packs entries, the oldest of a business first, for as long as a round may take.
    pub(crate) async fn round(&mut self, shared: &Shared, now: Timestamp) -> Result<()> {
        if self.due.is_some_and(|due| now < due) {
            return Ok(());
        }
        let end = Instant::now() + ROUND;
        let mut entries = 0;
        while Instant::now() < end {
            let from = self.from;
            let next = shared.db.read(Instant::now() + TIMEOUT, move |tx| former::next(tx, from));
            match next.await? {
                Next::Step(step) => {
                    self.from = step.tenant();
                    let limit = Instant::now() + TIMEOUT;
                    entries += shared.db.write(limit, move |tx| former::write(tx, &step)).await?;
                }
                Next::From(tenant) => self.from = tenant,
                Next::Damaged(tenant, error) => {
                    tracing::error!(tenant = tenant.0, ?error, "the history has a damaged entry");
                    self.from = Tenant(tenant.0 + 1);
                }
                Next::Nothing => {
                    *self = Self { from: Tenant(0), due: Some(Timestamp(now.0 + PAUSE)) };
                    break;
                }
            }
        }
        if entries > 0 {
            tracing::info!(entries, "entries of the history were packed");
        }
        Ok(())
    }
}
