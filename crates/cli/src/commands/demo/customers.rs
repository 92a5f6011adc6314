//! The sample business's customers, each with its contacts, addresses, tags, work and notes.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};
use zoop_crm::arguments;
use zoop_crm::business::customers::contacts::tools::CreateContact;
use zoop_crm::business::customers::contacts::tools::ListContacts;
use zoop_crm::business::customers::locations::tools::CreateLocation;
use zoop_crm::business::customers::locations::tools::ListLocations;
use zoop_crm::business::customers::tools::archive::ArchiveCustomer;
use zoop_crm::business::customers::tools::create::CreateCustomer;
use zoop_crm::business::customers::tools::update::UpdateCustomer;
use zoop_crm::business::jobs::tools::cancel::CancelJob;
use zoop_crm::business::jobs::tools::create::CreateJob;
use zoop_crm::business::jobs::tools::update::UpdateJob;
use zoop_crm::business::notes::tools::create::CreateNote;
use zoop_crm::business::quotes::tools::{CreateQuote, UpdateQuote};
use zoop_crm::business::subjects::tools::CreateSubject;
use zoop_crm::business::tags::tools::AttachTag;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Result;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Uuid;

use super::business::{Builder, CUSTOMERS};
use super::sample::{self, Address, SamplePerson, SampleRng, SampleText, Work};

/// The region's area codes. Each has a hundred numbers that are reserved for fiction.
const AREA_CODES: &[u16] = &[202, 703, 301, 571, 240, 410, 443, 804];

type CustomerId = Id<kinds::Customer>;

/// The raw material of the customers, and what has been created so far.
pub(super) struct Customers {
    people: VecDeque<SamplePerson>,
    companies: VecDeque<SampleText>,
    addresses: VecDeque<Address>,
    notes: VecDeque<SampleText>,
    reasons: VecDeque<&'static str>,
    sources: Vec<&'static str>,
    texts: Vec<SampleText>,
    titles: Vec<SampleText>,
    labels: Vec<SampleText>,
    work: Vec<Work>,
    tags: Vec<Id<kinds::Tag>>,
    phones: u16,
    notes_in_all: usize,
    /// The ids that notes can be about, by subject type.
    subjects: HashMap<&'static str, Vec<Uuid>>,
}

impl Customers {
    /// Reads the raw material; `tags` are the ids of the business's tags.
    pub(super) fn new(rng: &SampleRng, tags: Vec<Id<kinds::Tag>>) -> Self {
        let mut notes = sample::notes();
        rng.shuffle(&mut notes);
        let mut companies = sample::companies();
        rng.shuffle(&mut companies);
        Self {
            people: sample::people().into(),
            companies: companies.into(),
            addresses: sample::addresses().into(),
            notes_in_all: notes.len(),
            notes: notes.into(),
            reasons: sample::do_not_contact().into(),
            sources: sample::sources(),
            texts: sample::location_texts(),
            titles: sample::contact_titles(),
            labels: sample::location_labels(),
            work: sample::work(),
            tags,
            phones: 0,
            subjects: HashMap::new(),
        }
    }

    /// Adds the next customer with everything that belongs to it, and some notes about any of the records so far.
    pub(super) fn add(&mut self, to: &mut Builder<'_, '_>, number: usize) -> Result<()> {
        let company = if number % 3 == 2 { self.companies.pop_front() } else { None };
        let id = match company {
            Some(company) => self.company(to, company)?,
            None => self.individual(to)?,
        };
        self.add_subject("customer", id.uuid());
        self.tag(to, id, company)?;
        self.set_status(to, id)?;
        self.remember_contacts_and_locations(to, id)?;
        if to.rng.chance(70) {
            for _ in 0..=to.rng.below(3) {
                self.add_work(to, id)?;
            }
        }
        let due = self.notes_in_all * (number + 1) / CUSTOMERS;
        while self.notes_in_all - self.notes.len() < due {
            self.note(to)?;
        }
        Ok(())
    }

    /// Archives a few customers, so that `status: archived` finds some.
    pub(super) fn archive_some(&mut self, to: &mut Builder<'_, '_>) -> Result<()> {
        let customers = self.subjects.remove("customer").unwrap_or_default();
        // The first customers stay active, because the demo's examples search for them.
        for id in customers.iter().skip(CUSTOMERS / 4).step_by(CUSTOMERS / 6) {
            to.as_office(arguments!(ArchiveCustomer { id: id.to_string() }))?;
        }
        Ok(())
    }

