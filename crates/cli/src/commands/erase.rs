//! `zoop erase`: erases a customer from the database, its files and the store of files, and says what was erased.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::business::customers::erase::certificate::Certificate;
use zoop_crm::business::customers::erase::{self, EraseCustomer, ErasedCustomer, rewriting};
use zoop_crm::business::customers::tools::get::GetCustomer;
use zoop_crm::call::access::Account;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::{database_identity, maintenance};
use zoop_db::Tenant;
use zoop_server::{DeletedContents, ErasedContents};

use crate::arguments::Erase;
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::{Missing, describe};
use crate::file_store;
use crate::names::Kind;
use crate::operator::{About, Operator};
use crate::output::{self, Output, cell};

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Erase, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    maintenance::check_rewrite(&config.database).map_err(|error| anyhow!(describe(&error)))?;
    let Some(customer) = &command.customer else {
        rewrite(config, operator)?;
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
    let account = operator.account(&about)?;
    let contents = contents(config, &operator, account, found.id)?;
    let erased = operator.long_command(&about, arguments());
    // Also after a failure: a part of the customer may be erased.
    let deleted = delete(&operator, account, found.id, &contents);
    if let Err(error) = erased {
        if let Err(left) = deleted {
            output::note(&left.to_string());
        }
        return Err(error);
    }
    // What was erased is certified, also if the files of the database still have some of it.
    let rewritten = rewrite(config, operator);
    let certificate = certificate(config, account, found.id)?;
    output.answer(&certificate, || certificate.to_string().trim_end().to_owned())?;
    if let Some(mut file) = file {
        writeln!(file, "{}", serde_json::to_string_pretty(&certificate)?)
            .context("the certificate cannot be written")?;
    }
    rewritten.and(deleted)
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

/// The content of the customer's files, if it can be deleted.
fn contents(
    config: &Config,
    operator: &Operator,
    account: Account,
    customer: Id<kinds::Customer>,
) -> Result<ErasedContents> {
    let (files, database) = operator.read(move |tx| {
        tx.bind(account.number);
        Ok((erase::files(tx, customer)?, database_identity::get(tx)?))
    })?;
    file_store::wait(ErasedContents::check(config.files()?, &database, account.id, files))
}

/// Deletes the content of the files that are erased, and counts it in the certificate.
fn delete(
    operator: &Operator,
    account: Account,
    customer: Id<kinds::Customer>,
    contents: &ErasedContents,
) -> Result<()> {
    let files = contents.files().to_vec();
    let without_row = operator.read(move |tx| {
        tx.bind(account.number);
        erase::without_row(tx, &files)
    })?;
    let delete = async { anyhow::Ok(contents.delete(&without_row).await) };
    let DeletedContents { count, outcome } = file_store::wait(delete)?;
    operator.write(move |tx| erase::contents_deleted(tx, account.number, customer, count))?;
    Ok(outcome?)
}

/// The certificate of an erasure that is done.
fn certificate(
    config: &Config,
    account: Account,
    customer: Id<kinds::Customer>,
) -> Result<Certificate> {
    let erasure = Operator::open(config, Missing::Refuse)?.read(move |tx| {
        tx.bind(account.number);
        erase::get(tx, customer)
    })?;
    let certificate = erasure.and_then(|erasure| Certificate::of(account.id, &erasure));
    certificate.context("the erasure was not stored")
}

/// Writes the database again, for all erasures that wait. This process's own connections would be in the way.
fn rewrite(config: &Config, operator: Operator) -> Result<()> {
    let now = operator.environment.clock.now();
    let (mut waiting, mut next) = (Vec::new(), Some(Tenant(0)));
    while let Some(from) = next {
        let found = operator.read(move |tx| rewriting::search(tx, from))?;
        waiting.extend(found.waiting);
        next = found.next;
    }
    let claims = operator.write(move |tx| rewriting::claim_all(tx, &waiting, now))?;
    drop(operator);
    maintenance::rewrite(&config.database, maintenance::REWRITE_PATIENCE).map_err(|error| {
        anyhow!(
            "{}: the records are erased, but the database's files may still have some of them; \
             `zoop erase --finish` writes these again, otherwise a server does in another night",
            describe(&error)
        )
    })?;
    let operator = Operator::open(config, Missing::Refuse)?;
    let now = operator.environment.clock.now();
    operator.write(move |tx| rewriting::rewritten(tx, &claims, now))
}

/// What is erased, a line for each kind.
fn counts(erased: &ErasedCustomer) -> String {
    let named = erased.counts.named().map(|(what, count)| format!("  {what}: {count}"));
    format!("  Customer {}\n{}", erased.customer_number, named.join("\n"))
}
