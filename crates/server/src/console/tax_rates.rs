//! The tax rates of a business, and the forms that change them. Owners come here from the settings.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::tax_rates::TaxRate;
use zoop_crm::business::tax_rates::tools::{
    ArchiveTaxRate, CreateTaxRate, GetTaxRate, ListTaxRates, UpdateTaxRate,
};
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::money::TaxPercent;

use super::elsewhere::{self, Field, is_equal};
use super::messages::Messages;
use super::problems::Problems;
use super::rows::Link;
use super::{done_text, links, require, unread};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

const PATH: &str = "/settings/tax-rates";

/// How many rates are on a page, so that it stays short. The tool returns all of them.
const ON_A_PAGE: usize = 40;

/// The messages about what was just done, by the keyword in the URL.
const DONE: [(&str, &str); 7] = [
    ("added", "The tax rate was added."),
    ("saved", "The tax rate was saved."),
    ("same", "There was nothing to change."),
    ("default", "New quotes and invoices now have this tax rate."),
    ("no-default", "New quotes and invoices now have no tax rate."),
    ("archived", "The tax rate was archived."),
    ("undone", "The change was undone."),
];

#[derive(Template)]
#[template(path = "tax_rates.html")]
struct RatesPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    /// The settings, for who may open them.
    settings: Option<String>,
    rates: Vec<TaxRate>,
    /// The next page of the list, if there is one.
    more: Option<String>,
    may_change: bool,
    new: Typed,
    /// Whether new quotes and invoices are to have the rate of the form.
    is_default: bool,
    problems: Problems,
    messages: Messages<'a>,
}

#[derive(Template)]
#[template(path = "tax_rate_edit.html")]
struct EditPage<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of rates.
    back: String,
    rate: TaxRate,
    typed: Typed,
    /// What the fields began with. Only what differs from it is sent to the tool, so that saving does not undo what
    /// another person changed meanwhile.
    was: Typed,
    problems: Problems,
}

/// The page that asks before a rate is archived.
#[derive(Template)]
#[template(path = "tax_rate_archive.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of rates.
    back: String,
    rate: TaxRate,
}

/// What is in the fields of a rate's form.
#[derive(Clone, Default)]
struct Typed {
    name: String,
    percent: String,
}

impl Typed {
    fn of(form: &Form) -> Self {
        Self {
            name: form.text("name").to_owned(),
            percent: form.text("rate_percentage").to_owned(),
        }
    }

    /// What the fields began with.
    fn began(form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self { name: text("was_name"), percent: text("was_rate_percentage") }
    }

    fn stored(rate: &TaxRate) -> Self {
        Self { name: rate.name.clone(), percent: rate.rate_percentage.text() }
    }

    fn compared<'a>(&'a self, was: &'a Self, stored: &'a Self) -> [Field<'a>; 2] {
        let same: fn(&str, &str) -> bool = is_equal;
        [
            ("name", &was.name, &self.name, &stored.name, same),
            ("rate_percentage", &was.percent, &self.percent, &stored.percent, is_same_percent),
        ]
        .map(|(name, was, typed, stored, is_same)| Field {
            name,
            was,
            typed,
            stored,
            is_same,
        })
    }
}

/// Whether two texts are the same percentage, such as 9 and 9.00.
fn is_same_percent(one: &str, other: &str) -> bool {
    let units = |text: &str| TaxPercent::parse(text.trim()).map(TaxPercent::units);
    one == other || units(one).is_ok_and(|one| units(other) == Ok(one))
}

/// `GET /settings/tax-rates`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::TaxRates).await?;
        let done = done_text(&DONE, &tenant_context.context.query);
        let here = links::of_business(&tenant_context.membership, PATH);
        let messages = Messages { done, ..Messages::default() };
        let messages = messages.undoable(&tenant_context, &here).await?;
        list(&tenant_context, &Form::default(), Problems::none(), messages).await
    };
    either(answer.await)
}

/// The list, with what was typed into the form for a new rate.
async fn list(
    tenant_context: &TenantContext,
    sent: &Form,
    problems: Problems,
    messages: Messages<'_>,
) -> Result<Response, Response> {
    let TenantContext { context, membership: business, .. } = tenant_context;
    let read = tenant_context.read(|it| it.query(Arguments::<ListTaxRates>::none()));
    let mut rates = read.await?.map_err(|error| page::failed(&error))?.rows;
    if let Some(after) = Id::<kinds::TaxRate>::parse(context.query.text("after")) {
        // Newest first, as their ids.
        rates.retain(|rate| rate.id.uuid() < after.uuid());
    }
    let has_more = rates.len() > ON_A_PAGE;
    rates.truncate(ON_A_PAGE);
    let more = rates.last().filter(|_| has_more).map(|last| {
        let (business, after) = (business.account.id.to_string(), last.id.to_string());
        links::with_query(PATH, &[("business", &business), ("after", &after)])
    });
    let status = problems.status;
    let settings = Some(links::of_business(business, Section::Settings.path()));
    let template = RatesPage {
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        settings: settings.filter(|_| Section::Settings.is_for(business.role)),
        rates,
        more,
        may_change: business.role.scopes().has(Scope::WriteTaxRates),
        new: Typed::of(sent),
        is_default: is_to_be_default(sent),
        problems,
        messages,
    };
    Ok(page::page(status, &template))
}

