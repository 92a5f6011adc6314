//! The rows of pages: a customer's contacts and locations, and notes.

use std::collections::{BTreeSet, HashMap};

use zoop_crm::arguments;
use zoop_crm::business::customers::contacts::Contact;
use zoop_crm::business::customers::locations::Location;
use zoop_crm::business::customers::named::{MAX_RECORDS, NamedRecords};
use zoop_crm::business::notes::{ShownNote, SubjectType};
use zoop_crm::call::access::Role;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::phone;
use zoop_db::Uuid;

use super::file_rows::FileRow;
use super::{links, words};
use crate::web::tenant_context::{Snapshot, TenantContext};

/// A text with the address that it opens.
pub(super) struct Link {
    pub(super) address: String,
    pub(super) text: String,
}

impl Link {
    /// Calls a number; the text is the number as it is written in the country of the business.
    pub(super) fn tel(
        e164: Option<&str>,
        raw: Option<&str>,
        business: &Membership,
    ) -> Option<Self> {
        let e164 = e164?;
        let plan = business.account.country.numbering_plan();
        let raw = raw.unwrap_or(e164);
        let text = phone::written_with_extension(raw, e164, plan);
        Some(Self { address: links::tel(&phone::dialed(raw, e164, plan)), text })
    }

    pub(super) fn mailto(email: Option<String>) -> Option<Self> {
        email.map(|email| Self { address: links::mailto(&email), text: email })
    }

    /// The same list in each of the user's other businesses.
    pub(super) fn others(
        tenant_context: &TenantContext,
        list: impl Fn(&Membership) -> String,
    ) -> Vec<Self> {
        let link = |it: &Membership| Self { address: list(it), text: it.name.clone() };
        tenant_context.others().map(link).collect()
    }
}

pub(super) struct ContactRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) title: Option<String>,
    /// What to contact the person about; empty for general contacts.
    pub(super) role: &'static str,
    pub(super) is_primary: bool,
    pub(super) phone: Option<Link>,
    /// The address of the link that writes a text message to the phone, if it takes them.
    pub(super) text_message: Option<String>,
    pub(super) email: Option<Link>,
}

impl ContactRow {
    pub(super) fn of(contact: Contact, business: &Membership) -> Self {
        Self {
            id: contact.id.uuid(),
            name: contact.name(),
            title: contact.title,
            role: words::contact_role(contact.role),
            is_primary: contact.is_primary,
            phone: Link::tel(contact.phone.as_deref(), contact.phone_raw.as_deref(), business),
            text_message: contact
                .phone
                .as_deref()
                .filter(|_| contact.phone_can_sms)
                .map(links::sms),
            email: Link::mailto(contact.email),
        }
    }
}

pub(super) struct LocationRow {
    pub(super) id: Uuid,
    /// The nickname, or else the first line of the address.
    pub(super) name: String,
    /// Such as "Service address", or "Primary service address".
    pub(super) kind: String,
    pub(super) is_primary: bool,
    pub(super) lines: Vec<String>,
    pub(super) map: String,
    /// What to know about working there: each text with its heading.
    pub(super) advice: Vec<(&'static str, String)>,
}

impl From<Location> for LocationRow {
    fn from(location: Location) -> Self {
        let map = links::map(&location);
        let kind = words::location_type(location.location_type).to_owned();
        let city = format!("{}, {} {}", location.city, location.state, location.postal_code);
        // The name is not said twice.
        let first = location.label.is_some().then(|| location.address_line1.clone());
        let lines = [first, location.address_line2, Some(city)];
        let advice = [
            ("Access", location.access_notes),
            ("Parking", location.parking_notes),
            ("For the crew", location.service_notes),
        ];
        let advice = advice.into_iter().filter_map(|(heading, text)| Some((heading, text?)));
        Self {
            id: location.id.uuid(),
            name: location.label.unwrap_or(location.address_line1),
            kind: if location.is_primary {
                format!("Primary {}", kind.to_lowercase())
            } else {
                kind
            },
            is_primary: location.is_primary,
            lines: lines.into_iter().flatten().collect(),
            map,
            advice: advice.collect(),
        }
    }
}

pub(super) struct NoteRow {
    pub(super) id: Id<kinds::Note>,
    pub(super) author: String,
    pub(super) at: Moment,
    pub(super) body: String,
    pub(super) pinned: bool,
    pub(super) files: Vec<FileRow>,
    /// How many more files the note has.
    pub(super) more_files: usize,
    /// The customer that it is about or that its subject belongs to, unless the page is that customer's.
    pub(super) customer: Option<Link>,
    /// What the note is about, unless it is the customer itself.
    pub(super) subject: Option<Subject>,
    /// Whether the user may pin, edit and archive it.
    pub(super) may_change: bool,
    /// The page that the form for its files leads back to, if the user may add some.
    pub(super) add_files: Option<String>,
    /// The customer whose page the note is on, if it is one: its forms lead back there.
    pub(super) of_customer: Option<Id<kinds::Customer>>,
}

/// What a note is about: the kind of record, and its name if the page shows it.
pub(super) struct Subject {
    pub(super) kind: &'static str,
    pub(super) name: Option<String>,
}

/// The names of what notes are about.
pub(super) type SubjectNames = HashMap<Uuid, String>;

/// The names of what these notes are about, except of customers.
pub(super) fn subject_names(
    snapshot: &mut Snapshot<'_, '_>,
    notes: &[ShownNote],
) -> Result<SubjectNames, Refusal> {
    let is_named = |it: &&ShownNote| it.note.subject_type != Some(SubjectType::Customer);
    let ids = notes.iter().filter(is_named).filter_map(|it| it.note.subject_id);
    let ids: BTreeSet<_> = ids.map(|id| id.to_string()).collect();
    let ids: Vec<_> = ids.into_iter().take(MAX_RECORDS).collect();
    let named = snapshot.query(arguments!(NamedRecords { records: ids }))?;
    Ok(named.into_iter().filter_map(|it| Some((it.id.uuid(), it.name?))).collect())
}

impl NoteRow {
    /// A note on a page of the whole business, which says whom it is about.
    pub(super) fn with_customer(
        shown: ShownNote,
        subjects: &SubjectNames,
        tenant_context: &TenantContext,
    ) -> Self {
        let subject_id = shown.note.subject_id.map(Id::uuid);
        let names = &shown.names;
        let customer = names.customer_id.zip(names.customer_name.clone()).map(|(id, text)| Link {
            address: links::customer(&tenant_context.membership, id),
            text,
        });
        let mut row = Self { customer, ..Self::of(shown, tenant_context, None, &[], &[]) };
        if let Some(subject) = &mut row.subject {
            subject.name = subject_id.and_then(|id| subjects.get(&id).cloned());
        }
        row
    }

