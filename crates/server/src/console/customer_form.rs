//! The forms for a new customer and for the changes to a customer.

use axum::extract::{Request, State};
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::customers::tools::create::CreateCustomer;
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::business::customers::tools::update::{SettableStatus, UpdateCustomer};
use zoop_crm::business::customers::{CustomerType, FullCustomer};
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::scope::Scope;
use zoop_crm::values::id::{Id, kinds};

use super::parts::{ADDRESS, ADDRESS_MORE, FOR_THE_CREW, PERSON, PERSON_MORE, folded, usual};
use super::record_form::{
    self, Declaration, Field, FormPage, Group, Input, Usage, Values, yes_or_no,
};
use super::rows::Link;
use super::similar::{self, Proposed, SimilarRow};
use super::{customer, key_of, links, messages, require, words};
use crate::app::App;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

const INDIVIDUAL: (&str, &str) = ("customer_type", "individual");
const COMPANY: (&str, &str) = ("customer_type", "company");

/// A customer, and in a new record also its first contact and location.
pub(super) const FORM: Declaration = Declaration {
    groups: &[
        usual(&[
            Field::new("customer_type", "Type", Input::Radio(types)).in_new(),
            Field::new("first_name", "First name", Input::Line(128)).required().only(INDIVIDUAL),
            Field::new("last_name", "Last name", Input::Line(128)).only(INDIVIDUAL),
            Field::new("company_name", "Company name", Input::Line(256)).required().only(COMPANY),
            Field::new("phone", "Phone", Input::Phone),
            Field::new("email", "E-mail", Input::Email),
        ]),
        Group { only: Some(COMPANY), ..within("primary_contact", "Contact person", PERSON) },
        Group { only: Some(COMPANY), ..within("primary_contact", "Contact person", PERSON_MORE) },
        within("location", "Address", ADDRESS),
        within("location", "Address", FOR_THE_CREW),
        within("location", "Address", ADDRESS_MORE),
        folded(
            "More",
            &[
                Field::new("status", "Status", Input::Choice(statuses)).in_edit(),
                Field::new("is_vip", "VIP", Input::Check(false)),
                Field::new("do_not_contact", "Do not contact", Input::Check(false)),
                Field::new("do_not_contact_reason", "Do-not-contact reason", Input::Text(500)),
                Field::new("source", "Source", Input::Line(64)).help("Such as referral or google."),
                Field::new("external_id", "Id in another system", Input::Line(128)).only_kept(),
                Field::new("notes_internal", "General remarks", Input::Text(10_000))
                    .help("What always holds. What happens belongs in a note."),
            ],
        ),
    ],
    together: &[],
};

/// Fields of another record that is created with the customer.
const fn within(name: &'static str, heading: &'static str, fields: &'static [Field]) -> Group {
    Group { within: Some(name), usage: Usage::New, ..folded(heading, fields) }
}

fn types() -> Vec<(&'static str, &'static str)> {
    CustomerType::ALL.iter().map(|it| (it.word(), words::customer_type(*it))).collect()
}

fn statuses() -> Vec<(&'static str, &'static str)> {
    vec![(SettableStatus::Active.word(), "Active"), (SettableStatus::Inactive.word(), "Inactive")]
}

/// `GET /customers/new`
pub(super) async fn new(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        require(&tenant_context, Scope::WriteCustomers)?;
        Ok(record_form::new(&tenant_context, &page_of_new(&tenant_context)))
    };
    either(answer.await)
}

