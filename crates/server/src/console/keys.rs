//! The API keys of a business, for its owners. A key is shown once, in the answer that creates it.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::catalog;
use zoop_crm::identity::keys::KeyRecord;
use zoop_crm::identity::keys::tools::{CreateKey, ListKeys, RevokeKey, RotateKey};
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};

use super::filters::Choice;
use super::problems::Problems;
use super::rows::Link;
use super::story::people;
use super::{Fault, done_text, find, links};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::once::{self, fresh_key};
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;
use crate::web::words;

const PATH: &str = "/keys";
const DONE: [(&str, &str); 1] = [("revoked", "The key was revoked. It no longer works.")];
/// How many keys a page shows, so that it stays short.
const ON_A_PAGE: u32 = 40;
const DAY: u32 = 24 * 3_600;

/// When a new key expires: the seconds as the form sends them, and the words.
const EXPIRIES: [(u32, &str); 3] =
    [(30 * DAY, "In 30 days"), (90 * DAY, "In 90 days"), (365 * DAY, "In a year")];
/// How long a replaced key still works.
const OVERLAPS: [(u32, &str); 3] =
    [(3_600, "In an hour"), (DAY, "In a day"), (7 * DAY, "In a week")];

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    keys: Vec<KeyRow>,
    /// The keys that no longer work.
    ended: Vec<KeyRow>,
    /// The next page of the list, if there is one.
    more: Option<String>,
    typed: Typed,
    /// The key that was just made.
    new: Option<String>,
    /// Whether the form was sent before, and its key was shown then.
    was_shown: bool,
    /// The idempotency key of the form of a new key.
    once: String,
    /// What is wrong with the form of a new key.
    problems: Problems,
    /// Why a key could not be changed.
    fault: &'a str,
    done: &'a str,
}

/// The page that asks before a key is revoked.
#[derive(Template)]
#[template(path = "key_revoke.html")]
struct Revocation<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of keys.
    back: String,
    key: KeyRow,
}

/// The page that asks before a key is replaced.
#[derive(Template)]
#[template(path = "key_rotate.html")]
struct Rotation<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of keys.
    back: String,
    key: KeyRow,
    overlaps: Vec<Choice>,
    /// The idempotency key of the form.
    once: String,
}

struct KeyRow {
    id: Id<kinds::Key>,
    name: String,
    hint: String,
    /// The person it acts for; none if it acts for the business.
    person: Option<String>,
    scopes: String,
    created: Moment,
    last_used: Option<Moment>,
    expires: Option<Moment>,
    revoked: Option<Moment>,
    limit: Option<u32>,
    is_live: bool,
}

/// A scope in the form of a new key.
struct Wish {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    is_chosen: bool,
    /// Whether a key that acts for the business can use it.
    is_for_business: bool,
}

/// What is in the fields of the form of a new key.
struct Typed {
    name: String,
    wishes: Vec<Wish>,
    acts_for_business: bool,
    expiries: Vec<Choice>,
    limit: String,
}

/// What the page says besides the list.
struct Said<'a> {
    new: Option<String>,
    was_shown: bool,
    typed: Typed,
    problems: Problems,
    fault: Option<Fault>,
    done: &'a str,
}

impl Said<'_> {
    fn nothing() -> Self {
        let typed = Typed::of(&Form::default());
        let problems = Problems::none();
        Self { new: None, was_shown: false, typed, problems, fault: None, done: "" }
    }

    /// The key that was just made; none if the form was sent before.
    fn new_key(key: Option<String>) -> Self {
        Self { was_shown: key.is_none(), new: key, ..Self::nothing() }
    }
}

impl Typed {
    fn of(form: &Form) -> Self {
        let for_business = catalog::scopes_without_user();
        let wish = |scope: &Scope| Wish {
            name: scope.name(),
            title: scope.title(),
            about: scope.about(),
            is_chosen: form.get(scope.name()).is_some(),
            is_for_business: for_business.has(*scope),
        };
        Self {
            name: form.text("name").to_owned(),
            wishes: Scope::GRANTABLE.iter().map(wish).collect(),
            acts_for_business: form.text("acts_for") == "business",
            expiries: choices("Never", &EXPIRIES, form.text("expires_in")),
            limit: form.text("limit").to_owned(),
        }
    }
}

