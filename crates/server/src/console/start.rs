//! What a member needs first: the search, the pinned notes, and what they and their assistants did lately. In an empty
//! business, the first steps.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::tools::search::SearchCustomers;
use zoop_crm::business::history::tools::ListChanges;
use zoop_crm::business::notes::ShownNote;
use zoop_crm::business::notes::tools::list::ListNotes;
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::history::HistoryEntry;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};

use super::messages::Messages;
use super::rows::{Link, NoteRow, SubjectNames, subject_names};
use super::story::{self, EntryRow, Names, Piece};
use super::{bounded, links};
use crate::app::App;
use crate::oauth;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::{Snapshot, TenantContext};

const PATH: &str = "/";
/// How many pinned notes and how many entries of the history are shown.
const NOTES_SHOWN: u32 = 5;
const ENTRIES_SHOWN: u32 = 8;
/// How often that many entries are read, because some are not about records.
const MAX_ROUNDS: usize = 4;
/// How many customers the user has lately had to do with, and in how many of their own notes they are looked for.
const LATELY_SHOWN: usize = 6;
const OWN_NOTES: u32 = 10;
/// How much of a pinned note is shown, in characters.
const MAX_NOTE: usize = 600;
/// How many files of a pinned note are shown.
const MAX_FILES: usize = 4;

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    messages: Messages<'a>,
    /// Whether the user has just joined the business.
    has_joined: bool,
    /// What to do first, if there are no customers yet.
    steps: Option<Steps>,
    /// The customers about whom the user wrote or changed something last.
    lately: Vec<Link>,
    pinned: Vec<NoteRow>,
    /// The list of all pinned notes.
    all_pinned: String,
    entries: Vec<EntryRow>,
    activity: String,
}

struct Steps {
    may_change: bool,
    /// The address for assistants.
    mcp_address: String,
    /// The team, if the user may invite somebody.
    team: Option<String>,
}

/// What the tools answer.
struct Stored {
    is_empty: bool,
    pinned: Page<ShownNote>,
    subjects: SubjectNames,
    /// The user's own notes.
    own: Page<ShownNote>,
    /// Empty if the user may not read the history.
    entries: Vec<HistoryEntry>,
    names: Names,
}

/// `GET /`: a user without a business has only their account.
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = match TenantContext::page(&app, request, Section::Customers).await {
            Ok(tenant_context) => tenant_context,
            Err(refusal) if refusal.status() == StatusCode::FORBIDDEN => {
                return Ok(page::go_to(Section::Account.path()));
            }
            Err(refusal) => return Err(refusal),
        };
        render(&tenant_context).await
    };
    either(answer.await)
}

async fn render(tenant_context: &TenantContext) -> Result<Response, Response> {
    let business = &tenant_context.membership;
    let Stored { is_empty, pinned, subjects, own, entries, names } = read(tenant_context).await?;
    let account = business.account.id.to_string();
    let all_pinned = [("business", &*account), ("pinned", "true")];
    let mine = [("business", &*account), ("person", "me")];
    let steps = is_empty.then(|| Steps {
        may_change: business.role.scopes().has(Scope::WriteCustomers),
        mcp_address: oauth::resource(&tenant_context.context.shared.settings.public_url),
        team: Some(links::of_business(business, Section::Team.path()))
            .filter(|_| Section::Team.is_for(business.role)),
    });
    let messages = Messages::of_query(&tenant_context.context.query, None);
    let template = StartPage {
        messages: messages.undoable(tenant_context, PATH).await?,
        frame: Frame::of_no_section(tenant_context),
        business,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        has_joined: tenant_context.context.query.text("done") == "joined",
        steps,
        lately: lately(&own.rows, &entries, &names, business),
        all_pinned: links::with_query(Section::Notes.path(), &all_pinned),
        pinned: pinned
            .rows
            .into_iter()
            .map(|note| shortened(NoteRow::with_customer(note, &subjects, tenant_context)))
            .collect(),
        entries: story::rows(entries, &names, business, PATH),
        activity: links::with_query(Section::Activity.path(), &mine),
    };
    Ok(page::page(StatusCode::OK, &template))
}

/// The customers about whom the user wrote or changed something last, whichever of the two it was.
fn lately(
    own: &[ShownNote],
    entries: &[HistoryEntry],
    names: &Names,
    business: &Membership,
) -> Vec<Link> {
    let written = own.iter().filter_map(|ShownNote { note, names }| {
        Some((note.created_at, names.customer_id?, names.customer_name.as_deref()?))
    });
    let changed = entries.iter().flat_map(|entry| {
        let records = entry.changes.iter().filter_map(|it| names.records.get(&it.record_id));
        let customers = records.filter_map(|it| it.customer.as_ref());
        customers.map(|it| (entry.at, it.id, it.name.as_str()))
    });
    let mut all: Vec<_> = written.chain(changed).collect();
    all.sort_by_key(|(at, ..)| Reverse(at.0));
    let mut known = BTreeSet::new();
    all.retain(|(_, id, _)| known.insert(id.uuid()));
    let link = |(_, id, name): (Moment, Id<kinds::Customer>, &str)| Link {
        address: links::customer(business, id),
        text: name.to_owned(),
    };
    all.into_iter().take(LATELY_SHOWN).map(link).collect()
}

/// The beginning of a long note.
fn shortened(note: NoteRow) -> NoteRow {
    let mut note = note.only_shown(MAX_FILES);
    if let Some((end, _)) = note.body.char_indices().nth(MAX_NOTE) {
        note.body.truncate(end);
        note.body.push('…');
    }
    note
}

/// What the tools say, all in one snapshot.
async fn read(tenant_context: &TenantContext) -> Result<Stored, Response> {
    let reads_history = Section::Activity.is_for(tenant_context.membership.role);
    let read = tenant_context.read(move |snapshot| {
        let any = Arguments::<SearchCustomers>::none().page(None, 1);
        let pinned = arguments!(ListNotes { pinned: true }).page(None, NOTES_SHOWN);
        let own = arguments!(ListNotes { created_by: "me" }).page(None, OWN_NOTES);
        let is_empty = snapshot.list(any)?.rows.is_empty();
        let pinned = snapshot.list(pinned)?;
        let own = snapshot.list(own)?;
        let subjects = subject_names(snapshot, &pinned.rows)?;
        let entries = if reads_history { own_entries(snapshot)? } else { Vec::new() };
        let names = story::names(snapshot, &entries)?;
        Ok(Stored { is_empty, pinned, subjects, own, entries, names })
    });
    read.await?.map_err(|error| page::failed(&error))
}

/// The last changes of records by the user. It stops at a page that is not full: that one was the last, or there was
/// much to read for it.
fn own_entries(snapshot: &mut Snapshot<'_, '_>) -> Result<Vec<HistoryEntry>, Refusal> {
    let mine = arguments!(ListChanges { user_id: "me" });
    let (mut entries, mut next) = (Vec::new(), None);
    for _ in 0..MAX_ROUNDS {
        let page = bounded::at_most(snapshot, mine.clone(), ENTRIES_SHOWN, next, story::length)?;
        let is_full = page.rows.len() == ENTRIES_SHOWN as usize;
        entries.extend(page.rows.into_iter().filter(EntryRow::is_about_records));
        next = page.next_cursor;
        if !is_full || next.is_none() || entries.len() >= ENTRIES_SHOWN as usize {
            break;
        }
    }
    entries.truncate(ENTRIES_SHOWN as usize);
    Ok(entries)
}
