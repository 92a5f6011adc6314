//! Merging two records of one customer: the page that shows the result before anything is done, and its form.
//!
//! A choice between two values is a field of the page's address, so the result of any choice is a page of its own, and
//! the form does exactly what its page shows.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::merge::preview::PreviewMerge;
use zoop_crm::business::customers::merge::{MergeCustomers, MergedCustomers, TakenField};
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::customers::{CustomerRecord, Status};
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::phone;

use super::{Fault, customer, id_in_path, labels, links, messages, require, words};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The position of the other customer's id in the path.
const OTHER: usize = 4;
/// The value of a choice for the other customer's value.
const OTHERS: &str = "other";

#[derive(Template)]
#[template(path = "merge.html")]
struct MergePage<'a> {
    frame: Frame,
    business: &'a Membership,
    kept: &'a CustomerRecord,
    other: &'a CustomerRecord,
    /// The path of this page and of its form.
    path: String,
    /// The path of the page that keeps the other customer.
    reverse: String,
    /// The kept customer's page.
    back: String,
    choices: Vec<Choice>,
    /// The kept customer's fields as they would be.
    result: Vec<(String, String)>,
    /// What moves, in words.
    moves: Vec<String>,
    /// The other customer's values that are only in its history then.
    lost: Vec<(String, String)>,
    plan: &'a str,
    fault: &'a str,
}

/// A field of which the two customers have different values.
struct Choice {
    name: &'static str,
    label: String,
    kept: String,
    other: String,
    takes_other: bool,
}

/// `GET /customers/{customer}/merge/{other}`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        require(&tenant_context, Scope::WriteCustomers)?;
        render(&tenant_context, &tenant_context.context.query, StatusCode::OK, "").await
    };
    either(answer.await)
}

/// `POST /customers/{customer}/merge/{other}`
pub(super) async fn merge(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Customers).await?;
        let (keep, other) = pair(&tenant_context)?;
        let taken = taken(|field| form.text(field.word()) == OTHERS);
        let arguments = arguments!(MergeCustomers {
            keep_id: keep,
            merge_id: other,
            take: taken,
            plan: form.text("plan")
        });
        match tenant_context.command(arguments).await? {
            Ok(_) => {
                Ok(page::go_to(&links::customer_after(&tenant_context, keep, messages::MERGED)))
            }
            Err(error) => {
                let fault = Fault::of(error)?;
                render(&tenant_context, &form, fault.status, &fault.text).await
            }
        }
    };
    either(answer.await)
}

/// The two customers that the path names.
fn pair(
    tenant_context: &TenantContext,
) -> Result<(Id<kinds::Customer>, Id<kinds::Customer>), Response> {
    Ok((customer::id(&tenant_context.context)?, id_in_path(tenant_context, OTHER)?))
}

/// The names of the fields for which the other customer's value is chosen.
fn taken(is_taken: impl Fn(TakenField) -> bool) -> Vec<String> {
    let fields = TakenField::ALL.iter().filter(|field| is_taken(**field));
    fields.map(|field| field.word().to_owned()).collect()
}

async fn render(
    tenant_context: &TenantContext,
    chosen: &Form,
    status: StatusCode,
    fault: &str,
) -> Result<Response, Response> {
    let business = &tenant_context.membership;
    let (keep, other) = pair(tenant_context)?;
    let read = tenant_context.read(move |snapshot| {
        let kept = snapshot.query(arguments!(GetCustomer { id: keep }))?.customer;
        Ok((kept, snapshot.query(arguments!(GetCustomer { id: other }))?.customer))
    });
    let (kept, other) = read.await?.map_err(|error| page::failed(&error))?;
    // One of them was merged into the other, or into a third one.
    if kept.id == other.id || kept.id != keep {
        return Ok(page::go_to(&links::customer(business, kept.id)));
    }
    let choices: Vec<_> =
        TakenField::ALL.iter().filter_map(|it| choice(*it, &kept, &other, chosen)).collect();
    let taken = taken(|field| choices.iter().any(|it| it.takes_other && it.name == field.word()));
    let (keep_id, merge_id) = (kept.id, other.id);
    let asked = arguments!(PreviewMerge { keep_id: keep_id, merge_id: merge_id, take: taken });
    let preview = tenant_context.read(move |snapshot| snapshot.query(asked)).await?;
    let (shown, fault) = match preview {
        Ok(shown) => (Some(shown), fault.to_owned()),
        Err(error) => (None, Fault::of(error)?.text),
    };
    let path = |kept, other| format!("{}/merge/{other}", links::customer_path(kept));
    let template = MergePage {
        frame: Frame::within(tenant_context),
        business,
        path: path(kept.id, other.id),
        reverse: path(other.id, kept.id),
        back: links::customer(business, kept.id),
        choices,
        result: shown.iter().flat_map(|shown| result(&shown.customer, business)).collect(),
        moves: shown.iter().flat_map(moves).collect(),
        lost: shown.iter().flat_map(lost).collect(),
        plan: shown.as_ref().and_then(|shown| shown.plan.as_deref()).unwrap_or_default(),
        fault: &fault,
        kept: &kept,
        other: &other,
    };
    Ok(page::page(status, &template))
}

