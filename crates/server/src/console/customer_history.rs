//! The history of a customer: who changed the customer and what belongs to it.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::history::CustomerHistory;
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::identity::sign_in::sessions::Membership;

use super::messages::Messages;
use super::story::{self, EntryRow, Piece};
use super::{bounded, customer, links};
use crate::app::App;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

#[derive(Template)]
#[template(path = "customer_history.html")]
struct HistoryPage<'a> {
    frame: Frame,
    business: &'a Membership,
    messages: Messages<'a>,
    /// The customer's page.
    back: String,
    name: String,
    /// The changes of the customer itself among all activity, where they can be filtered.
    filtered: String,
    entries: Vec<EntryRow>,
    /// The next page of the list, if there is one.
    older: Option<String>,
}

/// `GET /customers/{customer}/history`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let after = tenant_context.context.query.get("cursor").map(str::to_owned);
        let read = tenant_context.read(move |snapshot| {
            // First, so that who may not read the history does not learn from it whether there is such a customer.
            let customer = snapshot.query(arguments!(GetCustomer { id: id }))?.customer;
            let entries = arguments!(CustomerHistory { customer_id: id });
            let entries = bounded::list(snapshot, entries, after, story::length)?;
            let names = story::names(snapshot, &entries.rows)?;
            Ok((customer, entries, names))
        });
        let (customer, page, names) = read.await?.map_err(|error| page::failed(&error))?;
        let business = &tenant_context.membership;
        let older = |cursor: String| {
            let account = business.account.id.to_string();
            let fields = [("business", &*account), ("cursor", &cursor)];
            links::with_query(&links::customer_history_path(id), &fields)
        };
        let here = &tenant_context.context.target;
        let row = |entry| EntryRow::of(entry, &names, business, Some(id), here);
        let messages = Messages::of_query(&tenant_context.context.query, Some(id));
        let template = HistoryPage {
            messages: messages.undoable(&tenant_context, here).await?,
            business,
            frame: Frame::within(&tenant_context),
            back: links::customer(business, id),
            name: customer.display_name,
            filtered: links::with_query(
                "/activity",
                &[("business", &business.account.id.to_string()), ("record", &id.to_string())],
            ),
            entries: page.rows.into_iter().map(row).collect(),
            older: page.next_cursor.map(older),
        };
        Ok(page::page(StatusCode::OK, &template))
    };
    either(answer.await)
}
