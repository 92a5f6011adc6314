//! Every form has the fields of its tools, with their limits.

use zoop_crm::business::customers::contacts::tools::CreateContact;
use zoop_crm::business::customers::contacts::tools::update::UpdateContact;
use zoop_crm::business::customers::locations::tools::CreateLocation;
use zoop_crm::business::customers::locations::tools::update::UpdateLocation;
use zoop_crm::business::customers::tools::create::CreateCustomer;
use zoop_crm::business::customers::tools::update::UpdateCustomer;
use zoop_crm::business::notes::tools::update::UpdateNote;
use zoop_crm::call::argument::Input as _;
use zoop_crm::call::tool::Tool;

use super::declaration::{Declaration, Input, Usage};
use super::merge::{self, Merge};
use super::values::Values;
use crate::console::parts::{Contacts, Locations, Part};
use crate::console::{customer_form, note_form};

/// The names and the maximum lengths of a tool's arguments, those of nested objects too.
fn arguments<T: Tool>() -> Vec<(String, Option<u64>)> {
    T::Input::fields()
        .into_iter()
        .flat_map(|field| {
            let maximum = |schema: &serde_json::Value| schema["maxLength"].as_u64();
            match field.schema["properties"].as_object() {
                Some(inner) => inner
                    .iter()
                    .map(|(name, schema)| (format!("{}.{name}", field.name), maximum(schema)))
                    .collect(),
                None => vec![(field.name.to_owned(), maximum(&field.schema))],
            }
        })
        .collect()
}

/// The form has these arguments of the tool, and leaves out only `others`.
fn assert_agrees<T: Tool>(declaration: &Declaration, usage: Usage, others: &[&str]) {
    let arguments = arguments::<T>();
    let placed = declaration.placed(usage);
    for field in &placed {
        let argument = arguments.iter().find(|(name, _)| *name == field.path);
        let (_, tools) = argument.unwrap_or_else(|| panic!("{} has no {}", T::NAME, field.path));
        if let Input::Line(max) | Input::Text(max) = field.field.input
            && let Some(tools) = tools
        {
            assert_eq!(max as u64, *tools, "{}: {}", T::NAME, field.path);
        }
    }
    let left_out = arguments.iter().map(|(name, _)| name.as_str());
    let left_out = left_out.filter(|name| placed.iter().all(|field| field.path != *name));
    assert_eq!(left_out.collect::<Vec<_>>(), others, "{}", T::NAME);
}

#[test]
fn every_form_has_the_fields_of_its_tools() {
    // Tags are attached on the customer's page, a first location is primary anyway, and the form itself asks about who is
    // similar.
    let others = ["tags", "location.is_primary", "if_duplicate"];
    assert_agrees::<CreateCustomer>(&customer_form::FORM, Usage::New, &others);
    assert_agrees::<UpdateCustomer>(&customer_form::FORM, Usage::Edit, &["id"]);
    assert_agrees::<CreateContact>(Contacts::FORM, Usage::New, &["customer_id"]);
    assert_agrees::<UpdateContact>(Contacts::FORM, Usage::Edit, &["id", "customer_id"]);
    assert_agrees::<CreateLocation>(Locations::FORM, Usage::New, &["customer_id"]);
    assert_agrees::<UpdateLocation>(Locations::FORM, Usage::Edit, &["id", "customer_id"]);
    let others = ["id", "pinned", "subject_type", "subject_id", "draft"];
    assert_agrees::<UpdateNote>(&note_form::FORM, Usage::Edit, &others);
}

/// What a form that began with `old` asks for, if `typed` was sent and the record is `stored` by now: the fields that
/// are sent to the tool, those that somebody else changed, and the value of the first name.
fn merged(old: &Values, typed: &Values, stored: &Values) -> (Vec<String>, Vec<String>, String) {
    let seen = merge::digests(Contacts::FORM, old);
    let merge = Merge::of(Contacts::FORM, &seen, typed, stored);
    let changed = merge.changed.iter().map(|it| it.path.clone()).collect();
    (changed, merge.news, merge.values.get("first_name").to_owned())
}

#[test]
fn a_field_is_only_overwritten_knowingly() {
    let record =
        |first: &str, phone: &str| Values::default().with("first_name", first).with("phone", phone);
    let old = record("Ann", "1");
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    for (typed, stored, changed, news, first) in [
        (record("Ann", "1"), record("Ann", "1"), &[][..], &[][..], "Ann"),
        (record(" Ann ", "1\r\n"), record("Ann", "1"), &[], &[], "Ann"),
        (record("Bea", "1"), record("Ann", "1"), &["first_name"], &[], "Bea"),
        // Somebody else changed another field: it is shown, and not overwritten.
        (record("Bea", "1"), record("Ann", "2"), &["first_name"], &["phone"], "Bea"),
        // Somebody else changed the same field.
        (record("Bea", "1"), record("Cy", "1"), &["first_name"], &["first_name"], "Bea"),
        // Somebody else changed it to the same, or this form was sent twice.
        (record("Bea", "1"), record("Bea", "1"), &[], &[], "Bea"),
        (record("Ann", "1"), record("Cy", "1"), &[], &["first_name"], "Cy"),
    ] {
        let expected = (names(changed), names(news), first.to_owned());
        assert_eq!(merged(&old, &typed, &stored), expected, "{typed:?} {stored:?}");
    }
}

#[test]
fn latitude_and_longitude_are_sent_together() {
    let at =
        |latitude: &str| Values::default().with("latitude", latitude).with("longitude", "-122.2");
    let seen = merge::digests(Locations::FORM, &at("37.8"));
    let changed = |typed: &str| {
        let merge = Merge::of(Locations::FORM, &seen, &at(typed), &at("37.8"));
        merge.changed.iter().map(|it| it.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(changed("37.9"), ["latitude", "longitude"]);
    assert_eq!(changed("37.80"), [""; 0]);
}
