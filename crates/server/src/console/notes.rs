//! The notes of a whole business, newest first, with their search.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::{Span, Timestamp};
use zoop_crm::arguments;
use zoop_crm::business::notes::ShownNote;
use zoop_crm::business::notes::tools::list::ListNotes;
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::identity::users::team::{ListTeam, TeamMember};
use zoop_crm::values::clock::Moment;

use super::file_rows::FileLimits;
use super::filters::Filter;
use super::messages::Messages;
use super::rows::{Link, NoteRow, SubjectNames, subject_names};
use super::{bounded, file_removal, found, links, page_of_list};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

#[derive(Template)]
#[template(path = "notes.html")]
struct NotesPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    search: &'a Search,
    /// The filter by author.
    filter: Filter,
    quick: [Quick; 2],
    notes: Vec<NoteRow>,
    /// The list without a search.
    all: String,
    /// The list of customers.
    customers: String,
    /// The form for a new note.
    new: String,
    /// The address of this page, to which a form on it leads back.
    here: &'a str,
    /// The next page of the list, if there is one.
    older: Option<String>,
    /// All rows as a table.
    table: String,
    /// Whether the user may write notes.
    may_write: bool,
    limits: FileLimits,
    messages: Messages<'a>,
    fault: &'a str,
}

/// What the address of the page asks for; empty texts ask for nothing.
#[derive(Debug, Clone, Default)]
struct Search {
    q: String,
    /// The first day, or a time that the tool accepts.
    after: String,
    /// The day after the last one, or a time that the tool accepts.
    before: String,
    /// A user's id, or the tool's word for the user who looks at the page.
    author: String,
    is_pinned: bool,
    /// The cursor of the page before.
    cursor: Option<String>,
}

/// The search that the address of the page asks for, from its first row.
pub(super) fn asked(query: &Form) -> Arguments<ListNotes> {
    Search::of(query).arguments()
}

/// `GET /notes`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Notes).await?;
        list(&tenant_context).await
    };
    either(answer.await)
}

async fn list(tenant_context: &TenantContext) -> Result<Response, Response> {
    let business = &tenant_context.membership;
    let search = Search::of(&tenant_context.context.query);
    let (team, names, found) = read(tenant_context, &search).await?;
    let (page, fault) = page_of_list(found)?;
    let note = |shown| NoteRow::with_customer(shown, &names, tenant_context);
    let messages = Messages::of_query(&tenant_context.context.query, None);
    let messages = messages.undoable(tenant_context, &tenant_context.context.target).await?;
    let template = NotesPage {
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, links::notes),
        filter: search.authors(team),
        quick: search.quick(tenant_context),
        notes: page.rows.into_iter().map(note).collect(),
        older: page.next_cursor.map(|cursor| search.next_page(business, &cursor)),
        table: search.table(business),
        all: links::notes(business),
        customers: links::customers(business),
        new: links::of_business(business, "/notes/new"),
        here: &tenant_context.context.target,
        may_write: business.role.scopes().has(Scope::WriteNotes),
        limits: FileLimits::of_notes(),
        messages: file_removal::named(tenant_context, messages).await?,
        search: &search,
        fault: &fault.text,
    };
    Ok(page::page(fault.status, &template))
}

/// The team, the names of what the notes are about, and what the search finds.
async fn read(
    tenant_context: &TenantContext,
    search: &Search,
) -> Result<(Vec<TeamMember>, SubjectNames, Result<Page<ShownNote>, Error>), Response> {
    let (arguments, cursor) = (search.arguments(), search.cursor.clone());
    let read = tenant_context.read(move |snapshot| {
        let team = snapshot.list(Arguments::<ListTeam>::none())?.rows;
        let notes = bounded::list(snapshot, arguments, cursor, |shown| shown.note.body.len());
        let found = found(notes)?;
        let shown = found.as_ref().map_or(&[][..], |page| &page.rows);
        Ok((team, subject_names(snapshot, shown)?, found))
    });
    read.await?.map_err(|error| page::failed(&error))
}

/// A link that sets a filter, or removes it if it is set.
struct Quick {
    label: &'static str,
    address: String,
    is_set: bool,
}

impl Search {
    /// The searches that one needs most.
    fn quick(&self, tenant_context: &TenantContext) -> [Quick; 2] {
        let business = &tenant_context.membership;
        let monday = monday(business, tenant_context.context.now());
        let quick = |label, is_set, changed: Self| Quick {
            label,
            is_set,
            address: changed.next_page(business, ""),
        };
        let (is_mine, is_week) = (self.author == "me", self.after == monday);
        let toggled =
            |is_set: bool, value: &str| if is_set { String::new() } else { value.to_owned() };
        let mine = Self { author: toggled(is_mine, "me"), ..self.clone() };
        let week = Self { after: toggled(is_week, &monday), ..self.clone() };
        [quick("Mine", is_mine, mine), quick("This week", is_week, week)]
    }

    fn of(query: &Form) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        Self {
            q: text("q"),
            after: text("after"),
            before: text("before"),
            author: text("author"),
            is_pinned: query.text("pinned") == "true",
            cursor: query.get("cursor").map(str::to_owned),
        }
    }

    /// Without the cursor.
    fn arguments(&self) -> Arguments<ListNotes> {
        // A box with only spaces asks for nothing.
        let q = Some(&self.q).filter(|q| !q.trim().is_empty());
        let [created_after, created_before, created_by] = [&self.after, &self.before, &self.author]
            .map(|value| Some(value).filter(|value| !value.is_empty()));
        arguments!(ListNotes {
            q: q,
            created_after: created_after,
            created_before: created_before,
            created_by: created_by,
            pinned: self.is_pinned.then_some(true),
        })
    }

    /// Whether a filter is set.
    fn is_filtered(&self) -> bool {
        self.is_pinned
            || [&self.after, &self.before, &self.author].into_iter().any(|it| !it.is_empty())
    }

    /// Whether the page shows the beginning of the whole list.
    fn is_empty(&self) -> bool {
        self.q.trim().is_empty() && !self.is_filtered() && self.cursor.is_none()
    }

    fn next_page(&self, business: &Membership, cursor: &str) -> String {
        self.at("/notes", business, cursor)
    }

    /// The address of all rows as a table.
    fn table(&self, business: &Membership) -> String {
        self.at("/notes/download", business, "")
    }

    fn at(&self, path: &str, business: &Membership, cursor: &str) -> String {
        let business = business.account.id.to_string();
        let fields = [
            ("business", business.as_str()),
            ("q", &self.q),
            ("after", &self.after),
            ("before", &self.before),
            ("author", &self.author),
            ("pinned", if self.is_pinned { "true" } else { "" }),
            ("cursor", cursor),
        ];
        links::with_query(path, &fields)
    }

    fn authors(&self, team: Vec<TeamMember>) -> Filter {
        let me = ("me".to_owned(), "Me".to_owned());
        let team = team.into_iter().map(|member| (member.id.to_string(), member.name));
        let offered = std::iter::once(me).chain(team);
        Filter::new("author", "Author", "Everyone", offered, &self.author)
    }
}

/// The first day of the week on the clocks of the business.
fn monday(business: &Membership, now: Moment) -> String {
    let today = Timestamp::from_microsecond(now.0.0).unwrap_or_default();
    let today = today.to_zoned(business.zone.rules()).date();
    let since = i64::from(today.weekday().to_monday_zero_offset());
    today.saturating_sub(Span::new().days(since)).to_string()
}
