//! The web console as a browser without scripts sees it.

mod apps;
mod customer;
mod customers;
mod downloads;
mod duplicates;
mod erasing;
mod filled;
mod forms;
mod history;
mod imports;
mod keys;
mod merging;
mod note_files;
mod notes;
mod parts;
mod records;
mod settings;
mod tags;
mod tax_rates;
mod undo;
mod write_note;

use serde_json::{Value, json};
use zoop_server::Settings;

use crate::http::Reply;
use crate::people::{self, Browser, PASSWORD, location, set_password};
use crate::server::Server;

const OFFICE: &str = "office@acme.example";
const TECH: &str = "tech@acme.example";

/// A server whose owner, office user and tech have passwords.
fn start() -> Server {
    start_with(|_| {})
}

/// [`start`], with changed settings.
fn start_with(change: impl FnOnce(&mut Settings)) -> Server {
    let server = people::start_with(change);
    for email in [OFFICE, TECH] {
        set_password(&server, email, PASSWORD);
    }
    server
}

/// The browser of a user, signed in.
fn browser_of<'s>(server: &'s Server, email: &str) -> Browser<'s> {
    let mut browser = Browser::new(server);
    browser.sign_in(email, PASSWORD);
    browser
}

/// Where an answer leads, without the change that the page there offers to undo.
fn without_change(reply: &Reply) -> String {
    let address = location(reply);
    let Some((before, change)) = address.split_once("&change=") else { return address.to_owned() };
    format!(
        "{before}{}",
        change.trim_start_matches(|letter| letter == '-' || char::is_ascii_hexdigit(&letter))
    )
}

/// Creates a record as the owner, and returns its id.
fn create(server: &Server, tool: &str, arguments: Value) -> String {
    server.env.create(&server.business.owner, tool, arguments)
}

/// Calls a tool as the owner.
fn call(server: &Server, tool: &str, arguments: Value) -> Value {
    server.env.call(&server.business.owner, tool, arguments).expect("the owner's call")
}

/// A company, and its id.
fn company(server: &Server, name: &str) -> String {
    let arguments = json!({ "customer_type": "company", "company_name": name });
    create(server, "customers.create", arguments)
}

fn business(server: &Server) -> String {
    server.business.account.id.to_string()
}

/// An address in a page's HTML, as a browser reads it.
fn unescaped(html: &str) -> String {
    html.replace("&#38;", "&").replace("&amp;", "&")
}