    fn individual(&mut self, to: &mut Builder<'_, '_>) -> Result<CustomerId> {
        let mut customer = self.person(to);
        customer.insert("customer_type".to_owned(), json!("individual"));
        customer.insert("source".to_owned(), json!(to.rng.pick(&self.sources)));
        customer.insert("location".to_owned(), self.location(to, "service").into());
        let customer = Arguments::<CreateCustomer>::from_json(customer);
        let id = to.as_office(customer)?.customer.id;
        if to.rng.chance(15) {
            let relative = self.contact(to, id, "general");
            to.as_office(relative)?;
        }
        if to.rng.chance(12) {
            self.further_location(to, id, "service")?;
        }
        Ok(id)
    }

    fn company(&mut self, to: &mut Builder<'_, '_>, company: SampleText) -> Result<CustomerId> {
        let mut primary = self.person(to);
        primary.insert("title".to_owned(), json!(to.rng.text(&self.titles, "decision_maker")));
        primary.insert("role".to_owned(), json!("decision_maker"));
        let customer = fields([
            ("customer_type", json!("company")),
            ("company_name", json!(company.text)),
            ("phone", self.phone(to)),
            ("source", json!(to.rng.pick(&self.sources))),
            ("primary_contact", Value::Object(primary)),
            ("location", self.location(to, "service").into()),
        ]);
        let customer = Arguments::<CreateCustomer>::from_json(customer);
        let id = to.as_office(customer)?.customer.id;
        for role in ["billing", "service"] {
            if to.rng.chance(55) {
                let contact = self.contact(to, id, role);
                to.as_office(contact)?;
            }
        }
        for kind in ["billing", "mailing"] {
            if to.rng.chance(25) {
                self.further_location(to, id, kind)?;
            }
        }
        Ok(id)
    }

    /// Name, telephone number and e-mail address of the next person.
    fn person(&mut self, to: &Builder<'_, '_>) -> Map<String, Value> {
        let person = self.people.pop_front();
        if let Some(person) = person {
            self.people.push_back(person);
        }
        let mut fields = fields([
            ("first_name", json!(person.map(|person| person.first_name))),
            ("last_name", json!(person.map(|person| person.last_name))),
        ]);
        if to.rng.chance(90) {
            fields.insert("phone".to_owned(), self.phone(to));
        }
        if to.rng.chance(80) {
            let email = person.map(|person| format!("{}@example.com", person.email_local));
            fields.insert("email".to_owned(), json!(email));
        }
        fields
    }

    fn contact(
        &mut self,
        to: &Builder<'_, '_>,
        customer: CustomerId,
        role: &'static str,
    ) -> Arguments<CreateContact> {
        let mut contact = self.person(to);
        contact.insert("customer_id".to_owned(), json!(customer));
        contact.insert("role".to_owned(), json!(role));
        contact.insert("title".to_owned(), json!(to.rng.text(&self.titles, role)));
        contact.insert("phone_can_sms".to_owned(), json!(to.rng.chance(80)));
        Arguments::from_json(contact)
    }

    /// A fictitious phone number, in one of the forms in which people type them.
    fn phone(&mut self, to: &Builder<'_, '_>) -> Value {
        let area = AREA_CODES[usize::from(self.phones / 100) % AREA_CODES.len()];
        let line = 100 + self.phones % 100;
        self.phones += 1;
        json!(match to.rng.below(4) {
            0 => format!("({area}) 555-0{line}"),
            1 => format!("{area}-555-0{line}"),
            2 => format!("+1 {area} 555 0{line}"),
            _ => format!("{area}.555.0{line}"),
        })
    }

    fn location(&mut self, to: &Builder<'_, '_>, kind: &'static str) -> Map<String, Value> {
        let Some(address) = self.addresses.pop_front() else { return Map::new() };
        let rng = &to.rng;
        let sometimes = |percent: usize, from: &[SampleText], kind: &str| {
            if rng.chance(percent) { rng.text(from, kind) } else { None }
        };
        let location = fields([
            ("address_line1", json!(address.street)),
            ("city", json!(address.city)),
            ("state", json!(address.state)),
            ("postal_code", json!(address.zip)),
            ("latitude", json!(address.coordinates.map(|(latitude, _)| latitude))),
            ("longitude", json!(address.coordinates.map(|(_, longitude)| longitude))),
            ("location_type", json!(kind)),
            ("label", json!(sometimes(40, &self.labels, kind))),
            ("access_notes", json!(sometimes(45, &self.texts, "access"))),
            ("parking_notes", json!(sometimes(20, &self.texts, "parking"))),
            ("service_notes", json!(sometimes(25, &self.texts, "service"))),
        ]);
        self.addresses.push_back(address);
        location
    }

    fn further_location(
        &mut self,
        to: &mut Builder<'_, '_>,
        customer: CustomerId,
        kind: &'static str,
    ) -> Result<()> {
        let mut location = self.location(to, kind);
        location.insert("customer_id".to_owned(), json!(customer));
        to.as_office(Arguments::<CreateLocation>::from_json(location))?;
        Ok(())
    }

