//! `zoop restore`: restores an archived record.

use anyhow::Result;
use zoop_crm::arguments;
use zoop_crm::business::catalog_items::tools::restore::RestoreCatalogItem;
use zoop_crm::business::customers::contacts::tools::restore::RestoreContact;
use zoop_crm::business::customers::locations::tools::restore::RestoreLocation;
use zoop_crm::business::customers::tools::restore::RestoreCustomer;
use zoop_crm::business::jobs::tools::restore::RestoreJob;
use zoop_crm::business::notes::tools::restore::RestoreNote;
use zoop_crm::business::quotes::tools::RestoreQuote;
use zoop_crm::business::tax_rates::tools::RestoreTaxRate;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::tool::Command;

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
    // The others are not found by name, only by id.
    let record = match kind {
        Restorable::Customer => operator.find(&about, Kind::ArchivedCustomer, &record)?,
        Restorable::Contact
        | Restorable::Location
        | Restorable::Note
        | Restorable::TaxRate
        | Restorable::CatalogItem
        | Restorable::Quote
        | Restorable::Job => Named { id: record.clone(), shown: record },
    };
    let id = &record.id;
    let command = Restoration {
        operator,
        about,
        message: format!("restored the {} {}", kind.word(), record.shown),
    };
    match kind {
        Restorable::Customer => command.run(arguments!(RestoreCustomer { id: id }), output),
        Restorable::Contact => command.run(arguments!(RestoreContact { id: id }), output),
        Restorable::Location => command.run(arguments!(RestoreLocation { id: id }), output),
        Restorable::Note => command.run(arguments!(RestoreNote { id: id }), output),
        Restorable::TaxRate => command.run(arguments!(RestoreTaxRate { id: id }), output),
        Restorable::CatalogItem => command.run(arguments!(RestoreCatalogItem { id: id }), output),
        Restorable::Quote => command.run(arguments!(RestoreQuote { id: id }), output),
        Restorable::Job => command.run(arguments!(RestoreJob { id: id }), output),
    }
}

/// The parts of the command that are the same for every kind of record.
struct Restoration {
    operator: Operator,
    about: About,
    /// The message for people.
    message: String,
}

impl Restoration {
    fn run<T>(self, which: Arguments<T>, output: &mut Output<'_>) -> Result<()>
    where
        T: Command<Output: Send>,
    {
        let answer = self.operator.command(&self.about, which)?;
        output.answer(&answer, || self.message)?;
        Ok(())
    }
}