/// `POST /customers/new`: a customer that may exist already is only created if the user has seen which.
pub(super) async fn create(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Customers).await?;
        let page = page_of_new(&tenant_context);
        let typed = Values::typed(&FORM, Usage::New, &form);
        let arguments = typed.of_new_record::<CreateCustomer>(&FORM);
        let proposed = Proposed::of(|name| typed.get(name));
        let key = key_of(&tenant_context, &form, &typed.whole());
        let found = tenant_context.read(move |snapshot| {
            match snapshot.check_once(&key, arguments) {
                Ok(false) => similar::find(snapshot, &proposed),
                // What is wrong, and what a form that is sent again gets, is the tool's to say.
                Ok(true) | Err(Refusal::Failed(_)) => Ok(Vec::new()),
                Err(denied) => Err(denied),
            }
        });
        // If it cannot be found out now, the tool says so, and what was typed is kept.
        let found = found.await.ok().and_then(Result::ok).unwrap_or_default();
        let similar: Vec<_> =
            found.iter().map(|row| SimilarRow::of(row, &tenant_context)).collect();
        let seen = form.text("anyway");
        if similar.iter().any(|row| !seen.split(' ').any(|id| id == row.id)) {
            return Ok(record_form::possible_duplicates(&tenant_context, &page, &form, similar));
        }
        let created =
            record_form::create::<CreateCustomer>(&tenant_context, &page, &form, |it| it).await?;
        Ok(page::go_to(&links::customer_after(
            &tenant_context,
            created.customer.id,
            messages::CREATED,
        )))
    };
    either(answer.await)
}

/// `GET /customers/{customer}/edit`
pub(super) async fn edit(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let get = arguments!(GetCustomer { id: id });
        let read = tenant_context.read(move |snapshot| snapshot.query(get)).await?;
        let record = read.map_err(|error| page::failed(&error))?;
        require(&tenant_context, Scope::WriteCustomers)?;
        let page = page_of_edit(&tenant_context, id);
        Ok(record_form::edit(&tenant_context, &page, &values(&record)))
    };
    either(answer.await)
}

/// `POST /customers/{customer}/edit`
pub(super) async fn save(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Customers).await?;
        let id = customer::id(&tenant_context.context)?;
        let page = page_of_edit(&tenant_context, id);
        let query = arguments!(GetCustomer { id: id });
        let complete = |arguments: Arguments<UpdateCustomer>| arguments.with("id", id);
        record_form::save(&tenant_context, &page, &form, query, values, complete).await?;
        Ok(page::go_to(&links::customer_after(&tenant_context, id, messages::SAVED)))
    };
    either(answer.await)
}

fn values(FullCustomer { customer, .. }: &FullCustomer) -> Values {
    Values::default()
        .with("customer_type", customer.customer_type.word())
        .with("first_name", customer.first_name.as_deref())
        .with("last_name", customer.last_name.as_deref())
        .with("company_name", customer.company_name.as_deref())
        .with("phone", customer.own_phone_raw.as_deref())
        .with("email", customer.own_email.as_deref())
        .with("status", customer.status.word())
        .with("is_vip", yes_or_no(customer.is_vip))
        .with("do_not_contact", yes_or_no(customer.do_not_contact))
        .with("do_not_contact_reason", customer.do_not_contact_reason.as_deref())
        .with("source", customer.source.as_deref())
        .with("external_id", customer.external_id.as_deref())
        .with("notes_internal", customer.notes_internal.as_deref())
}

fn page_of_new(tenant_context: &TenantContext) -> FormPage {
    FormPage {
        title: "New customer",
        word: "customer",
        declaration: &FORM,
        usage: Usage::New,
        back: Link {
            address: links::customers(&tenant_context.membership),
            text: "Customers".to_owned(),
        },
        action: "/customers/new".to_owned(),
        similar: Some("/customers/similar"),
    }
}

fn page_of_edit(tenant_context: &TenantContext, id: Id<kinds::Customer>) -> FormPage {
    let address = links::customer(&tenant_context.membership, id);
    FormPage {
        title: "Edit customer",
        usage: Usage::Edit,
        back: Link { address, text: "Customer".to_owned() },
        action: format!("{}/edit", links::customer_path(id)),
        similar: None,
        ..page_of_new(tenant_context)
    }
}