    /// Attaches a tag for the kind of company, and a random tag to some customers.
    fn tag(
        &self,
        to: &mut Builder<'_, '_>,
        customer: CustomerId,
        company: Option<SampleText>,
    ) -> Result<()> {
        let by_kind = company.map(|company| if company.kind == "hoa" { 2 } else { 3 });
        let by_chance = to.rng.chance(45).then(|| to.rng.below(self.tags.len()));
        let mut chosen: Vec<usize> = by_kind.into_iter().chain(by_chance).collect();
        chosen.dedup();
        for tag in chosen.into_iter().filter_map(|at| self.tags.get(at)) {
            to.as_operator(arguments!(AttachTag { id: *tag, customer_id: customer }))?;
        }
        Ok(())
    }

    /// Makes some customers VIPs, not to be contacted, or inactive.
    fn set_status(&mut self, to: &mut Builder<'_, '_>, customer: CustomerId) -> Result<()> {
        let change = match to.rng.below(100) {
            0..5 => arguments!(UpdateCustomer { id: customer, is_vip: true }),
            5..9 => arguments!(UpdateCustomer {
                id: customer,
                do_not_contact: true,
                do_not_contact_reason: self.reasons.pop_front(),
            }),
            9..13 => arguments!(UpdateCustomer { id: customer, status: "inactive" }),
            _ => return Ok(()),
        };
        to.as_office(change)?;
        Ok(())
    }

    /// Remembers the ids of a customer's contacts and locations, for notes about them.
    fn remember_contacts_and_locations(
        &mut self,
        to: &mut Builder<'_, '_>,
        customer: CustomerId,
    ) -> Result<()> {
        for contact in to.read_as_office(arguments!(ListContacts { customer_id: customer }))? {
            self.add_subject("customer_contact", contact.id.uuid());
        }
        for location in to.read_as_office(arguments!(ListLocations { customer_id: customer }))? {
            self.add_subject("customer_location", location.id.uuid());
        }
        Ok(())
    }

    fn add_work(&mut self, to: &mut Builder<'_, '_>, customer: CustomerId) -> Result<()> {
        let Some(work) = to.rng.pick(&self.work).copied() else { return Ok(()) };
        let id = match work.kind {
            "job" => job(to, customer, work)?,
            "quote" => quote(to, customer, work)?,
            kind => {
                let subject = arguments!(CreateSubject {
                    customer_id: customer,
                    subject_type: kind,
                    title: work.title,
                    status: work.status,
                });
                to.as_operator(subject)?.id.uuid()
            }
        };
        self.add_subject(work.kind, id);
        Ok(())
    }

    /// Writes the next note. It is standalone if there is no subject of its kind yet.
    fn note(&mut self, to: &mut Builder<'_, '_>) -> Result<()> {
        let Some(note) = self.notes.pop_front() else { return Ok(()) };
        let subject = self.subjects.get(note.kind).and_then(|ids| to.rng.pick(ids));
        let text = note.text;
        let note = arguments!(CreateNote {
            pinned: to.rng.chance(8),
            subject_type: subject.map(|_| note.kind),
            subject_id: subject.map(Uuid::to_string),
        });
        to.as_anyone(note.with("body", text))?;
        Ok(())
    }

    fn add_subject(&mut self, subject: &'static str, id: Uuid) {
        self.subjects.entry(subject).or_default().push(id);
    }
}

/// Adds a job of the whole crew, in a status like that of the list.
fn job(to: &mut Builder<'_, '_>, customer: CustomerId, work: Work) -> Result<Uuid> {
    let start = match work.status {
        "on_hold" => None,
        "completed" => Some(to.in_days(-1)),
        _ => Some(to.in_days(1)),
    };
    let job = arguments!(CreateJob {
        customer_id: customer,
        title: work.title,
        scheduled_start: start,
        assignee_ids: to.crew(),
    });
    let id = to.as_owner(job)?.job.id;
    match work.status {
        "completed" => {
            to.as_owner(arguments!(UpdateJob { id: id, status: "done" }))?;
        }
        "cancelled" => {
            to.as_owner(arguments!(CancelJob { id: id }))?;
        }
        _ => {}
    }
    Ok(id.uuid())
}

/// Adds a quote, in a status like that of the list.
fn quote(to: &mut Builder<'_, '_>, customer: CustomerId, work: Work) -> Result<Uuid> {
    let quote = arguments!(CreateQuote { customer_id: customer, title: work.title });
    let id = to.as_owner(quote)?.id;
    let steps: &[&str] = match work.status {
        "draft" => &[],
        "accepted" => &["sent", "accepted"],
        "declined" => &["sent", "declined"],
        _ => &["sent"],
    };
    for status in steps {
        to.as_owner(arguments!(UpdateQuote { id: id, status: *status }))?;
    }
    Ok(id.uuid())
}

/// Fields of a record by their names.
fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
