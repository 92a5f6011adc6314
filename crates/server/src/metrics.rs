//! What is counted and measured, and its text form.
//!
//! Labels come from the catalogue and from fixed words alone, never from what a caller sent: the
//! number of series is bounded.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use zoop_db::Gauges;

/// The metrics of one server.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests to the endpoint that are under way.
    pub(crate) in_flight: Gauge,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    seconds: Family<ToolLabel, Histogram>,
    reads_waiting: Gauge,
    writes_waiting: Gauge,
    commits: Gauge,
    artefacts: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabel {
    tool: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            in_flight: Gauge::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(duration_histogram),
            reads_waiting: Gauge::default(),
            writes_waiting: Gauge::default(),
            commits: Gauge::default(),
            artefacts: Gauge::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("zoop_requests", "Requests to the endpoint", self.requests.clone());
        registry.register(
            "zoop_request_seconds",
            "Time from a request's headers to its answer",
            self.seconds.clone(),
        );
        registry.register(
            "zoop_requests_in_flight",
            "Requests to the endpoint under way",
            self.in_flight.clone(),
        );
        registry.register(
            "zoop_reads_waiting",
            "Reads that wait for a database thread",
            self.reads_waiting.clone(),
        );
        registry.register(
            "zoop_writes_waiting",
            "Writes that wait for the database's writer",
            self.writes_waiting.clone(),
        );
        registry.register(
            "zoop_commits",
            "Write transactions kept since the start; each holds one or more writes",
            self.commits.clone(),
        );
        registry.register(
            "zoop_client_artefacts",
            "Arguments that clients add on their own, dropped since the start",
            self.artefacts.clone(),
        );
        self
    }

    /// Counts a request that has ended.
    pub(crate) fn count(&self, tool: &'static str, outcome: &'static str, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { tool, outcome }).inc();
        self.seconds.get_or_create(&ToolLabel { tool }).observe(duration.as_secs_f64());
    }

    /// All of it as text, with the database's queues and the dropped arguments as they are now.
    ///
    /// Source: the text format of `OpenMetrics` 1.0.
    pub(crate) fn text(&self, queues: Gauges, artefacts: u64) -> Result<String, std::fmt::Error> {
        let count = |waiting: usize| i64::try_from(waiting).unwrap_or(i64::MAX);
        let total = |sum: u64| i64::try_from(sum).unwrap_or(i64::MAX);
        self.reads_waiting.set(count(queues.reads_waiting));
        self.writes_waiting.set(count(queues.writes_waiting));
        self.commits.set(total(queues.commits));
        self.artefacts.set(total(artefacts));
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// From a quarter of a millisecond to eight seconds, each bucket twice the one before.
fn duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}