    /// Whether the user may change the note: only its author and owners may.
    pub(super) fn may_change(shown: &ShownNote, tenant_context: &TenantContext) -> bool {
        let TenantContext { membership, signed_in, .. } = tenant_context;
        membership.role == Role::Owner || shown.note.created_by == signed_in.user
    }

    /// The note with at most so many of its files, on a page where it cannot be changed.
    pub(super) fn only_shown(mut self, most_files: usize) -> Self {
        self.more_files = self.files.len().saturating_sub(most_files);
        self.files.truncate(most_files);
        self.add_files = None;
        for file in &mut self.files {
            file.remove = None;
        }
        self
    }

    /// A note on the page of this customer, if it is one.
    pub(super) fn of(
        shown: ShownNote,
        tenant_context: &TenantContext,
        customer: Option<Id<kinds::Customer>>,
        contacts: &[ContactRow],
        locations: &[LocationRow],
    ) -> Self {
        let may_change = Self::may_change(&shown, tenant_context);
        let ShownNote { note, names } = shown;
        let business = tenant_context.membership.account.id.to_string();
        let page = customer.map(|id| id.to_string()).unwrap_or_default();
        let may_write =
            may_change && tenant_context.membership.role.scopes().has(Scope::WriteNotes);
        let has_store = tenant_context.context.shared.settings.files.is_some();
        let add_files = (may_write && has_store).then(|| {
            let target = &tenant_context.context.target;
            match customer {
                Some(id) => links::shown_at(&links::customer_path(id), target).to_owned(),
                None => target.clone(),
            }
        });
        let file = |file| {
            if may_write {
                FileRow::removable(file, note.id, &business, &page)
            } else {
                FileRow::of(file)
            }
        };
        let files = note.attachments.into_iter().map(file).collect();
        let subject = note
            .subject_type
            .and_then(|kind| Subject::of(kind, note.subject_id.map(Id::uuid), contacts, locations));
        Self {
            id: note.id,
            author: names.created_by_name.unwrap_or_else(|| "Someone who left".to_owned()),
            at: note.created_at,
            body: note.body,
            pinned: note.pinned,
            files,
            more_files: 0,
            customer: None,
            subject,
            may_change,
            add_files,
            of_customer: customer,
        }
    }
}

impl Subject {
    fn of(
        subject_type: SubjectType,
        id: Option<Uuid>,
        contacts: &[ContactRow],
        locations: &[LocationRow],
    ) -> Option<Self> {
        let (kind, name) = match subject_type {
            SubjectType::Customer => return None,
            SubjectType::CustomerContact => {
                ("contact", contacts.iter().find(|it| Some(it.id) == id).map(|it| &it.name))
            }
            SubjectType::CustomerLocation => {
                ("location", locations.iter().find(|it| Some(it.id) == id).map(|it| &it.name))
            }
            SubjectType::Job => ("job", None),
            SubjectType::Invoice => ("invoice", None),
            SubjectType::Quote => ("quote", None),
            SubjectType::LawnEstimate => ("lawn estimate", None),
        };
        Some(Self { kind, name: name.cloned() })
    }
}
