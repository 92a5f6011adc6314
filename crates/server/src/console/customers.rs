//! The list of a business's customers, with its search.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::tools::search::SearchCustomers;
use zoop_crm::business::customers::{CustomerType, SearchRow, Status, TagLabel};
use zoop_crm::business::tags::Tag;
use zoop_crm::business::tags::of_customers::{CustomersTags, MAX_CUSTOMERS};
use zoop_crm::business::tags::tools::ListTags;
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::phone;

use super::filters::Filter;
use super::rows::Link;
use super::words::Matched;
use super::{found, links, page_of_list, words};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

#[derive(Template)]
#[template(path = "customers.html")]
struct Customers<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    search: &'a Search,
    filters: [Filter; 3],
    rows: Vec<Row>,
    /// What a screen reader says about the rows after a search.
    said: String,
    /// The same search among archived customers, unless a status was chosen.
    archived: Option<String>,
    /// The list without a search.
    all: String,
    /// The next page of the list, if there is one.
    more: Option<String>,
    /// All rows as a table.
    table: String,
    /// Whether the user may add customers.
    may_change: bool,
    fault: &'a str,
}

/// What the address of the page asks for; empty texts ask for nothing.
#[derive(Debug, Clone, Default)]
struct Search {
    q: String,
    status: String,
    customer_type: String,
    tag: String,
    /// The cursor of the page before.
    after: Option<String>,
}

/// The greatest number of tags that a row shows.
const MAX_TAGS: usize = 3;

/// The tags of the customers of a page.
type TagsOf = HashMap<Id<kinds::Customer>, Vec<TagLabel>>;

struct Row {
    address: String,
    name: String,
    number: String,
    phone: Option<String>,
    place: Option<String>,
    is_vip: bool,
    do_not_contact: bool,
    /// The status, unless it is the usual one.
    status: Option<&'static str>,
    tags: Vec<TagLabel>,
    /// How many more tags the customer has.
    more_tags: usize,
    matched: Vec<Matched>,
    /// Whether the search did not find this customer but one like it.
    is_near: bool,
}

/// The search that the address of the page asks for, from its first row.
pub(super) fn asked(query: &Form) -> Arguments<SearchCustomers> {
    Search { after: None, ..Search::of(query) }.arguments()
}

/// `GET /customers`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        list(&tenant_context).await
    };
    either(answer.await)
}

async fn list(tenant_context: &TenantContext) -> Result<Response, Response> {
    let business = &tenant_context.membership;
    let search = Search::of(&tenant_context.context.query);
    let Read { all_tags, mut tags_of, found } = read(tenant_context, &search).await?;
    let (page, fault) = page_of_list(found)?;
    let all = links::customers(business);
    let said = said(&page);
    let template = Customers {
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, links::customers),
        filters: search.filters(all_tags),
        said,
        rows: page.rows.into_iter().map(|row| Row::of(row, &mut tags_of, business)).collect(),
        more: page.next_cursor.map(|cursor| search.address(business, &cursor)),
        archived: search.among_archived(business),
        table: search.table(business),
        all,
        may_change: business.role.scopes().has(Scope::WriteCustomers),
        search: &search,
        fault: &fault.text,
    };
    Ok(page::page(fault.status, &template))
}

fn said(page: &Page<SearchRow>) -> String {
    let is_near = page.rows.first().is_some_and(|row| row.similarity.is_some());
    let near = if is_near { "similar " } else { "" };
    match (page.rows.len(), page.has_more) {
        (0, _) => "No customers".to_owned(),
        (1, false) => format!("1 {near}customer"),
        (count, false) => format!("{count} {near}customers"),
        (count, true) => format!("The first {count} customers"),
    }
}

/// What the page reads from the database.
struct Read {
    /// The tags of the business.
    all_tags: Vec<Tag>,
    tags_of: TagsOf,
    /// What the search finds. A mistake in the search is an inner error, so that the page can show what was typed.
    found: Result<Page<SearchRow>, Error>,
}

async fn read(tenant_context: &TenantContext, search: &Search) -> Result<Read, Response> {
    let arguments = search.arguments();
    let read = tenant_context.read(move |snapshot| {
        let all_tags = snapshot.list(Arguments::<ListTags>::none())?.rows;
        let found = found(snapshot.list(arguments))?;
        let rows = found.as_ref().map_or(&[][..], |page| &page.rows);
        let ids = rows.iter().take(MAX_CUSTOMERS).map(|row| row.id.to_string());
        let ids: Vec<_> = ids.collect();
        let tagged = snapshot.query(arguments!(CustomersTags { customers: ids }))?;
        let tags_of = tagged.into_iter().map(|it| (it.id, it.tags)).collect();
        Ok(Read { all_tags, tags_of, found })
    });
    read.await?.map_err(|error| page::failed(&error))
}

