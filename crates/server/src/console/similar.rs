//! Customers that a new one may be the same as, as `customers.find_duplicates` finds them.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::business::customers::duplicates::Likeness;
use zoop_crm::business::customers::duplicates::find_duplicates::{DuplicateRow, FindDuplicates};
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::{Error, FieldProblem};

use super::customers::number_of;
use super::evidence::Why;
use super::links;
use crate::app::App;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::{Snapshot, TenantContext};

/// How many customers are shown.
const MAX_SHOWN: u32 = 5;

/// A field of the tool, and the fields of the form that it is read from: the first one that is filled.
type Source = (&'static str, &'static [&'static str]);

const INDIVIDUAL: &[Source] = &[
    ("first_name", &["first_name"]),
    ("last_name", &["last_name"]),
    ("phone", &["phone"]),
    ("email", &["email"]),
];
const COMPANY: &[Source] = &[
    ("company_name", &["company_name"]),
    ("first_name", &["primary_contact.first_name"]),
    ("last_name", &["primary_contact.last_name"]),
    ("phone", &["phone", "primary_contact.phone"]),
    ("email", &["email", "primary_contact.email"]),
];
const ADDRESS: &[Source] = &[
    ("address_line1", &["location.address_line1"]),
    ("address_line2", &["location.address_line2"]),
    ("city", &["location.city"]),
    ("postal_code", &["location.postal_code"]),
];

/// The fields of the form that are compared.
pub(super) fn compared() -> BTreeSet<&'static str> {
    [INDIVIDUAL, COMPANY, ADDRESS]
        .concat()
        .iter()
        .flat_map(|(_, sources)| *sources)
        .copied()
        .collect()
}

/// The part of a page with possible duplicates, by itself.
#[derive(Template)]
#[template(path = "_similar.html")]
struct Fragment {
    similar: Vec<SimilarRow>,
}

/// What the form for a new customer says so far, in the fields of the tool.
pub(super) struct Proposed(Vec<(&'static str, String)>);

impl Proposed {
    /// `value` returns the value of a field of the form.
    pub(super) fn of<'v>(value: impl Fn(&str) -> &'v str) -> Self {
        let who = if value("customer_type") == "company" { COMPANY } else { INDIVIDUAL };
        let fields = who.iter().chain(ADDRESS).filter_map(|(name, sources)| {
            let text = sources.iter().map(|source| value(source).trim());
            let text = text.into_iter().find(|text| !text.is_empty())?;
            Some((*name, text.to_owned()))
        });
        Self(fields.collect())
    }

    fn arguments(&self) -> Arguments<FindDuplicates> {
        let none = Arguments::none();
        self.0.iter().fold(none, |arguments, (name, text)| arguments.with(name, text.as_str()))
    }

    /// The fields that have none of these problems.
    fn without(&self, problems: &[FieldProblem]) -> Self {
        let is_valid = |name: &str| problems.iter().all(|problem| problem.field != name);
        Self(self.0.iter().filter(|(name, _)| is_valid(name)).cloned().collect())
    }
}

/// A customer that may be the same, as a page shows it.
pub(super) struct SimilarRow {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) why: Vec<Why>,
    /// Its phone and place, unless they are the same.
    pub(super) phone: Option<String>,
    pub(super) place: Option<String>,
}

/// `GET /customers/similar`: only the part of the page, for a form that is being filled in.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let query = &tenant_context.context.query;
        let proposed = Proposed::of(|name| query.text(name));
        let found = tenant_context.read(move |snapshot| find(snapshot, &proposed));
        let found = found.await?.map_err(|error| page::failed(&error))?;
        let similar = found.iter().map(|row| SimilarRow::of(row, &tenant_context)).collect();
        Ok(page::page(StatusCode::OK, &Fragment { similar }))
    };
    either(answer.await)
}

/// The customers that may be the same, the likeliest first. What is not valid, such as a number that is still being
/// typed, is not compared.
pub(super) fn find(
    snapshot: &mut Snapshot<'_, '_>,
    proposed: &Proposed,
) -> Result<Vec<DuplicateRow>, Refusal> {
    match list(snapshot, proposed) {
        Err(Refusal::Failed(Error::InvalidInput { fields, .. })) => {
            list(snapshot, &proposed.without(&fields))
        }
        found => found,
    }
}

fn list(
    snapshot: &mut Snapshot<'_, '_>,
    proposed: &Proposed,
) -> Result<Vec<DuplicateRow>, Refusal> {
    // Without fields, the tool lists pairs of the whole account.
    if proposed.0.is_empty() {
        return Ok(Vec::new());
    }
    Ok(snapshot.list(proposed.arguments().page(None, MAX_SHOWN))?.rows)
}

impl SimilarRow {
    pub(super) fn of(row: &DuplicateRow, tenant_context: &TenantContext) -> Self {
        let business = &tenant_context.membership;
        let plan = business.account.country.numbering_plan();
        let has = |all: &[Likeness]| row.evidence.iter().any(|it| all.contains(&it.same));
        let is_there = has(&[Likeness::Address, Likeness::SimilarAddress]);
        let customer = &row.customer;
        Self {
            id: customer.id.to_string(),
            address: links::customer(business, customer.id),
            name: customer.display_name.clone(),
            number: customer.customer_number.to_string(),
            why: Why::all(row, plan),
            phone: number_of(customer, plan).filter(|_| !has(&[Likeness::Phone])),
            place: customer.location.clone().filter(|_| !is_there),
        }
    }
}
