//! `contacts.vcf`: the people to call or write to as vCard 4.0 (RFC 6350), for address books.
//!
//! There is a card for each contact of each customer, unless one of the two is archived. Its address is that of the
//! customer's primary service location. The primary contact's card also has the customer's own phone and e-mail address.

use calcard::vcard::{
    VCard, VCardEntry, VCardKind, VCardParameter, VCardProperty, VCardType, VCardValue,
    VCardVersion,
};
use zoop_db::{ReadTx, Row, Uuid, params, text};

use super::PAGE;
use super::writer::Writer;
use crate::business::customers::contacts::{Contact, Origin};
use crate::business::customers::{self, CustomerNumber};
use crate::call::error::{Error, Result};
use crate::call::table::Record;

const FILE: &str = "contacts.vcf";

const CONTACT: &str = zoop_db::drafted!(Contact::COLUMNS.selected("x."));

zoop_db::statements! {
    CONTACTS = (text!("SELECT ", CONTACT, ", c.customer_number, c.first_name, c.last_name, c.company_name, \
                c.company_name, c.phone, c.email, l.address_line2, l.address_line1, l.city, l.state, l.postal_code, \
                l.country, c.do_not_contact FROM contacts x CROSS JOIN customers c LEFT JOIN locations l ON l.tenant_no = $1 \
                AND l.customer_id = c.id AND l.location_type = 'service' AND l.is_primary \
                WHERE x.tenant_no = $1 AND (x.customer_id, x.id) > ($2, $3) AND x.archived_at IS NULL \
                AND c.tenant_no = $1 AND c.id = x.customer_id AND c.archived_at IS NULL \
                ORDER BY x.customer_id, x.id LIMIT $4"));
}

/// What a card has.
struct Card {
    contact: Contact,
    number: CustomerNumber,
    customer: String,
    company: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// Unit, street, city, state, postal code and country.
    address: [Option<String>; 6],
    do_not_contact: bool,
}

/// Writes the cards.
pub(super) fn write(tx: &mut ReadTx<'_>, writer: &mut Writer<'_>) -> Result<()> {
    let (mut customer, mut id) = (Uuid::nil(), Uuid::nil());
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    writer.cards(FILE, || {
        let page = tx.all::<_, Error>(CONTACTS, params![customer, id, limit], Card::read)?;
        if let Some(Card { contact, .. }) = page.last() {
            (customer, id) = (contact.customer_id.uuid(), contact.id.uuid());
        }
        Ok(page.iter().map(Card::text).collect())
    })
}

impl Card {
    fn read(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            contact: Contact::read(row)?,
            number: row.take()?,
            customer: customers::store::name(row)?,
            company: row.take()?,
            phone: row.take()?,
            email: row.take()?,
            address: [row.take()?, row.take()?, row.take()?, row.take()?, row.take()?, row.take()?],
            do_not_contact: row.take()?,
        })
    }

    /// The card's text.
    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = VCard { entries: self.entries() }.write_to(&mut text, VCardVersion::V4_0);
        text
    }

    fn entries(&self) -> Vec<VCardEntry> {
        let Self { contact, number, customer, company, .. } = self;
        let is_placeholder = contact.origin == Origin::Placeholder;
        let (name, kind) = if is_placeholder {
            (customer.clone(), VCardKind::Org)
        } else {
            (contact.name(), VCardKind::Individual)
        };
        let mut entries = vec![
            VCardEntry::new(VCardProperty::Kind).with_value(kind),
            entry(VCardProperty::Uid, &format!("urn:uuid:{}", contact.id)),
            entry(VCardProperty::Fn, &name),
        ];
        if !is_placeholder {
            let last = contact.last_name.as_deref().unwrap_or_default();
            entries.push(structured(VCardProperty::N, [last, &contact.first_name, "", "", ""]));
        }
        entries.extend(company.as_deref().map(|name| entry(VCardProperty::Org, name)));
        entries.extend(contact.title.as_deref().map(|title| entry(VCardProperty::Title, title)));
        let [phone, email] =
            [&self.phone, &self.email].map(|value| value.as_ref().filter(|_| contact.is_primary));
        entries.extend(both(contact.phone.as_ref(), phone).map(|phone| {
            let kind = if contact.phone_can_sms { VCardType::Text } else { VCardType::Voice };
            entry(VCardProperty::Tel, phone).with_param(VCardParameter::typ(kind))
        }));
        let addresses = both(contact.email.as_ref(), email);
        entries.extend(addresses.map(|address| entry(VCardProperty::Email, address)));
        if self.address.iter().any(Option::is_some) {
            let parts = self.address.each_ref().map(|part| part.as_deref().unwrap_or_default());
            let [unit, street, city, state, postal_code, country] = parts;
            let parts = ["", unit, street, city, state, postal_code, country];
            entries.push(structured(VCardProperty::Adr, parts));
        }
        let mark = if self.do_not_contact { ": do not contact" } else { "" };
        entries.push(entry(VCardProperty::Note, &format!("Customer {number}{mark}")));
        entries
    }
}

/// The contact's own value, and the customer's if it is another one.
fn both<'c>(
    own: Option<&'c String>,
    customers: Option<&'c String>,
) -> impl Iterator<Item = &'c String> {
    let other = customers.filter(|other| Some(*other) != own);
    own.into_iter().chain(other)
}

fn entry(property: VCardProperty, text: &str) -> VCardEntry {
    VCardEntry::new(property).with_value(text.to_owned())
}

fn structured<const N: usize>(property: VCardProperty, parts: [&str; N]) -> VCardEntry {
    let parts = parts.map(|part| VCardValue::Text(part.to_owned()));
    VCardEntry::new(property).with_values(parts.into())
}
