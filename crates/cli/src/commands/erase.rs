//! `zoop erase`: erases a customer from the database, its files and the store of files, and says what was erased.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use zoop_crm::arguments;
use zoop_crm::business::customers::erase::certificate::{Certificate, STAYS};
use zoop_crm::business::customers::erase::{self, EraseCustomer, ErasedCustomer};
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::{database_identity, maintenance};
use zoop_server::{FileStore, Owner};

use crate::arguments::Erase;
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::{Missing, describe};
use crate::file_store;
use crate::names::Kind;
use crate::operator::{About, Operator};
use crate::output::{Output, cell};

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Erase, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    let Some(customer) = &command.customer else {
        drop(operator);
        rewrite(config)?;
        output.answer(&json!({ "rewritten": true }), || {
            "The database is written again.".to_owned()
        })?;
        return Ok(());
    };
    let about = About::Tenant(command.of.tenant.clone());
    let id = find(&operator, &about, customer)?;
    let id = id.as_str();
    let name = operator.query(&about, arguments!(GetCustomer { id: id }))?.customer.display_name;
    let name = cell(&json!(name));
    let arguments = || arguments!(EraseCustomer { id: id });
    let found = operator.command(&about, arguments().with("dry_run", true))?;
    if command.dry_run {
        output.answer(&found, || format!("This would be erased of {name}:\n{}", counts(&found)))?;
        return Ok(());
    }
    let file = command.certificate.as_deref().map(new_file).transpose()?;
    let question = format!("{}\nErase {name} for good? Nothing brings it back.", counts(&found));
    confirm(&command.confirmation, &question)?;
    let contents = Contents::of(config, &operator, &about, found.id)?;
    let erased = operator.long_command(&about, arguments())?;
    let tenant_id = operator.account(&about)?.id;
    let deleted = contents.delete();
    let at = Moment(operator.environment.clock.now());
    // The database is written again without this process's own connections.
    drop(operator);
    // What was erased is certified, also if the files of the database still have some of it.
    let rewritten = rewrite(config);
    let is_rewritten = rewritten.is_ok();
    let contents = *deleted.as_ref().unwrap_or(&0);
    let certificate = Certificate { tenant_id, at, erased, contents, is_rewritten, stays: STAYS };
    output.answer(&certificate, || text(&certificate))?;
    if let Some(mut file) = file {
        writeln!(file, "{}", serde_json::to_string_pretty(&certificate)?)
            .context("the certificate cannot be written")?;
    }
    rewritten.and(deleted.map(drop))
}

/// The file for the certificate. It is made before anything is erased, and replaces no other.
fn new_file(path: &Path) -> Result<File> {
    File::create_new(path)
        .with_context(|| format!("the certificate cannot be written to {}", path.display()))
}

/// The id of the customer, who may be archived. Not by name: two people may have the same.
fn find(operator: &Operator, about: &About, customer: &str) -> Result<String> {
    let is_number = customer
        .trim_start_matches(['C', 'c'])
        .trim_start_matches('-')
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    if !is_number && Id::<kinds::Customer>::parse(customer).is_none() {
        bail!(
            "name the customer by its number, such as C-0042, or by its id: several people may have one name"
        );
    }
    let found = operator.find(about, Kind::Customer, customer).or_else(|error| {
        operator.find(about, Kind::ArchivedCustomer, customer).map_err(|_| error)
    })?;
    Ok(found.id)
}

/// The content of the customer's files, as the rows name it before they are erased.
struct Contents {
    tenant: Id<kinds::Tenant>,
    files: Vec<Id<kinds::File>>,
    store: Option<FileStore>,
}

impl Contents {
    /// Finds the content, and refuses if it could not be deleted.
    fn of(
        config: &Config,
        operator: &Operator,
        about: &About,
        customer: Id<kinds::Customer>,
    ) -> Result<Self> {
        let account = operator.account(about)?;
        let files = operator.read(move |tx| {
            tx.bind(account.number);
            erase::files(tx, customer)
        })?;
        if files.is_empty() {
            return Ok(Self { tenant: account.id, files, store: None });
        }
        let store = config.files()?.context(
            "the customer has files: set files.url to where their content is, so that it is deleted too",
        )?;
        let database = operator.read(database_identity::get)?;
        let owner = file_store::wait(store.owner(&database));
        if owner.with_context(|| format!("{store} cannot be read"))? == Owner::AnotherDatabase {
            bail!(
                "{store} belongs to another database, which may need the customer's files: see `zoop files adopt --help`"
            );
        }
        Ok(Self { tenant: account.id, files, store: Some(store) })
    }

    /// Deletes the content. Returns of how many files. What stays belongs to no file any more, so a server's sweep
    /// deletes it later.
    fn delete(&self) -> Result<usize> {
        let Some(store) = &self.store else { return Ok(0) };
        file_store::wait(store.erase(self.tenant, &self.files)).with_context(|| {
            format!("the content of files cannot be deleted in {store} now; a server deletes it within days")
        })?;
        Ok(self.files.len())
    }
}

fn rewrite(config: &Config) -> Result<()> {
    maintenance::rewrite(&config.database).map_err(|error| {
        anyhow::anyhow!(
            "{}: the records are erased, but the database's files may still have some of them; \
             `zoop erase --finish` writes these again",
            describe(&error)
        )
    })
}

/// What is erased, a line for each kind.
fn counts(erased: &ErasedCustomer) -> String {
    let ErasedCustomer { customer_number, customers, contacts, locations, subjects, .. } = erased;
    let ErasedCustomer { tags, notes, files, entries, .. } = erased;
    format!(
        "  customer {customer_number}, with those merged into it: {customers}\n  \
         contacts: {contacts}\n  locations: {locations}\n  \
         titles of jobs, quotes, invoices and estimates: {subjects}\n  \
         assignments of tags: {tags}\n  notes: {notes}\n  files: {files}\n  \
         values in entries of the history: {entries}"
    )
}

/// The certificate for people.
fn text(certificate: &Certificate) -> String {
    let at = serde_json::to_value(certificate.at).ok();
    let at = at.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let stays = certificate.stays.iter().map(|it| format!("  {}:\n    {}", it.what, it.why));
    format!(
        "Erased on {at}, for good:\n{}\n  contents of files: {}\n\nThis stays:\n{}",
        counts(&certificate.erased),
        certificate.contents,
        stays.collect::<Vec<_>>().join("\n")
    )
}
