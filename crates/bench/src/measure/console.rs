//! The pages of the console with one caller, who is signed in: what a person waits for when a page opens, and at each
//! key while the list of customers follows the typing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};

use super::{Database, Run};
use crate::generate::landmarks::BusinessLandmarks;
use crate::load::{Expected, Requests};
use crate::opponents::server::{Commits, Zoop};
use crate::results::Key;

/// The tool in the results' keys.
pub(crate) const CONSOLE: &str = "console";
const PASSWORD: &str = "a phrase for the benchmark";
/// Callers' networks, of which each may open some thousand pages a minute.
const NETWORKS: usize = 64;

/// A page, and its addresses in a business.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    addresses: fn(&BusinessLandmarks) -> Vec<String>,
}

/// Every page that is measured.
pub(crate) const PAGES: &[Page] = &[
    Page { name: "the first page", addresses: |_| vec!["/".to_owned()] },
    Page { name: "customers", addresses: |_| vec!["/customers".to_owned()] },
    Page {
        name: "customers, at each key of a name",
        addresses: |business| {
            let names = business.terms.customer_rare_name.iter();
            names.chain(&business.terms.customer_common_name).flat_map(|name| typed(name)).collect()
        },
    },
    Page {
        name: "customers, at each key of a phone",
        addresses: |business| {
            business.terms.customer_phone_part.iter().flat_map(|digits| typed(digits)).collect()
        },
    },
    Page {
        name: "a customer",
        addresses: |business| {
            business.customer_ids.iter().map(|id| format!("/customers/{id}")).collect()
        },
    },
    Page { name: "notes", addresses: |_| vec!["/notes".to_owned()] },
    Page {
        name: "notes with a word",
        addresses: |business| {
            let words = business.terms.note_middling_word.iter();
            words.map(|word| format!("/notes?q={}", encoded(word))).collect()
        },
    },
    Page { name: "activity", addresses: |_| vec!["/activity".to_owned()] },
];

/// The addresses of the list while a text is being typed.
fn typed(text: &str) -> impl Iterator<Item = String> {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    ends.map(|end| format!("/customers?q={}", encoded(&text[..end])))
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(super) fn measure(run: &mut Run) -> Result<()> {
    run.begin("pages of the console", run.plan.rounds * PAGES.len() * run.databases.len());
    for index in 0..run.databases.len() {
        let database = &run.databases[index];
        let customers = database.customers;
        let business = database.largest().clone();
        let email = owner(&run.plan.zoop, database)?;
        let server = run.plan.zoop.start(&database.path, &business.owner_key, Commits::Grouped)?;
        let address = server.target.address;
        let session = sign_in(address, &email)?;
        for page in PAGES {
            let requests: Vec<_> = (page.addresses)(&business)
                .iter()
                .flat_map(|path| (0..NETWORKS).map(|it| get(address, path, &session, it)))
                .collect();
            for round in 0..run.plan.rounds {
                let key = Key {
                    server: "zoop".to_owned(),
                    tool: CONSOLE.to_owned(),
                    case: page.name.to_owned(),
                    callers: 1,
                    customers,
                    business: business.place.clone(),
                };
                let requests = Requests::Repeated(requests.clone(), Expected::Status(200));
                run.load(&server, requests, key, round)?;
            }
        }
    }
    Ok(())
}

/// The e-mail address of the largest business's owner, who gets a password.
fn owner(zoop: &Zoop, database: &Database) -> Result<String> {
    let of = ["user", "list", "--tenant", &database.largest().tenant_id];
    let users = zoop.command(&database.path, &of, "")?;
    let users = users["rows"].as_array().context("a list of users")?;
    let owner = users.iter().find(|user| user["role"] == "owner").context("an owner")?;
    let email = owner["email"].as_str().context("an e-mail address")?.to_owned();
    zoop.command(&database.path, &["user", "set-password", &email], PASSWORD)?;
    Ok(email)
}

/// Signs in as a browser does; returns the session's cookie.
fn sign_in(address: SocketAddr, email: &str) -> Result<String> {
    let form = format!("email={}&password={}", encoded(email), encoded(PASSWORD));
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /sign-in HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{form}",
        form.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 303 "), "signing in failed: {answer}");
    let cookies = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    let session = pairs.find(|pair| pair.contains("-session="));
    session.map(str::to_owned).context("no session")
}

fn get(address: SocketAddr, path: &str, session: &str, network: usize) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {session}\r\naccept: text/html\r\n\
         x-forwarded-for: 10.{network}.0.1\r\n\r\n"
    )
    .into_bytes()
}
