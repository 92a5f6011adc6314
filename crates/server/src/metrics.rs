//! The server's metrics, and their text form.
//!
//! Labels are tools, routes and fixed words, never text from a caller, so the number of series is bounded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use zoop_crm::call::storage::{Class, Stored};
use zoop_db::{Gauges, Timestamp};

use crate::connections::Connections;
use crate::process::Resources;

/// The metrics of one server.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests to the endpoint in progress.
    pub(crate) in_flight: Gauge,
    unread_bytes: Gauge,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<ToolLabel, Histogram>,
    pages: Family<PageLabels, Counter>,
    page_seconds: Family<RouteLabel, Histogram>,
    sign_ins: Family<SignInLabels, Counter>,
    reads_waiting: Gauge,
    writes_waiting: Gauge,
    requests_waiting: Gauge,
    body_bytes: Gauge,
    commits: Counter,
    artefacts: Counter,
    takes_writes: Gauge,
    stored_bytes: Family<ClassLabel, Gauge>,
    free_bytes: Gauge,
    resident_bytes: Gauge,
    cpu_seconds: Counter<f64, AtomicU64>,
    open_files: Gauge,
    max_files: Gauge,
}

/// The values that are read when the metrics are requested.
pub(crate) struct Now {
    /// The database's queues.
    pub(crate) gauges: Gauges,
    /// Whether the storage accepts writes.
    pub(crate) takes_writes: bool,
    /// The arguments that clients added on their own and that were dropped, since the start.
    pub(crate) artefacts: u64,
    /// The requests that wait for a seat.
    pub(crate) requests_waiting: usize,
    /// The bytes that are reserved for request bodies.
    pub(crate) body_bytes: usize,
    /// The bytes of long answers that their callers have not read yet.
    pub(crate) unread: usize,
    /// The resources that the process uses.
    pub(crate) resources: Resources,
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

/// The route is the pattern from the list of routes, not the requested path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PageLabels {
    route: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignInLabels {
    way: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

impl Metrics {
    pub(crate) fn new(started: Timestamp) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            in_flight: Gauge::default(),
            unread_bytes: Gauge::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(duration_histogram),
            pages: Family::default(),
            page_seconds: Family::new_with_constructor(duration_histogram),
            sign_ins: Family::default(),
            reads_waiting: Gauge::default(),
            writes_waiting: Gauge::default(),
            requests_waiting: Gauge::default(),
            body_bytes: Gauge::default(),
            commits: Counter::default(),
            artefacts: Counter::default(),
            takes_writes: Gauge::default(),
            stored_bytes: Family::default(),
            free_bytes: Gauge::default(),
            resident_bytes: Gauge::default(),
            cpu_seconds: Counter::default(),
            open_files: Gauge::default(),
            max_files: Gauge::default(),
        };
        let metrics = metrics.with_requests().with_storage().with_build(started);
        if cfg!(target_os = "linux") { metrics.with_process() } else { metrics }
    }

    fn with_requests(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("zoop_requests", "Requests to the endpoint", self.requests.clone());
        registry.register_with_unit(
            "zoop_request",
            "Time from a request's headers to its answer",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "zoop_requests_in_flight",
            "Requests to the endpoint in progress",
            self.in_flight.clone(),
        );
        registry.register(
            "zoop_requests_waiting",
            "Requests to the endpoint that have arrived and wait to be processed",
            self.requests_waiting.clone(),
        );
        registry.register_with_unit(
            "zoop_request_bodies",
            "Room that is taken by bodies of requests",
            Unit::Bytes,
            self.body_bytes.clone(),
        );
        registry.register_with_unit(
            "zoop_answers_unread",
            "Long answers that their callers have not read yet",
            Unit::Bytes,
            self.unread_bytes.clone(),
        );
        registry.register("zoop_pages", "Requests for pages", self.pages.clone());
        registry.register_with_unit(
            "zoop_page",
            "Time from the headers of a request for a page to its answer",
            Unit::Seconds,
            self.page_seconds.clone(),
        );
        registry.register("zoop_sign_ins", "Attempts to sign in", self.sign_ins.clone());
        registry.register(
            "zoop_client_artefacts",
            "Arguments that clients added on their own, dropped",
            self.artefacts.clone(),
        );
        self
    }

    /// Adds the connections of the public port.
    pub(crate) fn with_connections(mut self, connections: &Connections) -> Self {
        self.registry.register(
            "zoop_connections",
            "Open connections to the public port",
            connections.open.clone(),
        );
        self.registry.register(
            "zoop_connections_refused",
            "Connections that were closed at once, because their network or all strangers had too many",
            connections.refused.clone(),
        );
        self
    }

