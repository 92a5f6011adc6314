//! Writes the database by tool calls, one transaction per batch.
//!
//! A batch creates customers first, then changes some of them in row order, then creates notes: the search index
//! buffers its input in memory while the row numbers rise, and writes it out whenever a number does not.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::Zipf;
use serde_json::{Value, json};
use zoop_crm::call::definition::ToolDef;
use zoop_crm::call::error::{Error, Result};
use zoop_crm::values::clock::{Entropy, Environment, parse_rfc3339};
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::size::Size;
use zoop_db::WriteTx;

use super::business::{Caller, GeneratedBusiness, PastClock, Tools, Who};
use super::landmarks::Watched;
use super::people::{self, People, pick_by_rank};
use super::plan::{self, Event};
use super::text::Vocabulary;
use super::{Landmarks, Parameters};

/// The end of the businesses' history: a time that every machine's clock has passed.
const END: &str = "2026-01-01T00:00:00Z";
/// The length of the businesses' history, in microseconds: two years.
const HISTORY_LENGTH: i64 = 2 * 365 * 86_400 * 1_000_000;
/// Customers and notes per transaction: enough for few commits, and few enough for a small log.
const RECORDS_PER_BATCH: usize = 2_000;
/// Businesses created per transaction.
const BUSINESSES_PER_BATCH: usize = 20;
/// One customer in this many is archived.
const ARCHIVED: usize = 200;

/// The records still to be written, and the businesses written so far.
pub(super) struct Writer {
    parameters: Parameters,
    rng: StdRng,
    environment: Environment,
    clock: Arc<PastClock>,
    step: i64,
    tools: Tools,
    people: People,
    vocabulary: Vocabulary,
    tag: Zipf<f64>,
    businesses: Vec<GeneratedBusiness>,
    watched: Vec<Watched>,
    events: std::vec::IntoIter<Event>,
}

/// A change to a customer.
struct Change {
    who: Who,
    tool: &'static ToolDef,
    arguments: Value,
}

impl Writer {
    pub(super) fn new(parameters: &Parameters) -> anyhow::Result<Self> {
        let mut rng = StdRng::seed_from_u64(parameters.seed);
        let end = parse_rfc3339(END).context("the end of the businesses' past")?.0;
        let clock = Arc::new(PastClock(AtomicI64::new(end - HISTORY_LENGTH)));
        let environment = Environment {
            clock: clock.clone(),
            entropy: Entropy::seeded(parameters.seed),
            note_writes_per_minute: 0,
            storage_limit: Size(0),
            files_limit: Size(0),
            dropped_client_keys: Arc::default(),
        };
        let events = plan::events(parameters, &mut rng);
        let people = People::new(&mut rng)?;
        let vocabulary = Vocabulary::new(&mut rng)?;
        // An upper estimate: a call for each record, one more for every second record, and 20 for each business.
        let calls = events.len() * 3 / 2 + parameters.tenants() as usize * 20;
        Ok(Self {
            step: HISTORY_LENGTH / i64::try_from(calls)?,
            tools: Tools::new().map_err(|error| anyhow::anyhow!("{error:?}"))?,
            tag: Zipf::new(8.0, 1.0)?,
            watched: Watched::among(parameters.tenants() as usize, &vocabulary),
            businesses: Vec::new(),
            parameters: parameters.clone(),
            events: events.into_iter(),
            rng,
            environment,
            clock,
            people,
            vocabulary,
        })
    }

    /// The number of customers and notes still to be written.
    pub(super) fn remaining(&self) -> usize {
        self.events.len()
    }

    /// Writes the next batch.
    pub(super) fn batch(&mut self, tx: &mut WriteTx<'_>) -> Result<()> {
        let (environment, clock) = (self.environment.clone(), self.clock.clone());
        let (environment, clock) = (&environment, &clock);
        let mut to = Caller { tx, environment, clock, step: self.step };
        let tenants = self.parameters.tenants() as usize;
        if self.businesses.len() < tenants {
            for index in (self.businesses.len()..tenants).take(BUSINESSES_PER_BATCH) {
                let region = people::region(&mut self.rng);
                self.businesses.push(GeneratedBusiness::create(&mut to, index, region)?);
            }
            return Ok(());
        }
        let (mut notes, mut changes) = (Vec::new(), Vec::new());
        for event in self.events.by_ref().take(RECORDS_PER_BATCH).collect::<Vec<_>>() {
            match event {
                Event::Customer(business) => self.customer(&mut to, business, &mut changes)?,
                Event::Note(business) => notes.push(business),
            }
        }
        for Change { who, tool, arguments } in changes {
            to.call(&who, tool, &arguments)?;
        }
        for business in notes {
            self.note(&mut to, business)?;
        }
        Ok(())
    }

