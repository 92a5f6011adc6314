//! Measures in the background what the tenants store, for the metrics and for a warning before a tenant reaches
//! its limit.

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

/// The time limit for a job of this module. Measuring reads all rows of a tenant.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long one round measures tenants.
const MEASURING_TIME: Duration = Duration::from_secs(10);
/// The maximum number of tenants that one round measures.
const MAX_TENANTS: u32 = 200;
/// The age at which a measurement is repeated, in microseconds.
const MAX_AGE: i64 = 7 * 86_400 * 1_000_000;

/// The tenants above the threshold about which a warning was logged.
#[derive(Default)]
pub(crate) struct NearlyFull(Mutex<BTreeSet<Uuid>>);

/// Measures the tenants that are due, passes the sums to the metrics, and warns of tenants whose storage is
/// nearly full.
pub(crate) async fn watch(shared: &Shared, now: Timestamp) -> Result<()> {
    let deadline = || Instant::now() + TIMEOUT;
    let since = Timestamp(now.0 - MAX_AGE);
    let find_due = move |tx: &mut ReadTx<'_>| storage::unmeasured(tx, since, MAX_TENANTS);
    let due = shared.db.read(deadline(), find_due).await?;
    let end = Instant::now() + MEASURING_TIME;
    for tenant in due.into_iter().take_while(|_| Instant::now() < end) {
        measure(shared, tenant, now, since).await?;
    }
    let Size(limit) = shared.environment.storage_limit;
    let threshold = Size(if limit == 0 { u64::MAX } else { limit / 10 * 9 });
    let read_sums = move |tx: &mut ReadTx<'_>| -> Result<_> {
        Ok((storage::sums(tx)?, storage::above(tx, threshold)?))
    };
    let (sums, above) = shared.db.read(deadline(), read_sums).await?;
    shared.metrics.store(&sums);
    shared.nearly_full.warn(&above, Size(limit));
    Ok(())
}

/// Measures one tenant and corrects its count by the difference, so that bytes added in between stay counted.
async fn measure(shared: &Shared, tenant: Tenant, now: Timestamp, since: Timestamp) -> Result<()> {
    let read = shared.db.read(Instant::now() + TIMEOUT, move |tx| {
        tx.bind(tenant);
        maintenance::measure(tx).map(|(_, drift)| drift)
    });
    let drift = match read.await {
        Ok(drift) => drift,
        Err(error) => {
            // The tenant counts as measured, with its count unchanged. Otherwise each round would begin with it.
            tracing::warn!(kind = error.kind(), "a business's storage could not be measured");
            storage::Stored::default()
        }
    };
    let correct = move |tx: &mut WriteTx<'_>| storage::correct(tx, tenant, &drift, now, since);
    shared.db.write(Instant::now() + TIMEOUT, correct).await
}

impl NearlyFull {
    /// Warns once about each tenant above the threshold, and again only after the tenant has been below it.
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
        assert!(due.is_empty(), "both tenants are measured");

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
        assert_eq!(round(), 1, "the other tenant has room for more");
    }
}
