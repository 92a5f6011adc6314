//! The form for a new note on a page of its own: about a customer that is searched for there, or about nobody. What was
//! typed comes back with what the search has found.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::SearchRow;
use zoop_crm::business::customers::tools::search::SearchCustomers;
use zoop_crm::business::notes::SubjectType;
use zoop_crm::business::notes::tools::create::CreateNote;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::phone;

use super::problems::Problems;
use super::{Fault, customer, found, fresh_key, key_of, links, messages, page_of_list, require};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// How many customers are offered.
const MAX_FOUND: u32 = 5;
/// The value of the choice that the note is about nobody.
const NOBODY: &str = "nobody";
/// What to say if the server cannot answer.
const MAYBE: &str = "The server cannot answer right now. Look at the notes in a few seconds, and add this one if it is not there.";

#[derive(Template)]
#[template(path = "write_note.html")]
struct WriteNote<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The page of notes.
    back: String,
    typed: Typed,
    /// The same form is saved once.
    key: String,
    /// The customers to choose from, after a search.
    offered: Option<Offered>,
    problems: Problems,
    max_note: usize,
}

/// What is in the form.
#[derive(Default)]
struct Typed {
    body: String,
    /// What to search the customer by.
    q: String,
    /// The id of the chosen customer, or [`NOBODY`].
    customer: String,
}

/// The customers that can be chosen.
struct Offered {
    rows: Vec<Choice>,
    has_more: bool,
}

/// A customer that can be chosen.
struct Choice {
    id: String,
    name: String,
    /// What tells customers with the same name apart.
    about: Vec<String>,
}

impl Typed {
    fn of(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self { body: text("body"), q: text("q"), customer: text("customer") }
    }
}

impl Choice {
    fn of(row: SearchRow, business: &Membership) -> Self {
        let plan = business.account.country.numbering_plan();
        let phone = row.primary_phone.map(|e164| phone::written(&e164, plan));
        let number = Some(row.customer_number.to_string());
        Self {
            id: row.id.to_string(),
            name: row.display_name,
            about: [number, phone, row.location].into_iter().flatten().collect(),
        }
    }
}

/// `GET /notes/new`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Notes).await?;
        require(&tenant_context, Scope::WriteNotes)?;
        let key = fresh_key(&tenant_context);
        Ok(render(&tenant_context, Typed::default(), key, None, Problems::none()))
    };
    either(answer.await)
}

fn render(
    tenant_context: &TenantContext,
    typed: Typed,
    key: String,
    offered: Option<Offered>,
    problems: Problems,
) -> Response {
    let business = &tenant_context.membership;
    let template = WriteNote {
        frame: Frame::within(tenant_context),
        business,
        back: links::notes(business),
        typed,
        key,
        offered,
        max_note: customer::MAX_NOTE,
        problems,
    };
    page::page(template.problems.status, &template)
}

/// `POST /notes/new`: searches for the customer, or adds the note. A form that is sent twice adds one note.
pub(super) async fn add(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Notes).await?;
        require(&tenant_context, Scope::WriteNotes)?;
        let typed = Typed::of(&form);
        let answer = if form.get("find").is_some() {
            offer(&tenant_context, &form, Problems::none()).await
        } else if typed.customer.is_empty() && !typed.q.trim().is_empty() {
            let text = "Choose whom the note is about.".to_owned();
            let fault = Fault { status: StatusCode::BAD_REQUEST, text };
            offer(&tenant_context, &form, fault.into()).await
        } else {
            create(&tenant_context, &form, &typed).await
        };
        answer.or_else(|failed| keep(&tenant_context, &form, failed))
    };
    either(answer.await)
}

async fn create(
    tenant_context: &TenantContext,
    form: &Form,
    typed: &Typed,
) -> Result<Response, Response> {
    let customer = Some(&typed.customer).filter(|it| !it.is_empty() && *it != NOBODY);
    let subject_type = customer.map(|_| SubjectType::Customer.word());
    let arguments = arguments!(CreateNote { subject_type: subject_type, subject_id: customer })
        .with("body", form.get("body"));
    let key = key_of(tenant_context, form, &format!("{} {}", typed.customer, typed.body));
    match tenant_context.command_once(key, arguments).await? {
        Ok(added) => {
            let note = added.note.id.to_string();
            Ok(page::go_to(&links::after("/notes", tenant_context, messages::NOTE_ADDED, &note)))
        }
        Err(error) => offer(tenant_context, form, Problems::of(error)?).await,
    }
}

/// Shows the form again, with the customers that the search finds.
async fn offer(
    tenant_context: &TenantContext,
    form: &Form,
    problems: Problems,
) -> Result<Response, Response> {
    let typed = Typed::of(form);
    let q = typed.q.trim().to_owned();
    let key = form.text("key").to_owned();
    if q.is_empty() {
        return Ok(render(tenant_context, typed, key, None, problems));
    }
    let search = arguments!(SearchCustomers { q: q }).page(None, MAX_FOUND);
    let read = tenant_context.read(move |snapshot| found(snapshot.list(search))).await?;
    let (page, fault) = page_of_list(read.map_err(|error| page::failed(&error))?)?;
    let business = &tenant_context.membership;
    let rows = page.rows.into_iter().map(|row| Choice::of(row, business)).collect();
    let offered = Offered { rows, has_more: page.has_more };
    let problems = if fault.text.is_empty() { problems } else { Problems::from(fault) };
    Ok(render(tenant_context, typed, key, Some(offered), problems))
}

/// If the server could not answer, shows what was typed instead of only saying so. Needs no database.
fn keep(
    tenant_context: &TenantContext,
    form: &Form,
    failed: Response,
) -> Result<Response, Response> {
    if !failed.status().is_server_error() {
        return Err(failed);
    }
    let typed = Typed::of(form);
    let chosen = Choice {
        id: typed.customer.clone(),
        name: "The customer that you chose".to_owned(),
        about: Vec::new(),
    };
    let is_customer = !typed.customer.is_empty() && typed.customer != NOBODY;
    let offered = is_customer.then(|| Offered { rows: vec![chosen], has_more: false });
    let fault = Fault { status: failed.status(), text: MAYBE.to_owned() };
    Ok(render(tenant_context, typed, form.text("key").to_owned(), offered, fault.into()))
}
