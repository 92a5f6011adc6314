//! The tags of a business, each with how many customers have it, and the forms that change them.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::tags::tools::{CreateTag, DeleteTag, GetTag, UpdateTag};
use zoop_crm::business::tags::usage::{TagUsage, UsedTag};
use zoop_crm::business::tags::{DEFAULT_COLOR, Tag};
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::scope::Scope;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::elsewhere::{self, Field, is_equal, is_equal_ignoring_case};
use super::messages::Messages;
use super::problems::Problems;
use super::rows::Link;
use super::{done_text, links};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

const PATH: &str = "/tags";

/// The messages about what was just done, by the keyword in the URL.
const DONE: [(&str, &str); 5] = [
    ("added", "The tag was added."),
    ("saved", "The tag was saved."),
    ("same", "There was nothing to change."),
    ("deleted", "The tag was deleted."),
    ("undone", "The change was undone."),
];

#[derive(Template)]
#[template(path = "tags.html")]
struct TagsPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    tags: Vec<TagRow>,
    /// The next page of the list, if there is one.
    more: Option<String>,
    may_change: bool,
    new: Typed,
    problems: Problems,
    messages: Messages<'a>,
}

#[derive(Template)]
#[template(path = "tag_edit.html")]
struct EditPage<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of tags.
    back: String,
    tag: Tag,
    typed: Typed,
    /// What the fields began with. Only what differs from it is sent to the tool, so that saving does not undo what
    /// somebody else changed meanwhile.
    was: Typed,
    problems: Problems,
}

/// The page that asks before a tag is deleted.
#[derive(Template)]
#[template(path = "tag_delete.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of tags.
    back: String,
    tag: Tag,
    customers: u64,
}

struct TagRow {
    tag: Tag,
    customers: u64,
    /// The customers who have the tag.
    list: String,
}

/// What is in the fields of a tag's form.
#[derive(Clone)]
struct Typed {
    name: String,
    color: String,
}

impl Typed {
    fn of(form: &Form) -> Self {
        Self { name: form.text("name").to_owned(), color: form.text("color").to_owned() }
    }

    /// What the fields began with.
    fn began(form: &Form) -> Self {
        Self { name: form.text("was_name").to_owned(), color: form.text("was_color").to_owned() }
    }

    fn stored(tag: &Tag) -> Self {
        Self { name: tag.name.clone(), color: tag.color.clone() }
    }

    fn compared<'a>(&'a self, was: &'a Self, stored: &'a Self) -> [Field<'a>; 2] {
        let [name, color] = [
            ("name", &was.name, &self.name, &stored.name, is_equal as fn(&str, &str) -> bool),
            // A browser writes colors in lower case.
            ("color", &was.color, &self.color, &stored.color, is_equal_ignoring_case),
        ]
        .map(|(name, was, typed, stored, is_same)| Field {
            name,
            was,
            typed,
            stored,
            is_same,
        });
        [name, color]
    }
}

impl TagRow {
    fn of(UsedTag { tag, customers }: UsedTag, business: &Membership) -> Self {
        let (account, id) = (business.account.id.to_string(), tag.id.to_string());
        let list = links::with_query("/customers", &[("business", &account), ("tag", &id)]);
        Self { tag, customers, list }
    }
}

/// `GET /tags`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Tags).await?;
        let done = done_text(&DONE, &tenant_context.context.query);
        let new = Typed { name: String::new(), color: DEFAULT_COLOR.to_owned() };
        let messages = Messages { done, ..Messages::default() };
        let messages = messages
            .undoable(&tenant_context, &links::of_business(&tenant_context.membership, PATH))
            .await?;
        list(&tenant_context, new, Problems::none(), messages).await
    };
    either(answer.await)
}

async fn list(
    tenant_context: &TenantContext,
    new: Typed,
    problems: Problems,
    messages: Messages<'_>,
) -> Result<Response, Response> {
    let TenantContext { context, membership: business, .. } = tenant_context;
    let after = context.query.get("after").map(str::to_owned);
    let page = tenant_context.list(Arguments::<TagUsage>::none().after(after)).await?;
    let next = |cursor: String| {
        let business = business.account.id.to_string();
        links::with_query(PATH, &[("business", &business), ("after", &cursor)])
    };
    let status = problems.status;
    let template = TagsPage {
        frame: Frame::within(tenant_context),
        business,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        tags: page.rows.into_iter().map(|row| TagRow::of(row, business)).collect(),
        more: page.next_cursor.map(next),
        may_change: may_change(tenant_context),
        new,
        problems,
        messages,
    };
    Ok(page::page(status, &template))
}

/// `POST /tags`: adds a tag.
pub(super) async fn add(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Tags).await?;
        let name = form.get("name");
        let arguments = arguments!(CreateTag { name: name, color: form.get("color") });
        match tenant_context.command(arguments).await? {
            Ok(_) => Ok(to_list(&tenant_context, "added")),
            Err(error) => {
                let (typed, problems) = (Typed::of(&form), Problems::of(error)?);
                list(&tenant_context, typed, problems, Messages::default()).await
            }
        }
    };
    either(answer.await)
}