    fn with_storage(mut self) -> Self {
        let registry = &mut self.registry;
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
            "Write transactions committed; each holds one or more writes",
            self.commits.clone(),
        );
        registry.register(
            "zoop_storage_takes_writes",
            "Whether the storage accepted the last write: 1, or 0 while it refuses writes",
            self.takes_writes.clone(),
        );
        registry.register_with_unit(
            "zoop_stored",
            "What all businesses store, by class, as limits.storage counts it",
            Unit::Bytes,
            self.stored_bytes.clone(),
        );
        self
    }

    /// Adds the free disk space, if the database is a file.
    pub(crate) fn with_disk(mut self) -> Self {
        self.registry.register_with_unit(
            "zoop_storage_free",
            "Free space on the disk of the database's file",
            Unit::Bytes,
            self.free_bytes.clone(),
        );
        self
    }

    fn with_build(mut self, started: Timestamp) -> Self {
        let registry = &mut self.registry;
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("zoop_build", "The running version", version);
        let started_at = Gauge::<i64>::default();
        started_at.set(started.0.div_euclid(1_000_000));
        registry.register_with_unit(
            "process_start_time",
            "When the server started, since 1970",
            Unit::Seconds,
            started_at,
        );
        self
    }

    /// Adds the metrics of the process, with the names that Prometheus recommends for all programs.
    fn with_process(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register_with_unit(
            "process_cpu",
            "Processor time used",
            Unit::Seconds,
            self.cpu_seconds.clone(),
        );
        registry.register_with_unit(
            "process_resident_memory",
            "Memory in use",
            Unit::Bytes,
            self.resident_bytes.clone(),
        );
        registry.register(
            "process_open_fds",
            "Open files and connections",
            self.open_files.clone(),
        );
        registry.register(
            "process_max_fds",
            "Files and connections that may be open",
            self.max_files.clone(),
        );
        self
    }

    /// Counts a request that has ended.
    pub(crate) fn count(&self, tool: &'static str, outcome: &'static str, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { tool, outcome }).inc();
        self.seconds.get_or_create(&ToolLabel { tool }).observe(duration.as_secs_f64());
    }

    /// Counts a page request that has ended.
    pub(crate) fn count_page(&self, route: &str, outcome: &'static str, duration: Duration) {
        let route = route.to_owned();
        self.pages.get_or_create(&PageLabels { route: route.clone(), outcome }).inc();
        self.page_seconds.get_or_create(&RouteLabel { route }).observe(duration.as_secs_f64());
    }

    /// Counts an attempt to sign in.
    pub(crate) fn count_sign_in(&self, method: &'static str, outcome: &'static str) {
        self.sign_ins.get_or_create(&SignInLabels { way: method, outcome }).inc();
    }

    /// Sets the number of bytes that all tenants store, by class.
    pub(crate) fn store(&self, sums: &Stored) {
        for class in Class::ALL {
            let label = ClassLabel { class: class.word() };
            self.stored_bytes.get_or_create(&label).set(sums.of(class).max(0));
        }
    }

    /// All metrics as text.
    ///
    /// Source: the text format of `OpenMetrics` 1.0.
    pub(crate) fn text(&self, now: &Now) -> Result<String, std::fmt::Error> {
        let Now {
            gauges,
            takes_writes,
            artefacts,
            requests_waiting,
            body_bytes,
            unread,
            resources,
        } = now;
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let waiting = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.unread_bytes.set(waiting(*unread));
        self.reads_waiting.set(waiting(gauges.reads_waiting));
        self.writes_waiting.set(waiting(gauges.writes_waiting));
        self.requests_waiting.set(waiting(*requests_waiting));
        self.body_bytes.set(waiting(*body_bytes));
        // These counters are kept elsewhere; they never decrease.
        self.commits.inner().store(gauges.commits, Ordering::Relaxed);
        self.artefacts.inner().store(*artefacts, Ordering::Relaxed);
        self.takes_writes.set(i64::from(*takes_writes));
        let cpu = resources.cpu_seconds.unwrap_or_default();
        self.cpu_seconds.inner().store(cpu.to_bits(), Ordering::Relaxed);
        for (gauge, now) in [
            (&self.free_bytes, resources.free_bytes),
            (&self.resident_bytes, resources.resident_bytes),
            (&self.open_files, resources.open_files),
            (&self.max_files, resources.max_files),
        ] {
            gauge.set(count(now.unwrap_or_default()));
        }
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// Buckets from a quarter of a millisecond to eight seconds, each twice the previous one.
fn duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}