/// The choice between two values of a field. `None` if there is only one.
fn choice(
    field: TakenField,
    kept: &CustomerRecord,
    other: &CustomerRecord,
    chosen: &Form,
) -> Option<Choice> {
    let (own, others) = (value(field, kept)?, value(field, other)?);
    // A mark that only the other one has is kept in any case.
    let is_mark = matches!(field, TakenField::IsVip | TakenField::DoNotContact);
    if own == others || (is_mark && own == NO) {
        return None;
    }
    let kept = match field {
        TakenField::NotesInternal => "Both, one after the other".to_owned(),
        _ => own,
    };
    let name = field.word();
    let label = label(field)?;
    let takes_other = chosen.text(name) == OTHERS;
    Some(Choice { name, label, kept, other: others, takes_other })
}

/// The label of the field in the customer's form.
fn label(field: TakenField) -> Option<String> {
    let stored = if field == TakenField::Phone { "phone_raw" } else { field.word() };
    labels::field("customer", stored)
}

const YES: &str = "Yes";
const NO: &str = "No";

/// A field in words. `None` if it is empty, or if there is nothing to choose.
fn value(field: TakenField, customer: &CustomerRecord) -> Option<String> {
    let yes_or_no = |is_set: bool| Some(if is_set { YES } else { NO }.to_owned());
    match field {
        TakenField::FirstName => customer.first_name.clone(),
        TakenField::LastName => customer.last_name.clone(),
        TakenField::CompanyName => customer.company_name.clone(),
        TakenField::Status => match customer.status {
            Status::Archived => None,
            status => Some(words::status(status).to_owned()),
        },
        TakenField::Phone => customer.own_phone_raw.clone(),
        TakenField::Email => customer.own_email.clone(),
        TakenField::NotesInternal => customer.notes_internal.clone(),
        TakenField::IsVip => yes_or_no(customer.is_vip),
        TakenField::DoNotContact => yes_or_no(customer.do_not_contact),
        TakenField::DoNotContactReason => customer.do_not_contact_reason.clone(),
        TakenField::Source => customer.source.clone(),
        TakenField::ExternalId => customer.external_id.clone(),
    }
}

/// The fields of the customer after the merge that are not empty.
fn result(customer: &CustomerRecord, business: &Membership) -> Vec<(String, String)> {
    let plan = business.account.country.numbering_plan();
    let written = |field: TakenField| {
        let value = match field {
            TakenField::Phone => {
                customer.primary_phone_raw.as_ref().map(|raw| phone::rewritten(raw, plan))
            }
            TakenField::Email => customer.primary_email.clone(),
            TakenField::IsVip | TakenField::DoNotContact => {
                value(field, customer).filter(|value| value == YES)
            }
            TakenField::FirstName | TakenField::LastName | TakenField::CompanyName => None,
            _ => value(field, customer),
        };
        Some((label(field)?, value?))
    };
    let mut rows = vec![("Name".to_owned(), customer.display_name.clone())];
    rows.extend(TakenField::ALL.iter().filter_map(|field| written(*field)));
    if !customer.tags.is_empty() {
        let tags: Vec<_> = customer.tags.iter().map(|tag| tag.name.as_str()).collect();
        rows.push(("Tags".to_owned(), tags.join(", ")));
    }
    rows
}

/// What the kept customer gets, and what it has already.
fn moves(shown: &MergedCustomers) -> Vec<String> {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let (moved, dropped) = (&shown.moved, &shown.dropped);
    let gets: Vec<_> = [
        count(moved.contacts.len(), "contact", "contacts"),
        count(moved.locations.len(), "location", "locations"),
        count(moved.notes.unwrap_or_default(), "note", "notes"),
        count(moved.subjects, "job, quote or invoice", "jobs, quotes and invoices"),
        count(moved.tags.len(), "tag", "tags"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let has: Vec<_> = [
        count(dropped.contacts.len(), "contact", "contacts"),
        count(dropped.locations.len(), "location", "locations"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut lines = Vec::new();
    if !gets.is_empty() {
        lines.push(format!("It gets {}.", gets.join(", ")));
    }
    if !has.is_empty() {
        lines.push(format!("It has {} already, which do not move.", has.join(" and ")));
    }
    lines
}

/// The values that are lost, with their labels.
fn lost(shown: &MergedCustomers) -> Vec<(String, String)> {
    let labelled = shown.not_kept.iter().map(|lost| {
        let label = match lost.field {
            TakenField::FirstName | TakenField::CompanyName => Some("Name".to_owned()),
            field => label(field),
        };
        (label.unwrap_or_default(), lost.value.clone())
    });
    labelled.collect()
}
