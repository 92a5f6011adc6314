//! `zoop tag`: attaches tags to customers and detaches them. Tags themselves are created with the
//! `tags.create` tool.

use anyhow::Result;
use zoop_crm::arguments;
use zoop_crm::business::tags::tools::{AttachTag, DetachTag};

use crate::arguments::Tag;
use crate::config::Config;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Tag, output: &mut Output<'_>) -> Result<()> {
    let (Tag::Attach(assignment) | Tag::Detach(assignment)) = &command;
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(assignment.of.tenant.clone());
    let tag = operator.find(&about, Kind::Tag, &assignment.tag)?;
    let customer = operator.find(&about, Kind::Customer, &assignment.customer)?;
    let (id, customer_id) = (&tag.id, &customer.id);
    match command {
        Tag::Attach(_) => {
            let which = arguments!(AttachTag { id: id, customer_id: customer_id });
            let answer = operator.command(&about, which)?;
            output.answer(&answer, || format!("{} now has the tag {}", customer.shown, tag.shown))
        }
        Tag::Detach(_) => {
            let which = arguments!(DetachTag { id: id, customer_id: customer_id });
            let answer = operator.command(&about, which)?;
            let lost = || format!("{} no longer has the tag {}", customer.shown, tag.shown);
            output.answer(&answer, lost)
        }
    }?;
    Ok(())
}
