//! What all tenants store, measured and watched in the background: for the metrics, and for a warning before a
//! tenant reaches its limit.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use zoop_crm::call::error::Result;
use zoop_crm::call::storage;
use zoop_crm::maintenance;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::size::Size;
use zoop_db::{ReadTx, Tenant, Timestamp, Uuid, WriteTx};

use crate::app::Shared;

/// How long a job here may take. Measuring reads all rows of a tenant.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long the tenants are measured in one round.
const MEASURING: Duration = Duration::from_secs(10);
/// The most tenants that are measured in one round.
const TENANTS: u32 = 200;
/// How long a measurement is relied upon, in microseconds.
const RELIED: i64 = 7 * 86_400 * 1_000_000;

/// The tenants that were warned of.
#[derive(Default)]
pub(crate) struct Nearly(Mutex<BTreeSet<Uuid>>);

/// Measures the tenants that are due, passes the sums to the metrics, and warns of tenants whose storage is
/// nearly full.
pub(crate) async fn watch(shared: &Shared, now: Timestamp) -> Result<()> {
    let deadline = || Instant::now() + TIMEOUT;
    let since = Timestamp(now.0 - RELIED);
    let due = shared.db.read(deadline(), move |tx| storage::unmeasured(tx, since, TENANTS)).await?;
    let end = Instant::now() + MEASURING;
    for tenant in due.into_iter().take_while(|_| Instant::now() < end) {
        measure(shared, tenant, now, since).await?;
    }
    let Size(limit) = shared.environment.storage_limit;
    let nearly = Size(if limit == 0 { u64::MAX } else { limit / 10 * 9 });
    let look = move |tx: &mut ReadTx<'_>| -> Result<_> {
        Ok((storage::sums(tx)?, storage::above(tx, nearly)?))
    };
    let (sums, above) = shared.db.read(deadline(), look).await?;
    shared.metrics.store(&sums);
    shared.nearly_full.warn(&above, Size(limit));
    Ok(())
}

/// Measures one tenant. Writes may come between the two jobs: what they add stays added.
async fn measure(shared: &Shared, tenant: Tenant, now: Timestamp, since: Timestamp) -> Result<()> {
    let read = shared.db.read(Instant::now() + TIMEOUT, move |tx| {
        tx.bind(tenant);
        maintenance::measure(tx).map(|(_, drift)| drift)
    });
    let drift = match read.await {
        Ok(drift) => drift,
        Err(error) => {
            // It must not keep the others from being measured: what is counted for it is kept.
            tracing::warn!(kind = error.kind(), "a business's storage could not be measured");
            storage::Stored::default()
        }
    };
    let correct = move |tx: &mut WriteTx<'_>| storage::correct(tx, tenant, &drift, now, since);
    shared.db.write(Instant::now() + TIMEOUT, correct).await
}

impl Nearly {
    /// Warns once of each tenant, until it is below again.
    fn warn(&self, above: &[(Id<kinds::Tenant>, Size)], limit: Size) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|tenant| above.iter().any(|(above, _)| above.uuid() == *tenant));
        for (tenant, stored) in above {
            if known.insert(tenant.uuid()) {
                tracing::warn!(
                    tenant_id = %tenant, %stored, %limit,
                    "a business's storage is nearly full: above limits.storage its writes are refused"
                );
            }
        }
    }
}
