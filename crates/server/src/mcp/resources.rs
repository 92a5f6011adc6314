//! Resources: customers, notes and files with a URI. They are read by the tools that return them, with the same scopes.
//!
//! A resource outside the caller's scopes is refused with -32602 and the name of the missing scope. A 403 would make
//! clients start an authorization, which cannot give an API key more scopes than it has.

use serde_json::json;
use zoop_crm::call::definition::ToolDef;
use zoop_crm::call::error::Error;
use zoop_mcp::ListKind;

use super::context::{Admitted, RequestContext};
use super::{done, file_content, refused};
use crate::answer::Answer;
use crate::auth::CallFailure;

const MIME_TYPE: &str = "application/json";

/// A kind of record that has a URI.
struct Template {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    /// The URI up to the id.
    prefix: &'static str,
    /// The tool that reads the record, or the record that it is a part of.
    tool: &'static str,
    form: Form,
}

/// What is sent of a resource.
#[derive(Clone, Copy)]
enum Form {
    /// What the tool returns.
    Record,
    /// The content of a file.
    File,
}

static TEMPLATES: [Template; 3] = [
    Template {
        name: "customer",
        title: "Customer",
        about: "A customer with its contacts and locations.",
        prefix: "zoop://customers/",
        tool: "customers.get",
        form: Form::Record,
    },
    Template {
        name: "note",
        title: "Note",
        about: "A note with its body.",
        prefix: "zoop://notes/",
        tool: "notes.get",
        form: Form::Record,
    },
    Template {
        name: "file",
        title: "File",
        about: "A file in a note's attachments: a photo as JPEG of at most 1,568 pixels a side, text as text, another \
                document of at most 1 MiB as it is.",
        prefix: "zoop://files/",
        tool: "notes.get",
        form: Form::File,
    },
];

/// Answers `resources/list`. The list is always empty: there are too many records, and tools can find them.
pub(super) async fn list(context: &RequestContext<'_>) -> Result<Answer, Answer> {
    context.admit().await?;
    Ok(done(context.responder().list(ListKind::Resources, "[]")))
}

/// Answers `resources/templates/list` with the kinds of records that the caller may read.
pub(super) async fn templates(context: &RequestContext<'_>) -> Result<Answer, Answer> {
    let admitted = context.admit().await?;
    let items: Vec<_> = TEMPLATES
        .iter()
        .filter(|template| template.is_readable(context, admitted))
        .map(|template| {
            let mut item = json!({
                "uriTemplate": format!("{}{{id}}", template.prefix),
                "name": template.name,
                "title": template.title,
                "description": template.about,
            });
            // Files have different types.
            if matches!(template.form, Form::Record) {
                item["mimeType"] = MIME_TYPE.into();
            }
            item
        })
        .collect();
    let items = serde_json::Value::Array(items).to_string();
    Ok(done(context.responder().list(ListKind::ResourceTemplates, &items)))
}

impl Template {
    fn is_readable(&self, context: &RequestContext<'_>, admitted: Admitted) -> bool {
        let listed = context.shared.tools.find(self.tool);
        listed.is_some_and(|it| context.view.shows(it.group, it.tool) && admitted.sees(it.tool))
    }
}

/// Answers `resources/read`.
pub(super) async fn read(context: &RequestContext<'_>, uri: &str) -> Result<Answer, Answer> {
    let addressed = TEMPLATES.iter().find_map(|template| {
        let id = uri.strip_prefix(template.prefix)?;
        let listed = context.shared.tools.find(template.tool)?;
        let is_shown = context.view.shows(listed.group, listed.tool);
        is_shown.then_some((template.form, listed.tool, id))
    });
    let Some((form, tool, id)) = addressed else {
        context.admit().await?;
        return Err(unknown(context, uri));
    };
    match form {
        Form::Record => match context.run(tool, json!({ "id": id }).to_string()).await {
            Ok(json) => Ok(done(context.responder().resource(uri, MIME_TYPE, &json))),
            Err(failure) => Err(failed(context, uri, tool, &failure)),
        },
        Form::File => match context.open_file(id).await {
            Ok(opened) => file_content::read(context, uri, &opened).await,
            Err(failure) => Err(failed(context, uri, tool, &failure)),
        },
    }
}

/// The answer to a resource that does not exist, as far as this caller may know.
pub(super) fn unknown(context: &RequestContext<'_>, uri: &str) -> Answer {
    refused(&context.request.reply_to().unknown_resource(uri))
}

fn failed(
    context: &RequestContext<'_>,
    uri: &str,
    tool: &ToolDef,
    failure: &CallFailure,
) -> Answer {
    match failure {
        CallFailure::Failed(
            Error::NotFound { .. } | Error::InvalidInput { .. } | Error::Unusable { .. },
        ) => unknown(context, uri),
        CallFailure::Failed(Error::InsufficientScope { .. }) => {
            let message = format!("reading this resource needs the scope {}", tool.scope.name());
            refused(&context.request.reply_to().invalid_params(&message))
        }
        failure => context.answer_to(failure),
    }
}
