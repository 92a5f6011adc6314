//! Customers that may be the same: the likely pairs of a business, or those of one customer, side by side, to merge them or
//! to say that they are different.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::SearchRow;
use zoop_crm::business::customers::duplicates::Likeness;
use zoop_crm::business::customers::duplicates::different::MarkDifferent;
use zoop_crm::business::customers::duplicates::find_duplicates::{DuplicateRow, FindDuplicates};
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::customers::tools::search::SearchCustomers;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::customers::number_of;
use super::evidence::Why;
use super::rows::Link;
use super::{Fault, links, require};
use crate::app::App;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::{Snapshot, TenantContext};

const PATH: &str = "/duplicates";
/// How many pairs a page shows.
const PAIRS: u32 = 10;
/// How many pages of the tool are read for one page: those of a business with few duplicates are mostly empty.
const MAX_READ: usize = 4;

#[derive(Template)]
#[template(path = "duplicates.html")]
struct DuplicatesPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    /// The customer whose duplicates are shown.
    customer: Option<Side>,
    pairs: Vec<Pair>,
    /// Where this page begins.
    after: &'a str,
    /// The page with the next pairs, if there may be any.
    more: Option<String>,
    /// Two customers that were just marked as different.
    marked: Option<(String, String)>,
}

/// Two customers that may be the same.
struct Pair {
    /// The older one, which the page of the merge keeps at first.
    older: Side,
    newer: Side,
    why: Vec<Why>,
    /// The page that shows their merge.
    merge: String,
}

/// A customer of a pair.
struct Side {
    id: Id<kinds::Customer>,
    address: String,
    name: String,
    number: String,
    lines: Vec<Line>,
    is_vip: bool,
    do_not_contact: bool,
}

/// A phone number, an e-mail address or a place.
struct Line {
    text: String,
    /// Whether the other customer has another one.
    differs: bool,
}

/// What the tools say.
struct Read {
    customer: Option<SearchRow>,
    rows: Vec<DuplicateRow>,
    next: Option<String>,
}

/// `GET /duplicates`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        require(&tenant_context, Scope::WriteCustomers)?;
        let query = &tenant_context.context.query;
        let marked = query.get("different").zip(query.get("from"));
        let marked = marked.map(|(one, other)| (one.to_owned(), other.to_owned()));
        let of = query.get("customer").map(|id| Id::parse(id).ok_or_else(page::not_found));
        let (of, after) = (of.transpose()?, query.get("after").map(str::to_owned));
        let read = tenant_context.read(move |snapshot| read(snapshot, of, after)).await?;
        let read = read.map_err(|error| page::failed(&error))?;
        let Read { customer, rows, next } = read;
        let business = &tenant_context.membership;
        let of = customer.as_ref().map(|row| row.id.to_string()).unwrap_or_default();
        let more = next.map(|after| {
            let account = business.account.id.to_string();
            let fields = [("business", &*account), ("customer", &*of), ("after", &*after)];
            links::with_query(PATH, &fields)
        });
        let pairs = rows.into_iter().filter_map(|row| Pair::of(row, customer.as_ref(), business));
        let template = DuplicatesPage {
            frame: Frame::within(&tenant_context),
            business,
            others: Link::others(&tenant_context, |it| links::of_business(it, PATH)),
            pairs: pairs.collect(),
            customer: customer.map(|row| Side::of(&row, None, &[], business)),
            after: query.text("after"),
            more,
            marked,
        };
        Ok(page::page(StatusCode::OK, &template))
    };
    either(answer.await)
}

/// `POST /duplicates/different`: says that two customers are different, or takes it back.
pub(super) async fn mark(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Customers).await?;
        let (one, other) = (form.text("one"), form.text("other"));
        let is_different = form.text("different") != "false";
        let arguments = arguments!(MarkDifferent {
            customer_id: one,
            other_id: other,
            different: is_different
        });
        match tenant_context.command(arguments).await? {
            Ok(_) => {
                let business = tenant_context.membership.account.id.to_string();
                let marked = if is_different { (one, other) } else { ("", "") };
                let fields = [
                    ("business", &*business),
                    ("customer", form.text("customer")),
                    ("after", form.text("after")),
                    ("different", marked.0),
                    ("from", marked.1),
                ];
                Ok(page::go_to(&links::with_query(PATH, &fields)))
            }
            Err(error) => {
                let Fault { status, text } = Fault::of(error)?;
                Err(page::stop(status, "They were not marked", &text))
            }
        }
    };
    either(answer.await)
}

fn read(
    snapshot: &mut Snapshot<'_, '_>,
    of: Option<Id<kinds::Customer>>,
    after: Option<String>,
) -> Result<Read, Refusal> {
    let customer = match of {
        None => None,
        Some(id) => {
            let customer = snapshot.query(arguments!(GetCustomer { id: id }))?.customer;
            let number = customer.customer_number.to_string();
            let search = arguments!(SearchCustomers { customer_number: number });
            let search = search.with("status", customer.status.word());
            snapshot.list(search)?.rows.pop()
        }
    };
    let asked = || {
        let all = Arguments::<FindDuplicates>::none();
        match &customer {
            Some(row) => all.with("customer_id", row.id),
            None => all,
        }
    };
    let mut page = snapshot.list(asked().page(after, PAIRS))?;
    for _ in 1..MAX_READ {
        if !page.rows.is_empty() || page.next_cursor.is_none() {
            break;
        }
        page = snapshot.list(asked().page(page.next_cursor, PAIRS))?;
    }
    Ok(Read { customer, rows: page.rows, next: page.next_cursor })
}

impl Pair {
    /// A pair of the account, or with this customer.
    fn of(row: DuplicateRow, with: Option<&SearchRow>, business: &Membership) -> Option<Self> {
        let why = Why::all(&row, business.account.country.numbering_plan());
        let DuplicateRow { customer, evidence, duplicate_of, .. } = row;
        let other = duplicate_of.or_else(|| with.cloned())?;
        let (older, newer) = if customer.id.uuid() < other.id.uuid() {
            (customer, other)
        } else {
            (other, customer)
        };
        let merge = format!("{}/merge/{}", links::customer_path(older.id), newer.id);
        let same: Vec<_> = evidence.iter().map(|it| it.same).collect();
        let side = |own, other| Side::of(own, Some(other), &same, business);
        let sides = (side(&older, &newer), side(&newer, &older));
        Some(Self { older: sides.0, newer: sides.1, why, merge })
    }
}

impl Side {
    /// A customer beside another one, with which it has these things in common.
    fn of(
        row: &SearchRow,
        other: Option<&SearchRow>,
        same: &[Likeness],
        business: &Membership,
    ) -> Self {
        let plan = business.account.country.numbering_plan();
        let lines = |row: &SearchRow| {
            [
                (Likeness::Phone, number_of(row, plan)),
                (Likeness::Email, row.primary_email.clone()),
                (Likeness::Address, row.location.clone()),
            ]
        };
        let others = other.map(lines);
        let lines = lines(row).into_iter().enumerate().filter_map(|(at, (kind, own))| {
            let text = own?;
            let other = others.as_ref().and_then(|others| others[at].1.as_ref());
            // The same address may be written in two ways.
            let differs = other.is_some_and(|other| *other != text) && !same.contains(&kind);
            Some(Line { text, differs })
        });
        Self {
            id: row.id,
            address: links::customer(business, row.id),
            name: row.display_name.clone(),
            number: row.customer_number.to_string(),
            lines: lines.collect(),
            is_vip: row.is_vip,
            do_not_contact: row.do_not_contact,
        }
    }
}