impl Search {
    fn of(query: &Form) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        Self {
            q: text("q"),
            status: text("status"),
            customer_type: text("type"),
            tag: text("tag"),
            after: query.get("after").map(str::to_owned),
        }
    }

    fn arguments(&self) -> Arguments<SearchCustomers> {
        // A box with only spaces asks for nothing.
        let q = Some(&self.q).filter(|q| !q.trim().is_empty());
        let [status, customer_type, tag] = [&self.status, &self.customer_type, &self.tag]
            .map(|value| Some(value).filter(|value| !value.is_empty()));
        arguments!(SearchCustomers { q: q, status: status, tag: tag })
            .with("type", customer_type)
            .after(self.after.clone())
    }

    /// Whether a filter is set.
    fn is_filtered(&self) -> bool {
        [&self.status, &self.customer_type, &self.tag].into_iter().any(|it| !it.is_empty())
    }

    /// Whether the page shows the beginning of the whole list.
    fn is_empty(&self) -> bool {
        self.q.trim().is_empty() && !self.is_filtered() && self.after.is_none()
    }

    fn among_archived(&self, business: &Membership) -> Option<String> {
        let status = Status::Archived.word().to_owned();
        let is_all = !self.q.trim().is_empty() && self.status.is_empty();
        is_all.then(|| Self { status, ..self.clone() }.address(business, ""))
    }

    /// The address of the rows after a cursor.
    fn address(&self, business: &Membership, cursor: &str) -> String {
        self.at("/customers", business, cursor)
    }

    /// The address of all rows as a table.
    fn table(&self, business: &Membership) -> String {
        self.at("/customers/download", business, "")
    }

    fn at(&self, path: &str, business: &Membership, cursor: &str) -> String {
        let fields = [
            ("business", business.account.id.to_string()),
            ("q", self.q.clone()),
            ("status", self.status.clone()),
            ("type", self.customer_type.clone()),
            ("tag", self.tag.clone()),
            ("after", cursor.to_owned()),
        ];
        links::with_query(path, &fields.each_ref().map(|(name, value)| (*name, value.as_str())))
    }

    fn filters(&self, tags: Vec<Tag>) -> [Filter; 3] {
        let statuses =
            Status::ALL.iter().map(|it| (it.word().to_owned(), words::status(*it).to_owned()));
        let types = CustomerType::ALL
            .iter()
            .map(|it| (it.word().to_owned(), words::customer_type(*it).to_owned()));
        let tags = tags.into_iter().map(|tag| (tag.id.to_string(), tag.name));
        [
            Filter::new("status", "Status", "All but archived", statuses, &self.status),
            Filter::new("type", "Type", "All types", types, &self.customer_type),
            Filter::new("tag", "Tag", "All tags", tags, &self.tag),
        ]
    }
}

/// The number of a row, with its extension.
pub(super) fn number_of(row: &SearchRow, plan: phone::NumberingPlan) -> Option<String> {
    let e164 = row.primary_phone.as_deref()?;
    let raw = row.primary_phone_raw.as_deref().unwrap_or(e164);
    Some(phone::written_with_extension(raw, e164, plan))
}

impl Row {
    fn of(row: SearchRow, tags_of: &mut TagsOf, business: &Membership) -> Self {
        let plan = business.account.country.numbering_plan();
        let number = row.primary_phone.as_ref().map(|e164| phone::written(e164, plan));
        let phone = number_of(&row, plan);
        let matched = row.matched.unwrap_or_default().into_iter();
        let matched = matched.map(|it| Matched::of(it, number.as_deref(), plan)).collect();
        let mut tags = tags_of.remove(&row.id).unwrap_or_default();
        let more_tags = tags.len().saturating_sub(MAX_TAGS);
        tags.truncate(MAX_TAGS);
        Self {
            address: links::customer(business, row.id),
            name: row.display_name,
            number: row.customer_number.to_string(),
            phone,
            place: row.location,
            is_vip: row.is_vip,
            do_not_contact: row.do_not_contact,
            status: (row.status != Status::Active).then(|| words::status(row.status)),
            tags,
            more_tags,
            matched,
            is_near: row.similarity.is_some(),
        }
    }
}
