//! Customers that a new one may be the same as: with the same phone or e-mail address, or nearly the same name.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::SearchRow;
use zoop_crm::business::customers::index::is_near_name;
use zoop_crm::business::customers::tools::search::SearchCustomers;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::values::phone;

use super::customers::number_of;
use super::{found, links, no_rows};
use crate::app::App;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::{Snapshot, TenantContext};

/// How many customers are shown.
const MAX_SHOWN: usize = 5;
/// A shorter number is one that is still being typed: as a part of a number, too many customers have it.
const MIN_DIGITS: usize = 7;
/// How many customers each search finds.
const MAX_FOUND: u32 = 10;

/// The part of a page with possible duplicates, by itself.
#[derive(Template)]
#[template(path = "_similar.html")]
struct Fragment {
    similar: Vec<SimilarRow>,
}

/// What two customers can have in common. Empty texts are not compared.
pub(super) struct Likeness {
    name: String,
    phone: String,
    email: String,
}

impl Likeness {
    /// `value` returns the value of a field of the form for a new customer.
    pub(super) fn of<'v>(value: impl Fn(&str) -> &'v str) -> Self {
        let name = if value("customer_type") == "company" {
            value("company_name").to_owned()
        } else {
            format!("{} {}", value("first_name"), value("last_name"))
        };
        let [phone, email] = ["phone", "email"].map(|it| value(it).trim());
        let digits = phone.chars().filter(char::is_ascii_digit).count();
        let phone = if digits < MIN_DIGITS { "" } else { phone };
        Self { name: name.trim().to_owned(), phone: phone.to_owned(), email: email.to_owned() }
    }
}

/// A customer that may be the same.
pub(super) struct Similar {
    pub(super) id: String,
    row: SearchRow,
    why: &'static str,
}

/// The same, as a page shows it.
pub(super) struct SimilarRow {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) name: String,
    pub(super) number: String,
    pub(super) phone: Option<String>,
    pub(super) place: Option<String>,
    pub(super) why: &'static str,
}

/// `GET /customers/similar`: only the part of the page, for a form that is being filled in.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let query = &tenant_context.context.query;
        let likeness = Likeness::of(|name| query.text(name));
        let found = tenant_context.read(move |snapshot| find(snapshot, &likeness));
        let found = found.await?.map_err(|error| page::failed(&error))?;
        let similar = found.into_iter().map(|row| row.shown(&tenant_context)).collect();
        Ok(page::page(StatusCode::OK, &Fragment { similar }))
    };
    either(answer.await)
}

/// The customers that may be the same, as the search finds them: those with the same phone first.
pub(super) fn find(
    snapshot: &mut Snapshot<'_, '_>,
    Likeness { name, phone, email }: &Likeness,
) -> Result<Vec<Similar>, Refusal> {
    let mut similar: Vec<Similar> = Vec::new();
    let mut add = |why, rows: Vec<SearchRow>| {
        for row in rows {
            let id = row.id.to_string();
            if similar.len() < MAX_SHOWN && similar.iter().all(|known| known.id != id) {
                similar.push(Similar { id, row, why });
            }
        }
    };
    add("Same phone", rows(snapshot, phone, arguments!(SearchCustomers { q: phone }))?);
    add("Same e-mail", rows(snapshot, email, arguments!(SearchCustomers { email: email }))?);
    let mut named = rows(snapshot, name, arguments!(SearchCustomers { q: name }))?;
    named.retain(|row| is_near_name(name, &row.display_name));
    let is_same = |row: &SearchRow| row.display_name.to_lowercase() == name.to_lowercase();
    let (same, similar_names) = named.into_iter().partition(is_same);
    add("Same name", same);
    add("Similar name", similar_names);
    Ok(similar)
}

fn rows(
    snapshot: &mut Snapshot<'_, '_>,
    text: &str,
    arguments: Arguments<SearchCustomers>,
) -> Result<Vec<SearchRow>, Refusal> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // A text for which one cannot search has nothing in common with anything.
    let page = found(snapshot.list(arguments.page(None, MAX_FOUND)))?.unwrap_or_else(|_| no_rows());
    Ok(page.rows)
}

impl Similar {
    pub(super) fn shown(self, tenant_context: &TenantContext) -> SimilarRow {
        let business = &tenant_context.membership;
        let plan = business.account.country.numbering_plan();
        let Self { id, row, why } = self;
        // The number that is the same may be another one of the customer's.
        let matched = row.matched.iter().flatten().find_map(|it| it.phone.as_ref());
        let other = matched.filter(|it| row.primary_phone.as_ref() != Some(it));
        let number = other.map(|it| phone::written(it, plan)).or_else(|| number_of(&row, plan));
        SimilarRow {
            id,
            address: links::customer(business, row.id),
            name: row.display_name,
            number: row.customer_number.to_string(),
            phone: number,
            place: row.location,
            why,
        }
    }
}
