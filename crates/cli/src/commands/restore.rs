//! `zoop restore`: brings an archived record back.

use anyhow::Result;
use zoop_crm::arguments;
use zoop_crm::contacts::tools::restore::RestoreContact;
use zoop_crm::customers::tools::restore::RestoreCustomer;
use zoop_crm::locations::tools::restore::RestoreLocation;
use zoop_crm::notes::tools::restore::RestoreNote;

use crate::arguments::{Restorable, Restore};
use crate::config::Config;
use crate::database::Missing;
use crate::names::{Kind, Named};
use crate::operator::{About, Operator};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Restore, output: &mut Output<'_>) -> Result<()> {
    let Restore { kind, record, of } = command;
    let operator = Operator::open(config, Missing::Refuse)?;
    let about = About::Tenant(of.tenant);
    // The others have no names: a customer's contacts and locations are told apart by their ids.
    let record = match kind {
        Restorable::Customer => operator.named(&about, Kind::ArchivedCustomer, &record)?,
        Restorable::Contact | Restorable::Location | Restorable::Note => {
            Named { id: record.clone(), shown: record }
        }
    };
    let (id, done) = (&record.id, || format!("restored the {} {}", kind.word(), record.shown));
    match kind {
        Restorable::Customer => {
            let restored = operator.command(&about, arguments!(RestoreCustomer { id: id }))?;
            output.answer(&restored, done)?;
        }
        Restorable::Contact => {
            let restored = operator.command(&about, arguments!(RestoreContact { id: id }))?;
            output.answer(&restored, done)?;
        }
        Restorable::Location => {
            let restored = operator.command(&about, arguments!(RestoreLocation { id: id }))?;
            output.answer(&restored, done)?;
        }
        Restorable::Note => {
            let restored = operator.command(&about, arguments!(RestoreNote { id: id }))?;
            output.answer(&restored, done)?;
        }
    }
    Ok(())
}