/// `POST /settings/tax-rates`: adds a rate.
pub(super) async fn add(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::TaxRates).await?;
        let arguments = arguments!(CreateTaxRate {
            name: form.get("name"),
            rate_percentage: form.get("rate_percentage"),
            is_default: is_to_be_default(&form),
        });
        match tenant_context.command(arguments).await? {
            Ok(_) => Ok(to_list(&tenant_context, "added")),
            Err(error) => {
                let problems = Problems::of(error)?;
                list(&tenant_context, &form, problems, Messages::default()).await
            }
        }
    };
    either(answer.await)
}

/// `GET /settings/tax-rates/edit`
pub(super) async fn edit(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::TaxRates).await?;
        require(&tenant_context, Scope::WriteTaxRates)?;
        let rate = rate(&tenant_context, id(&tenant_context.context.query)?).await?;
        let typed = Typed::stored(&rate);
        Ok(edit_page(&tenant_context, rate, typed.clone(), typed, Problems::none()))
    };
    either(answer.await)
}

fn edit_page(
    tenant_context: &TenantContext,
    rate: TaxRate,
    typed: Typed,
    was: Typed,
    problems: Problems,
) -> Response {
    let (frame, business) = (Frame::within(tenant_context), &tenant_context.membership);
    let (back, status) = (links::of_business(business, PATH), problems.status);
    page::page(status, &EditPage { frame, business, back, rate, typed, was, problems })
}

/// `POST /settings/tax-rates/edit`
pub(super) async fn save(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::TaxRates).await?;
        require(&tenant_context, Scope::WriteTaxRates)?;
        save_typed(&tenant_context, id(&form)?, Typed::of(&form), Typed::began(&form)).await
    };
    either(answer.await)
}

/// Saves what the user changed. What another person changed meanwhile is shown before it is overwritten.
async fn save_typed(
    tenant_context: &TenantContext,
    id: Id<kinds::TaxRate>,
    typed: Typed,
    was: Typed,
) -> Result<Response, Response> {
    loop {
        let rate = rate(tenant_context, id).await?;
        let stored = Typed::stored(&rate);
        let fields = typed.compared(&was, &stored);
        if let Some(problems) = elsewhere::problems(&fields, |it| it.stored.to_owned()) {
            let [name, percent] = fields.map(|field| field.merged().to_owned());
            return Ok(edit_page(tenant_context, rate, Typed { name, percent }, stored, problems));
        }
        let [name, percent] = fields.map(|field| field.change());
        if name.is_none() && percent.is_none() {
            return Ok(to_list(tenant_context, "same"));
        }
        let arguments = arguments!(UpdateTaxRate { id: id, name: name, rate_percentage: percent });
        let is_expected = move |now: &TaxRate| {
            now.name == stored.name && now.rate_percentage.text() == stored.percent
        };
        let query = arguments!(GetTaxRate { id: id });
        match tenant_context.command_if(arguments, query, is_expected).await? {
            Ok(Some(_)) => return Ok(to_list(tenant_context, "saved")),
            // Another person saved just now: the next round shows what.
            Ok(None) => {}
            Err(error @ Error::NotFound { .. }) => return Err(page::failed(&error)),
            Err(error) => {
                let problems = Problems::of(error)?;
                return Ok(edit_page(tenant_context, rate, typed, was, problems));
            }
        }
    }
}

/// `POST /settings/tax-rates/default`: makes a rate the default, or no longer the default.
pub(super) async fn set_default(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::TaxRates).await?;
        let (id, is_default) = (id(&form)?, is_to_be_default(&form));
        let changed =
            tenant_context.command(arguments!(UpdateTaxRate { id: id, is_default: is_default }));
        let rate = changed.await?.map_err(|error| unread(&error))?;
        Ok(to_list(&tenant_context, if rate.is_default { "default" } else { "no-default" }))
    };
    either(answer.await)
}

/// `GET /settings/tax-rates/archive`: asks before the rate is archived.
pub(super) async fn ask_to_archive(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::TaxRates).await?;
        require(&tenant_context, Scope::WriteTaxRates)?;
        let rate = rate(&tenant_context, id(&tenant_context.context.query)?).await?;
        let (frame, business) = (Frame::within(&tenant_context), &tenant_context.membership);
        let back = links::of_business(business, PATH);
        Ok(page::page(StatusCode::OK, &Question { frame, business, back, rate }))
    };
    either(answer.await)
}

/// `POST /settings/tax-rates/archive`
pub(super) async fn archive(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::TaxRates).await?;
        let archived =
            tenant_context.command(arguments!(ArchiveTaxRate { id: id(&form)? })).await?;
        archived.map_err(|error| unread(&error))?;
        Ok(to_list(&tenant_context, "archived"))
    };
    either(answer.await)
}

fn to_list(tenant_context: &TenantContext, done: &str) -> Response {
    let business = tenant_context.membership.account.id.to_string();
    let entry = links::entry_of(tenant_context);
    let said = [("business", &*business), ("done", done), ("change", &entry)];
    page::go_to(&links::with_query(PATH, &said))
}

fn is_to_be_default(form: &Form) -> bool {
    form.text("is_default") == "true"
}

/// The rate that a form or a URL names. A text that is not an id names none.
fn id(named: &Form) -> Result<Id<kinds::TaxRate>, Response> {
    Id::parse(named.text("rate")).ok_or_else(page::not_found)
}

/// A rate that can be changed: an archived one is not found.
async fn rate(tenant_context: &TenantContext, id: Id<kinds::TaxRate>) -> Result<TaxRate, Response> {
    let read = tenant_context.read(move |it| it.query(arguments!(GetTaxRate { id: id })));
    let rate = read.await?.map_err(|error| page::failed(&error))?;
    Some(rate).filter(|rate| rate.archived_at.is_none()).ok_or_else(page::not_found)
}
