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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zoop_both::both;
    use zoop_crm::testing::TestEnv;

    use super::*;
    use crate::app::{App, Settings};
    use crate::metrics::Now;
    use crate::process::Resources;

    #[both]
    fn a_round_measures_every_tenant_and_warns_of_those_that_are_nearly_full() {
        let mut env = TestEnv::new();
        let (acme, other) = (env.business("Acme"), env.empty_business("Other"));
        let body = "a".repeat(100_000);
        env.call(&acme.owner, "notes.create", json!({ "body": body })).expect("a note");
        env.environment.storage_limit = Size(250_000);
        let settings = Settings::new("http://t.test".parse().unwrap());
        let shared = App::new(env.db.clone(), env.environment.clone(), settings).shared;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let round = || {
            let now = shared.environment.clock.now();
            runtime.block_on(watch(&shared, now)).expect("a round");
            shared.nearly_full.0.lock().unwrap().len()
        };
        assert_eq!(round(), 0);
        let since = shared.environment.clock.now();
        let due = env.read(move |tx| storage::unmeasured(tx, since, 9)).unwrap();
        assert!(due.is_empty(), "both are measured");

        env.call(&acme.owner, "notes.create", json!({ "body": "b".repeat(10_000) })).expect("room");
        assert_eq!(round(), 1, "more than 225,000 bytes");
        let listed = env.call_as_operator(None, "tenants.list", json!({}));
        let stored = |number: usize| listed["rows"][number]["storage_bytes"].as_i64().unwrap();
        assert!(stored(0) > 225_000 && stored(1) < 25_000, "{listed}");
        let now = Now {
            gauges: shared.db.gauges(),
            takes_writes: true,
            artefacts: 0,
            requests_waiting: 0,
            body_bytes: 0,
            unread: 0,
            resources: Resources::default(),
        };
        let text = shared.metrics.text(&now).expect("the metrics");
        let of = |class: &str| {
            let line = format!("zoop_stored_bytes{{class=\"{class}\"}} ");
            let found = text.lines().find_map(|known| known.strip_prefix(&line)).expect("a line");
            found.parse::<i64>().expect("a number")
        };
        let all: i64 = storage::Class::ALL.iter().map(|class| of(class.word())).sum();
        assert_eq!(all, stored(0) + stored(1));
        assert!(of("notes") > 220_000, "{text}");

        env.call(&other.owner, "notes.create", json!({ "body": body })).expect("room");
        assert_eq!(round(), 1, "the other has room for more");
    }
}
