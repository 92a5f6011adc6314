//! The history of the whole business, with filters in the address.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::history::tools::ListChanges;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::history::HistoryEntry;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::oauth::grants::GrantRecord;
use zoop_crm::identity::oauth::tools::ListGrants;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::filters::Filter;
use super::messages::Messages;
use super::rows::Link;
use super::story::{self, EntryRow, Names, Piece};
use super::{Fault, bounded, found, labels, links, no_rows};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

const PATH: &str = "/activity";

#[derive(Template)]
#[template(path = "activity.html")]
struct ActivityPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    messages: Messages<'a>,
    search: &'a Search,
    filters: Vec<Filter>,
    entries: Vec<EntryRow>,
    /// The customer that the record of the filter is or belongs to.
    about: Option<Link>,
    /// The list without filters.
    all: String,
    /// The next page of the list, if there is one.
    older: Option<String>,
    fault: &'a str,
}

/// What the address of the page asks for; empty texts ask for nothing.
#[derive(Debug, Clone)]
struct Search {
    /// A user's id, or the tool's word for the user who looks at the page.
    person: String,
    /// The name of a program.
    program: String,
    /// A tool, or another event.
    event: String,
    /// The id of a record.
    record: String,
    /// The days between which it was done.
    from: String,
    to: String,
    /// The cursor of the page before.
    cursor: Option<String>,
}

/// `GET /activity`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Activity).await?;
        list(&tenant_context).await
    };
    either(answer.await)
}

async fn list(tenant_context: &TenantContext) -> Result<Response, Response> {
    let business = &tenant_context.membership;
    let search = Search::of(&tenant_context.context.query);
    let (arguments, cursor) = (search.arguments(), search.cursor.clone());
    let sees_all = sees_all(business);
    let read = tenant_context.read(move |snapshot| {
        let found = found(bounded::list(snapshot, arguments, cursor, story::length))?;
        let shown = found.as_ref().map_or(&[][..], |page| &page.rows);
        let names = story::names(snapshot, shown)?;
        // Only owners see what is connected.
        let grants = if sees_all {
            snapshot.list(Arguments::<ListGrants>::none())?.rows
        } else {
            Vec::new()
        };
        Ok((found, names, grants))
    });
    let (found, names, grants) = read.await?.map_err(|error| page::failed(&error))?;
    let (page, fault) = match found {
        Ok(page) => (page, None),
        Err(error @ Error::InsufficientScope { .. }) => return Err(page::failed(&error)),
        Err(error) => (no_rows(), Some(Fault::of(error)?)),
    };
    let here = &tenant_context.context.target;
    let messages = Messages::of_query(&tenant_context.context.query, None);
    let template = ActivityPage {
        messages: messages.undoable(tenant_context, here).await?,
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        filters: search.filters(business, &names, programs(&page.rows, grants)),
        about: search.about(business, &names),
        entries: story::rows(page.rows, &names, business, here),
        all: links::of_business(business, PATH),
        older: page.next_cursor.map(|cursor| search.next_page(business, &cursor)),
        search: &search,
        fault: fault.as_ref().map_or("", |fault| &fault.text),
    };
    let status = fault.as_ref().map_or(StatusCode::OK, |fault| fault.status);
    Ok(page::page(status, &template))
}

impl Search {
    fn of(query: &Form) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        Self {
            person: text("person"),
            program: text("program"),
            event: text("event"),
            record: text("record"),
            from: text("from"),
            to: text("to"),
            cursor: query.get("cursor").map(str::to_owned),
        }
    }

    /// Without the cursor.
    fn arguments(&self) -> Arguments<ListChanges> {
        let [user, client, event, record, from, to] =
            self.filled().map(|(_, value)| Some(value).filter(|value| !value.is_empty()));
        arguments!(ListChanges {
            user_id: user,
            client: client,
            tool: event,
            record_id: record,
            from: from,
            to: to,
        })
    }

    /// Whether a filter is set.
    fn is_filtered(&self) -> bool {
        self.filled().iter().any(|(_, value)| !value.is_empty())
    }

    fn about(&self, business: &Membership, names: &Names) -> Option<Link> {
        let record = Id::<kinds::Record>::parse(&self.record)?;
        let customer = names.records.get(&record.uuid())?.customer.as_ref()?;
        Some(Link { address: links::customer(business, customer.id), text: customer.name.clone() })
    }

    /// The fields of the address, except the cursor.
    fn filled(&self) -> [(&'static str, &str); 6] {
        [
            ("person", &self.person),
            ("program", &self.program),
            ("event", &self.event),
            ("record", &self.record),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    fn next_page(&self, business: &Membership, cursor: &str) -> String {
        let business = business.account.id.to_string();
        let ends = [("business", business.as_str()), ("cursor", cursor)];
        links::with_query(PATH, &[&ends[..1], &self.filled(), &ends[1..]].concat())
    }

    /// The filters, with these programs to choose from.
    fn filters(
        &self,
        business: &Membership,
        names: &Names,
        mut programs: BTreeSet<String>,
    ) -> Vec<Filter> {
        let mut team: Vec<_> =
            names.people.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
        team.sort_by(|(_, a), (_, b)| a.cmp(b));
        let people = std::iter::once(("me".to_owned(), "Me".to_owned())).chain(team);
        programs.extend(Some(self.program.clone()).filter(|program| !program.is_empty()));
        let programs = programs.into_iter().map(|program| (program.clone(), program));
        let more = if sees_all(business) { labels::EVENTS_OF_ADMINISTRATION } else { &[] };
        let event =
            |(name, words): &(&str, &str)| ((*name).to_owned(), super::words::capitalized(words));
        let events = labels::EVENTS.iter().chain(more).map(event);
        vec![
            Filter::new("person", "Person", "Everybody", people, &self.person),
            Filter::new("program", "Program", "All programs and none", programs, &self.program),
            Filter::new("event", "What was done", "Everything", events, &self.event),
        ]
    }
}

/// Whether the user sees what only owners do, such as who and what may come in.
fn sees_all(business: &Membership) -> bool {
    business.role.session_scopes().has(Scope::Administer)
}

/// The programs on the page, and those that are connected. Nothing lists all that ever were.
fn programs(entries: &[HistoryEntry], grants: Vec<GrantRecord>) -> BTreeSet<String> {
    let shown = entries.iter().filter_map(|entry| entry.client.clone());
    shown.chain(grants.into_iter().map(|grant| grant.client_name)).collect()
}