/// `GET /tags/edit`
pub(super) async fn edit(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Tags).await?;
        require_change(&tenant_context)?;
        let tag = tag(&tenant_context, id(&tenant_context.context.query)?).await?;
        let typed = Typed::stored(&tag);
        Ok(edit_page(&tenant_context, tag, typed.clone(), typed, Problems::none()))
    };
    either(answer.await)
}

fn edit_page(
    tenant_context: &TenantContext,
    tag: Tag,
    typed: Typed,
    was: Typed,
    problems: Problems,
) -> Response {
    let (frame, business) = (Frame::within(tenant_context), &tenant_context.membership);
    let (back, status) = (links::of_business(business, PATH), problems.status);
    page::page(status, &EditPage { frame, business, back, tag, typed, was, problems })
}

/// `POST /tags/edit`
pub(super) async fn save(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Tags).await?;
        require_change(&tenant_context)?;
        let (typed, was) = (Typed::of(&form), Typed::began(&form));
        save_typed(&tenant_context, id(&form)?, typed, was).await
    };
    either(answer.await)
}

/// Saves what the user changed. What somebody else changed meanwhile is shown before it is overwritten.
async fn save_typed(
    tenant_context: &TenantContext,
    id: Id<kinds::Tag>,
    typed: Typed,
    was: Typed,
) -> Result<Response, Response> {
    loop {
        let tag = tag(tenant_context, id).await?;
        let stored = Typed::stored(&tag);
        let fields = typed.compared(&was, &stored);
        if let Some(problems) = elsewhere::problems(&fields, |it| it.stored.to_owned()) {
            let [name, color] = fields.map(|field| field.merged().to_owned());
            return Ok(edit_page(tenant_context, tag, Typed { name, color }, stored, problems));
        }
        let [name, color] = fields.map(|field| field.change());
        if name.is_none() && color.is_none() {
            return Ok(to_list(tenant_context, "same"));
        }
        let arguments = arguments!(UpdateTag { id: id, name: name, color: color });
        let is_expected = move |now: &Tag| (&now.name, &now.color) == (&stored.name, &stored.color);
        let query = arguments!(GetTag { id: id });
        match tenant_context.command_if(arguments, query, is_expected).await? {
            Ok(Some(_)) => return Ok(to_list(tenant_context, "saved")),
            // Somebody else saved just now: the next round shows what.
            Ok(None) => {}
            Err(error @ Error::NotFound { .. }) => return Err(page::failed(&error)),
            Err(error) => {
                let problems = Problems::of(error)?;
                return Ok(edit_page(tenant_context, tag, typed, was, problems));
            }
        }
    }
}

/// `GET /tags/delete`: asks before the tag is deleted.
pub(super) async fn ask_to_delete(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Tags).await?;
        require_change(&tenant_context)?;
        let id = id(&tenant_context.context.query)?;
        let found = tenant_context.list(arguments!(TagUsage { id: id })).await?;
        let found = found.rows.into_iter().next();
        let UsedTag { tag, customers } = found.ok_or_else(page::not_found)?;
        let (frame, business) = (Frame::within(&tenant_context), &tenant_context.membership);
        let back = links::of_business(business, PATH);
        Ok(page::page(StatusCode::OK, &Question { frame, business, back, tag, customers }))
    };
    either(answer.await)
}

/// `POST /tags/delete`
pub(super) async fn delete(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Tags).await?;
        let deleted = tenant_context.command(arguments!(DeleteTag { id: id(&form)? })).await?;
        deleted.map_err(|error| page::failed(&error))?;
        Ok(to_list(&tenant_context, "deleted"))
    };
    either(answer.await)
}

fn to_list(tenant_context: &TenantContext, done: &str) -> Response {
    let business = tenant_context.membership.account.id.to_string();
    let entry = links::entry_of(tenant_context);
    let said = [("business", &*business), ("done", done), ("change", &entry)];
    page::go_to(&links::with_query(PATH, &said))
}

fn may_change(tenant_context: &TenantContext) -> bool {
    tenant_context.membership.role.scopes().has(Scope::WriteCustomers)
}

/// The tag that a form or a URL names. A text that is not an id names none.
fn id(named: &Form) -> Result<Id<kinds::Tag>, Response> {
    Id::parse(named.text("tag")).ok_or_else(page::not_found)
}

async fn tag(tenant_context: &TenantContext, id: Id<kinds::Tag>) -> Result<Tag, Response> {
    let read = tenant_context.read(move |snapshot| snapshot.query(arguments!(GetTag { id: id })));
    read.await?.map_err(|error| page::failed(&error))
}

/// Who may not change tags gets no form either.
fn require_change(tenant_context: &TenantContext) -> Result<(), Response> {
    if may_change(tenant_context) {
        return Ok(());
    }
    let required = vec![Scope::WriteCustomers];
    Err(page::failed(&Error::InsufficientScope { required, attainable: false }))
}
