//! The sample business's customers, with the people, addresses, tags, work and notes of each.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};
use zoop_crm::error::Result;

use super::business::{Builder, CUSTOMERS};
use super::sample::{self, Address, Dice, Entry, Person, Work};

/// Area codes of the region. Each has a hundred numbers that are kept free for fiction.
const AREA_CODES: &[u16] = &[202, 703, 301, 571, 240, 410, 443, 804];

/// What the customers are made of, and what has been made so far.
pub(super) struct Customers {
    people: VecDeque<Person>,
    companies: VecDeque<Entry>,
    addresses: VecDeque<Address>,
    notes: VecDeque<Entry>,
    reasons: VecDeque<&'static str>,
    sources: Vec<&'static str>,
    texts: Vec<Entry>,
    titles: Vec<Entry>,
    labels: Vec<Entry>,
    work: Vec<Work>,
    tags: Vec<Value>,
    phones: u16,
    notes_in_all: usize,
    /// The ids that notes can hang on, by subject type.
    subjects: HashMap<&'static str, Vec<Value>>,
}

impl Customers {
    /// None yet; `tags` are the ids of the business's tags.
    pub(super) fn new(dice: &Dice, tags: Vec<Value>) -> Self {
        let mut notes = sample::notes();
        dice.shuffle(&mut notes);
        let mut companies = sample::companies();
        dice.shuffle(&mut companies);
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

    /// Adds the next customer with everything under it, and some notes on whatever there is by now.
    pub(super) fn add(&mut self, to: &mut Builder<'_, '_>, number: usize) -> Result<()> {
        let company = if number % 3 == 2 { self.companies.pop_front() } else { None };
        let id = match company {
            Some(company) => self.company(to, company)?,
            None => self.individual(to)?,
        };
        self.know("customer", &id);
        self.tag(to, &id, company)?;
        self.mark(to, &id)?;
        self.remember_parts(to, &id)?;
        if to.dice.chance(70) {
            for _ in 0..=to.dice.below(3) {
                self.piece_of_work(to, &id)?;
            }
        }
        let due = self.notes_in_all * (number + 1) / CUSTOMERS;
        while self.notes_in_all - self.notes.len() < due {
            self.note(to)?;
        }
        Ok(())
    }

    /// Archives a few customers, so that there are some to find with `status: archived`.
    pub(super) fn archive_some(&mut self, to: &mut Builder<'_, '_>) -> Result<()> {
        let customers = self.subjects.remove("customer").unwrap_or_default();
        // Not from the beginning: the first ones are what the demo's own examples look for.
        for id in customers.iter().skip(CUSTOMERS / 4).step_by(CUSTOMERS / 6) {
            to.office("customers.archive", json!({ "id": id }))?;
        }
        Ok(())
    }

    fn individual(&mut self, to: &mut Builder<'_, '_>) -> Result<Value> {
        let mut customer = self.person(to);
        customer.insert("customer_type".to_owned(), json!("individual"));
        customer.insert("source".to_owned(), json!(to.dice.pick(&self.sources)));
        customer.insert("location".to_owned(), self.location(to, "service"));
        let id = to.office("customers.create", Value::Object(customer))?["id"].take();
        if to.dice.chance(15) {
            let relative = self.contact(to, &id, "general");
            to.office("contacts.create", relative)?;
        }
        if to.dice.chance(12) {
            self.further_location(to, &id, "service")?;
        }
        Ok(id)
    }

    fn company(&mut self, to: &mut Builder<'_, '_>, company: Entry) -> Result<Value> {
        let mut primary = self.person(to);
        primary.insert("title".to_owned(), json!(to.dice.text(&self.titles, "decision_maker")));
        primary.insert("role".to_owned(), json!("decision_maker"));
        let customer = json!({
            "customer_type": "company",
            "company_name": company.text,
            "phone": self.phone(to),
            "source": to.dice.pick(&self.sources),
            "primary_contact": primary,
            "location": self.location(to, "service"),
        });
        let id = to.office("customers.create", customer)?["id"].take();
        for role in ["billing", "service"] {
            if to.dice.chance(55) {
                let contact = self.contact(to, &id, role);
                to.office("contacts.create", contact)?;
            }
        }
        for kind in ["billing", "mailing"] {
            if to.dice.chance(25) {
                self.further_location(to, &id, kind)?;
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
        let field = |name: &str, value: Value| (name.to_owned(), value);
        let mut fields = Map::from_iter([
            field("first_name", json!(person.map(|person| person.first_name))),
            field("last_name", json!(person.map(|person| person.last_name))),
        ]);
        if to.dice.chance(90) {
            fields.insert("phone".to_owned(), self.phone(to));
        }
        if to.dice.chance(80) {
            let email = person.map(|person| format!("{}@example.com", person.email_local));
            fields.insert("email".to_owned(), json!(email));
        }
        fields
    }

    fn contact(&mut self, to: &Builder<'_, '_>, customer: &Value, role: &'static str) -> Value {
        let mut contact = self.person(to);
        contact.insert("customer_id".to_owned(), customer.clone());
        contact.insert("role".to_owned(), json!(role));
        contact.insert("title".to_owned(), json!(to.dice.text(&self.titles, role)));
        contact.insert("phone_can_sms".to_owned(), json!(to.dice.chance(80)));
        Value::Object(contact)
    }

    /// A telephone number that nobody has, typed in one of the ways in which people type them.
    fn phone(&mut self, to: &Builder<'_, '_>) -> Value {
        let area = AREA_CODES[usize::from(self.phones / 100) % AREA_CODES.len()];
        let line = 100 + self.phones % 100;
        self.phones += 1;
        json!(match to.dice.below(4) {
            0 => format!("({area}) 555-0{line}"),
            1 => format!("{area}-555-0{line}"),
            2 => format!("+1 {area} 555 0{line}"),
            _ => format!("{area}.555.0{line}"),
        })
    }

    fn location(&mut self, to: &Builder<'_, '_>, kind: &'static str) -> Value {
        let Some(address) = self.addresses.pop_front() else { return Value::Null };
        let dice = &to.dice;
        let sometimes = |percent: usize, from: &[Entry], kind: &str| {
            if dice.chance(percent) { dice.text(from, kind) } else { None }
        };
        let location = json!({
            "address_line1": address.street,
            "city": address.city,
            "state": address.state,
            "postal_code": address.zip,
            "latitude": address.place.map(|(latitude, _)| latitude),
            "longitude": address.place.map(|(_, longitude)| longitude),
            "location_type": kind,
            "label": sometimes(40, &self.labels, kind),
            "access_notes": sometimes(45, &self.texts, "access"),
            "parking_notes": sometimes(20, &self.texts, "parking"),
            "service_notes": sometimes(25, &self.texts, "service"),
        });
        self.addresses.push_back(address);
        location
    }

    fn further_location(
        &mut self,
        to: &mut Builder<'_, '_>,
        customer: &Value,
        kind: &'static str,
    ) -> Result<()> {
        let mut location = self.location(to, kind);
        location["customer_id"] = customer.clone();
        to.office("locations.create", location)?;
        Ok(())
    }

    /// Tags by the kind of customer, and by chance.
    fn tag(
        &self,
        to: &mut Builder<'_, '_>,
        customer: &Value,
        company: Option<Entry>,
    ) -> Result<()> {
        let by_kind = company.map(|company| if company.kind == "hoa" { 2 } else { 3 });
        let by_chance = to.dice.chance(45).then(|| to.dice.below(self.tags.len()));
        let mut chosen: Vec<usize> = by_kind.into_iter().chain(by_chance).collect();
        chosen.dedup();
        for tag in chosen.into_iter().filter_map(|at| self.tags.get(at)) {
            to.operate("tags.attach", json!({ "id": tag, "customer_id": customer }))?;
        }
        Ok(())
    }

    /// Marks some customers: important, not to be called, inactive.
    fn mark(&mut self, to: &mut Builder<'_, '_>, customer: &Value) -> Result<()> {
        let change = match to.dice.below(100) {
            0..5 => json!({ "id": customer, "is_vip": true }),
            5..9 => json!({
                "id": customer,
                "do_not_contact": true,
                "do_not_contact_reason": self.reasons.pop_front(),
            }),
            9..13 => json!({ "id": customer, "status": "inactive" }),
            _ => return Ok(()),
        };
        to.office("customers.update", change)?;
        Ok(())
    }

    /// Keeps the ids of a customer's contacts and locations for notes.
    fn remember_parts(&mut self, to: &mut Builder<'_, '_>, customer: &Value) -> Result<()> {
        let mut record = to.office("customers.get", json!({ "id": customer }))?;
        for (list, subject) in
            [("contacts", "customer_contact"), ("locations", "customer_location")]
        {
            for part in record[list].as_array_mut().into_iter().flatten() {
                let id = part["id"].take();
                self.know(subject, &id);
            }
        }
        Ok(())
    }

    fn piece_of_work(&mut self, to: &mut Builder<'_, '_>, customer: &Value) -> Result<()> {
        let Some(work) = to.dice.pick(&self.work).copied() else { return Ok(()) };
        let subject = json!({
            "customer_id": customer,
            "subject_type": work.kind,
            "title": work.title,
            "status": work.status,
        });
        let id = to.operate("subjects.create", subject)?["id"].take();
        self.know(work.kind, &id);
        Ok(())
    }

    /// Writes the next note. One whose kind of subject does not exist yet stands by itself.
    fn note(&mut self, to: &mut Builder<'_, '_>) -> Result<()> {
        let Some(note) = self.notes.pop_front() else { return Ok(()) };
        let subject = self.subjects.get(note.kind).and_then(|ids| to.dice.pick(ids));
        let note = json!({
            "body": note.text,
            "pinned": to.dice.chance(8),
            "subject_type": subject.map(|_| note.kind),
            "subject_id": subject,
        });
        to.anybody("notes.create", note)?;
        Ok(())
    }

    fn know(&mut self, subject: &'static str, id: &Value) {
        self.subjects.entry(subject).or_default().push(id.clone());
    }
}