/// The choices of a select box. The first one sends nothing.
fn choices(first: &str, others: &[(u32, &str)], chosen: &str) -> Vec<Choice> {
    let first = (String::new(), first);
    let others = others.iter().map(|(seconds, label)| (seconds.to_string(), *label));
    let choice = |(value, label): (String, &str)| Choice {
        is_chosen: value == chosen,
        label: label.to_owned(),
        value,
    };
    std::iter::once(first).chain(others).map(choice).collect()
}

impl KeyRow {
    fn of(key: KeyRecord, people: &HashMap<Id<kinds::User>, String>, now: Moment) -> Self {
        let name =
            |user| people.get(&user).cloned().unwrap_or_else(|| "somebody who has left".to_owned());
        let has_expired = key.expires_at.is_some_and(|at| at <= now);
        Self {
            id: key.id,
            name: key.name,
            hint: key.hint,
            scopes: match key.user_id {
                Some(_) => words::scopes(key.scopes),
                None => words::scopes_of_business(key.scopes),
            },
            person: key.user_id.map(name),
            created: key.created_at,
            last_used: key.last_used_at,
            expires: key.expires_at,
            revoked: key.revoked_at,
            limit: key.limit,
            is_live: key.revoked_at.is_none() && !has_expired,
        }
    }
}

/// `GET /keys`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Keys).await?;
        let done = done_text(&DONE, &tenant_context.context.query);
        list(&tenant_context, Said { done, ..Said::nothing() }).await
    };
    either(answer.await)
}

async fn list(tenant_context: &TenantContext, said: Said<'_>) -> Result<Response, Response> {
    let TenantContext { context, membership: business, .. } = tenant_context;
    let after = context.query.get("after").map(str::to_owned);
    let read = tenant_context.read(move |snapshot| {
        let keys = snapshot.list(Arguments::<ListKeys>::none().page(after, ON_A_PAGE))?;
        Ok((keys, people(snapshot)?))
    });
    let (page, people) = read.await?.map_err(|error| page::failed(&error))?;
    let now = tenant_context.context.now();
    let rows = page.rows.into_iter().map(|key| KeyRow::of(key, &people, now));
    let (keys, ended) = rows.partition(|row| row.is_live);
    let next = |cursor: String| {
        let business = business.account.id.to_string();
        links::with_query(PATH, &[("business", &business), ("after", &cursor)])
    };
    let Said { new, was_shown, typed, problems, fault, done } = said;
    let status = fault.as_ref().map_or(problems.status, |fault| fault.status);
    let template = KeysPage {
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        keys,
        ended,
        more: page.next_cursor.map(next),
        typed,
        new,
        was_shown,
        once: fresh_key(tenant_context),
        problems,
        fault: fault.as_ref().map_or("", |fault| &fault.text),
        done,
    };
    Ok(page::page(status, &template))
}

/// `POST /keys`: creates a key and shows it once. A form that is sent twice, as by a reload, creates one key.
pub(super) async fn create(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Keys).await?;
        let typed = Typed::of(&form);
        // The form hides what the business cannot use.
        let is_offered = |wish: &&Wish| wish.is_for_business || !typed.acts_for_business;
        let chosen = typed.wishes.iter().filter(|wish| wish.is_chosen).filter(is_offered);
        let scopes = chosen.map(|wish| wish.name).collect::<Vec<_>>().join(" ");
        let user = (!typed.acts_for_business).then_some(tenant_context.signed_in.user);
        let arguments =
            arguments!(CreateKey { name: form.get("name"), scopes: scopes, user: user });
        let arguments = with_number(arguments, &form, "expires_in");
        let arguments = with_number(arguments, &form, "limit");
        let said = match tenant_context
            .command_first(once::key_of_all(&tenant_context, &form), arguments)
            .await?
        {
            Ok(made) => Said::new_key(made.map(|made| made.key)),
            Err(error) => Said { typed, problems: Problems::of(error)?, ..Said::nothing() },
        };
        list(&tenant_context, said).await
    };
    either(answer.await)
}

