//! The model of the search: scans every name and phone of every customer.

use serde_json::{Value, json};

use super::arguments::Object;
use super::pools;
use super::state::{Customer, Tenant};
use zoop_crm::values::fold;

impl Tenant {
    /// The rows that a search finds: whole matches first, then partial matches, each newest first.
    pub(super) fn search(&self, filters: &Object) -> Vec<Value> {
        let passes_filters = |customer: &&Customer| {
            let is = |field: &str, value: &str| {
                filters.get(field).is_none_or(|wanted| *wanted == *value)
            };
            let status = match filters.get("status") {
                None => !customer.is_archived(),
                Some(status) => *status == *customer.visible_status(),
            };
            let tag = filters
                .get("tag")
                .is_none_or(|tag| customer.tags.contains(tag.as_str().expect("an id")));
            let email = filters.get("email").is_none_or(|email| {
                let email = email.as_str().expect("an address").to_lowercase();
                let contacts = customer.active_contacts();
                let all = contacts.iter().map(|contact| &contact.shown["email"]);
                let mut all = all.chain([&customer.own["primary_email"]]);
                all.any(|own| own.as_str().is_some_and(|own| own.to_lowercase() == email))
            });
            status
                && tag
                && email
                && filters.get("external_id").is_none_or(|id| *id == customer.own["external_id"])
                && is("type", customer.own["customer_type"].as_str().expect("a type"))
                && is(
                    "customer_number",
                    customer.own["customer_number"].as_str().expect("a number"),
                )
        };
        let found = || self.customers.iter().rev().filter(passes_filters);
        let Some(q) = filters.get("q") else { return found().map(row).collect() };
        let q = q.as_str().expect("a string");
        let whole = found().filter(|customer| matches(customer, q, true));
        let rest =
            found().filter(|customer| matches(customer, q, false) && !matches(customer, q, true));
        whole.chain(rest).map(row).collect()
    }
}

/// A customer's row in a search result.
fn row(customer: &Customer) -> Value {
    json!({
        "id": customer.id(), "display_name": customer.display_name(),
        "customer_type": customer.own["customer_type"], "status": customer.visible_status(),
        "primary_phone": customer.primary("primary_phone", "phone"),
        "primary_email": customer.primary("primary_email", "email"),
    })
}

/// Whether a customer matches every word of a query. If `whole`, a stored word must equal it, otherwise contain it.
fn matches(customer: &Customer, q: &str, whole: bool) -> bool {
    let contacts = customer.active_contacts();
    let names = contacts.iter().map(|contact| contact.name()).chain([customer.display_name()]);
    let words: Vec<_> = names.flat_map(|name| fold::words(&name)).map(|word| word.text).collect();
    let typed = contacts.iter().map(|contact| &contact.shown["phone_raw"]);
    let typed: Vec<_> = typed.chain([&customer.own["primary_phone_raw"]]).collect();
    let phones = pools::PHONES.iter().filter(|phone| typed.iter().any(|raw| **raw == *phone.typed));
    let phones: Vec<_> = phones.flat_map(|phone| phone.forms).copied().collect();
    let occurs = |stored: &str, wanted: &str| {
        if whole { stored == wanted } else { stored.contains(wanted) }
    };
    let in_phones = |digits: &str| phones.iter().any(|phone| occurs(phone, digits));
    let each_word = fold::words(q).iter().all(|word| {
        let is_number = word.text.bytes().all(|byte| byte.is_ascii_digit());
        words.iter().any(|stored| occurs(stored, &word.text))
            || (is_number && word.text.len() >= 3 && in_phones(&word.text))
    });
    each_word || as_phone(q).iter().any(|digits| in_phones(digits))
}

/// The digits of a query that may be a phone: as typed, without a trunk zero in parentheses, and international.
fn as_phone(q: &str) -> Vec<String> {
    if !q.chars().all(|it| it.is_ascii_digit() || "+-./() ".contains(it)) {
        return Vec::new();
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let mut forms = vec![digits(q), digits(&q.replace("(0)", ""))];
    let known = pools::PHONES.iter().filter(|phone| digits(phone.typed) == digits(q));
    forms.extend(known.map(|phone| digits(phone.e164)));
    forms
}