    /// Writes one customer; its later changes are added to `changes`.
    fn customer(
        &mut self,
        to: &mut Caller<'_, '_>,
        index: usize,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        let Self { businesses, rng, people, tools, watched, .. } = self;
        let business = &mut businesses[index];
        let invented = people.customer(rng, business.region, business.created);
        let created = to.call(&business.writers[0], tools.create_customer, &invented.arguments)?;
        let id = created["id"].as_str().and_then(Id::parse).ok_or(Error::not_found("customer"))?;
        business.created += 1;
        let mut change = |who: &Who, tool, arguments| {
            changes.push(Change { who: who.clone(), tool, arguments });
        };
        if business.created % ARCHIVED == 0 {
            change(&business.writers[0], tools.archive_customer, json!({ "id": id }));
        } else {
            business.customers.push(id);
            if rng.random_ratio(2, 25) {
                let inactive = json!({ "id": id, "status": "inactive" });
                change(&business.writers[0], tools.update_customer, inactive);
            } else if rng.random_ratio(1, 5) {
                let tag = pick_by_rank(&business.tags, self.tag, rng);
                let tag = json!({ "id": tag, "customer_id": id });
                change(&business.operator, tools.attach_tag, tag);
            }
        }
        if let Some(watched) = watched.iter_mut().find(|watched| watched.business == index) {
            watched.record_customer(invented);
        }
        Ok(())
    }

    /// Writes one note about a customer, an invoice or nothing.
    fn note(&mut self, to: &mut Caller<'_, '_>, index: usize) -> Result<()> {
        let Self { businesses, rng, vocabulary, tools, watched, .. } = self;
        let business = &mut businesses[index];
        let (body, words) = vocabulary.note(rng);
        let mut note = json!({ "body": body });
        let subject = match (early_customer(&business.customers, rng), rng.random_range(0..10)) {
            (Some(customer), 0..6) => Some(("customer", json!(customer))),
            (Some(customer), 6..8) => Some(("invoice", invoice(to, business, customer, *tools)?)),
            _ => None,
        };
        if let Some((subject_type, id)) = subject {
            note["subject_type"] = json!(subject_type);
            note["subject_id"] = id;
        }
        if rng.random_ratio(1, 100) {
            note["pinned"] = json!(true);
        }
        to.call(&business.writers[usize::from(rng.random_ratio(1, 2))], tools.create_note, &note)?;
        if let Some(watched) = watched.iter_mut().find(|watched| watched.business == index) {
            watched.record_note(&words);
        }
        Ok(())
    }

    /// The landmarks of the observed businesses.
    pub(super) fn landmarks(&self) -> Landmarks {
        let landmarks = |watched: &Watched| {
            watched.landmarks(&self.businesses[watched.business], &self.vocabulary)
        };
        let businesses = self.watched.iter().map(landmarks).collect();
        Landmarks { parameters: self.parameters.clone(), businesses }
    }
}

/// A random customer of a business. The oldest customers are more likely, so they get the most notes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a list's length is an index in the list"
)]
fn early_customer(
    customers: &[Id<kinds::Customer>],
    rng: &mut StdRng,
) -> Option<Id<kinds::Customer>> {
    let part: f64 = rng.random();
    customers.get((part * part * customers.len() as f64) as usize).copied()
}

/// The invoice for a note. Two notes share each invoice.
fn invoice(
    to: &mut Caller<'_, '_>,
    business: &mut GeneratedBusiness,
    customer: Id<kinds::Customer>,
    tools: Tools,
) -> Result<Value> {
    if let Some(invoice) = business.invoice.take() {
        return Ok(invoice);
    }
    let invoice = json!({
        "customer_id": customer, "subject_type": "invoice", "title": "Spring start-up",
        "status": "sent",
    });
    let invoice = to.call(&business.operator, tools.create_subject, &invoice)?["id"].take();
    business.invoice = Some(invoice.clone());
    Ok(invoice)
}