/// Adds a number that was typed. A text that is no number is left to the tool, which says so.
fn with_number<T>(arguments: Arguments<T>, form: &Form, name: &str) -> Arguments<T> {
    match form.get(name).map(|text| text.trim().parse::<u64>()) {
        Some(Ok(number)) => arguments.with(name, number),
        Some(Err(_)) => arguments.with(name, form.get(name)),
        None => arguments,
    }
}

/// The key that a form or a URL names. A text that is not an id names none.
fn id(named: &Form) -> Result<Id<kinds::Key>, Response> {
    Id::parse(named.text("key")).ok_or_else(page::not_found)
}

/// The key about which a page asks.
async fn asked(tenant_context: &TenantContext) -> Result<KeyRow, Response> {
    let id = id(&tenant_context.context.query)?;
    let is_it = |key: &KeyRecord| key.id == id && key.revoked_at.is_none();
    let key = find::<ListKeys>(tenant_context, is_it).await?;
    let people = tenant_context.read(people).await?.map_err(|error| page::failed(&error))?;
    Ok(KeyRow::of(key, &people, tenant_context.context.now()))
}

/// `GET /keys/revoke`: asks before the key is revoked.
pub(super) async fn ask_to_revoke(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Keys).await?;
        let key = asked(&tenant_context).await?;
        let (frame, business) = (Frame::within(&tenant_context), &tenant_context.membership);
        let back = links::of_business(business, PATH);
        let question = Revocation { frame, business, back, key };
        Ok(page::page(StatusCode::OK, &question))
    };
    either(answer.await)
}

/// `POST /keys/revoke`
pub(super) async fn revoke(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Keys).await?;
        match tenant_context.command(arguments!(RevokeKey { id: id(&form)? })).await? {
            Ok(_) => {
                let business = tenant_context.membership.account.id.to_string();
                let fields = [("business", &*business), ("done", "revoked")];
                Ok(page::go_to(&links::with_query(PATH, &fields)))
            }
            Err(error) => refused(&tenant_context, error).await,
        }
    };
    either(answer.await)
}

/// `GET /keys/rotate`: asks when the old key stops working.
pub(super) async fn ask_to_rotate(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Keys).await?;
        let key = asked(&tenant_context).await?;
        let (frame, business) = (Frame::within(&tenant_context), &tenant_context.membership);
        let back = links::of_business(business, PATH);
        let overlaps = choices("At once", &OVERLAPS, "");
        let once = fresh_key(&tenant_context);
        let question = Rotation { frame, business, back, key, overlaps, once };
        Ok(page::page(StatusCode::OK, &question))
    };
    either(answer.await)
}

/// `POST /keys/rotate`: replaces a key, and shows the new one once. A form that is sent twice replaces it once.
pub(super) async fn rotate(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Keys).await?;
        let arguments = with_number(arguments!(RotateKey { id: id(&form)? }), &form, "overlap");
        match tenant_context
            .command_first(once::key_of_all(&tenant_context, &form), arguments)
            .await?
        {
            Ok(made) => list(&tenant_context, Said::new_key(made.map(|made| made.key))).await,
            Err(error) => refused(&tenant_context, error).await,
        }
    };
    either(answer.await)
}

/// The list, with what the tool said about a key that cannot be changed any more.
async fn refused(tenant_context: &TenantContext, error: Error) -> Result<Response, Response> {
    if matches!(error, Error::NotFound { .. }) {
        return Err(page::not_found());
    }
    let fault = Some(Fault::of(error)?);
    list(tenant_context, Said { fault, ..Said::nothing() }).await
}
