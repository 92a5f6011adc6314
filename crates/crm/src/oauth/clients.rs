//! Programs that people connect: registered by themselves (RFC 7591), or known by the document that
//! their id is the address of (draft-ietf-oauth-client-id-metadata-document).
//!
//! What a program says of itself is shown to the person and trusted for nothing but where codes go.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::redirect;
use super::store::clients as store;
use crate::clock::{Environment, Moment};
use crate::error::Result;
use crate::secret::{Secret, SecretKind};
use crate::sign_in::attempts::{self, Limit};
use crate::text;

/// Redirect URIs that a program may have.
const MOST_REDIRECTS: usize = 20;
/// Bytes of all its redirect URIs together.
const REDIRECT_BYTES: usize = 8 * 1024;
/// Characters that are kept of its name.
const NAME_CHARACTERS: usize = 80;
/// Registrations from one neighbourhood, in all processes.
const REGISTRATIONS: Limit = Limit { action: "registration", times: 20, seconds: 3_600 };
/// Registered programs that nobody has connected.
pub const MOST_UNCONNECTED: i64 = 10_000;
const HOUR: i64 = 3_600 * 1_000_000;
/// How long a program stays that nobody connected.
const UNUSED: i64 = 30 * 24 * HOUR;

crate::argument::choices! {
    /// How a program became known.
    pub enum ClientKind {
        /// It registered itself.
        Registered = "registered",
        /// Its id is the address of its document.
        Document = "document",
    }
}

/// A program.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// How it became known.
    pub kind: ClientKind,
    /// What it calls itself.
    pub name: String,
    /// Where it may be sent back to.
    pub redirect_uris: Vec<String>,
    /// When its document is to be fetched again.
    pub stale_at: Option<Timestamp>,
}

/// A program that somebody has connected, as the operator sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectedClient {
    /// Its id: an address, where it is known by a document.
    pub id: String,
    /// How it became known.
    pub kind: ClientKind,
    /// What it calls itself.
    pub name: String,
    /// Where it may be sent back to.
    pub redirect_uris: Vec<String>,
    /// When it became known.
    pub created_at: Moment,
    /// When somebody was last asked about it.
    pub last_used_at: Moment,
    /// How many people's connections are not revoked, in all accounts.
    pub grants: i64,
}

/// What a program says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Where it may be sent back to.
    pub redirect_uris: Vec<String>,
}

/// What is wrong with what a program says of itself; the words are RFC 7591's, 3.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataFault {
    /// Its redirect URIs.
    RedirectUris,
    /// It is no JSON object.
    NotAnObject,
}

/// How a registration ended.
#[derive(Debug)]
pub enum Registration {
    /// The program is known now.
    Done(Client),
    /// There is no room for programs that nobody connects.
    Full,
}

impl Metadata {
    /// Reads what matters here; all else is ignored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(sent: &Value) -> Result<Self, MetadataFault> {
        let fields = sent.as_object().ok_or(MetadataFault::NotAnObject)?;
        let name = fields.get("client_name").and_then(Value::as_str).unwrap_or_default();
        let uris = fields.get("redirect_uris").and_then(Value::as_array);
        let uris = uris.ok_or(MetadataFault::RedirectUris)?;
        let mut redirect_uris = Vec::new();
        for uri in uris {
            let uri = uri.as_str().filter(|uri| redirect::is_allowed(uri));
            redirect_uris.push(uri.ok_or(MetadataFault::RedirectUris)?.to_owned());
        }
        let bytes: usize = redirect_uris.iter().map(String::len).sum();
        if !(1..=MOST_REDIRECTS).contains(&redirect_uris.len()) || bytes > REDIRECT_BYTES {
            return Err(MetadataFault::RedirectUris);
        }
        Ok(Self { name: cleaned(name), redirect_uris })
    }
}

/// A name as a reader sees it, without what turns the direction of text or cannot be seen.
fn cleaned(name: &str) -> String {
    let name: String = text::visible(name).chars().take(NAME_CHARACTERS).collect();
    match name.trim() {
        "" => "Unnamed program".to_owned(),
        name => name.to_owned(),
    }
}

/// Registers a program. `from` is the neighbourhood that the request came from.
///
/// # Errors
/// [`Error::Conflict`](crate::error::Error::Conflict) with the seconds to wait where too many came from
/// there.
pub fn register(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    metadata: &Metadata,
    from: &str,
) -> Result<Registration> {
    let now = environment.clock.now();
    attempts::count(tx, REGISTRATIONS, from, now)?;
    if !make_room(tx, now, MOST_UNCONNECTED)? {
        return Ok(Registration::Full);
    }
    let client = Client {
        id: Secret::generate(SecretKind::Client, &environment.entropy).expose().to_owned(),
        kind: ClientKind::Registered,
        name: metadata.name.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        stale_at: None,
    };
    store::add(tx, &client, now)?;
    Ok(Registration::Done(client))
}

/// Whether one more fits below `most`; where it does not, the program that nobody used for longest gives
/// way, unless somebody may be about to connect it.
fn make_room(tx: &mut WriteTx<'_>, now: Timestamp, most: i64) -> Result<bool> {
    Ok(store::unconnected(tx)? < most || store::remove_oldest(tx, Timestamp(now.0 - HOUR))?)
}

/// The program with this id, if it is known.
///
/// # Errors
/// The database's.
pub fn find(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Client>> {
    store::get(tx, id)
}

/// Keeps what a program's document says until `stale_at`.
///
/// # Errors
/// The database's.
pub fn keep_document(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    address: &str,
    metadata: &Metadata,
    stale_at: Timestamp,
) -> Result<Client> {
    let client = Client {
        id: address.to_owned(),
        kind: ClientKind::Document,
        name: metadata.name.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        stale_at: Some(stale_at),
    };
    store::keep(tx, &client, environment.clock.now())?;
    Ok(client)
}

impl Client {
    /// Whether the program may be sent back to `uri`.
    pub fn may_return_to(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect::matches(registered, uri))
    }

    /// Whether what its document said may be used for another request.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.stale_at.is_none_or(|at| at > now)
    }
}

/// Removes programs that nobody used for long and nobody has connected.
pub(super) fn sweep(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<usize> {
    store::sweep(tx, Timestamp(now.0 - UNUSED))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zoop_both::both;

    use super::*;
    use crate::error::Error;
    use crate::testing::World;

    fn read(sent: Value) -> Result<Metadata, MetadataFault> {
        Metadata::read(&sent)
    }

    #[test]
    fn what_a_program_says_of_itself_is_cleaned_and_bounded() {
        let uri = "https://a.example/cb";
        let name = format!("Acme\u{202e}\u{200b}\n {}", "é".repeat(100));
        let read_name = read(json!({ "client_name": name, "redirect_uris": [uri] })).unwrap().name;
        assert_eq!(read_name, format!("Acme {}", "é".repeat(75)));
        let unnamed = read(json!({ "client_name": "\u{200b} ", "redirect_uris": [uri] })).unwrap();
        assert_eq!(unnamed.name, "Unnamed program");
        for blank in ["\u{3164}", "\u{2800}\u{2800}", "\u{fe0f}", "\u{34f} \u{2066}"] {
            let unnamed = read(json!({ "client_name": blank, "redirect_uris": [uri] })).unwrap();
            assert_eq!(unnamed.name, "Unnamed program", "{blank:?}");
        }
        for uris in [
            json!([]),
            json!("https://a.example/cb"),
            json!([uri, 7]),
            json!([uri, "javascript:alert(1)"]),
            json!(vec![uri; 21]),
            json!(vec![format!("https://a.example/{}", "x".repeat(900)); 10]),
            Value::Null,
        ] {
            let refused = read(json!({ "redirect_uris": uris }));
            assert_eq!(refused, Err(MetadataFault::RedirectUris), "{uris}");
        }
        assert_eq!(read(json!([])), Err(MetadataFault::NotAnObject));
    }

    #[both]
    fn the_program_that_nobody_used_for_longest_gives_way_but_not_within_the_hour() {
        let world = World::new();
        let register = |n: u32| {
            let environment = world.environment.clone();
            let sent = json!({ "redirect_uris": ["https://a.example/cb"] });
            let metadata = Metadata::read(&sent).unwrap();
            world
                .write(move |tx| {
                    if !make_room(tx, environment.clock.now(), 3)? {
                        return Ok(None);
                    }
                    match register(tx, &environment, &metadata, &format!("10.0.0.{n}"))? {
                        Registration::Done(client) => Ok(Some(client.id)),
                        Registration::Full => panic!("there is room"),
                    }
                })
                .unwrap()
        };
        let known = |id: &str| {
            let id = id.to_owned();
            world.read(move |tx| find(tx, &id)).unwrap().is_some()
        };
        let first = register(1).unwrap();
        world.clock.advance(1_000);
        let second = register(2).unwrap();
        register(3).unwrap();
        world.clock.advance(3_600_000 - 1_000);
        assert_eq!(register(4), None, "the oldest is only an hour old");
        world.clock.advance(1);
        register(5).unwrap();
        assert!(!known(&first) && known(&second));
    }

    #[both]
    fn an_address_registers_twenty_programs_an_hour_whatever_the_process() {
        let world = World::new();
        let register = |from: &'static str| {
            let environment = world.environment.clone();
            let sent = json!({ "redirect_uris": ["https://a.example/cb"] });
            let metadata = Metadata::read(&sent).unwrap();
            world.write(move |tx| register(tx, &environment, &metadata, from))
        };
        for _ in 0..20 {
            assert!(matches!(register("10.0.0.1"), Ok(Registration::Done(_))));
        }
        let refused = register("10.0.0.1");
        assert!(
            matches!(refused, Err(Error::Conflict { retry_after_s: Some(3_600), .. })),
            "{refused:?}"
        );
        assert!(matches!(register("10.0.0.2"), Ok(Registration::Done(_))));
        world.clock.advance(3_600_000);
        assert!(matches!(register("10.0.0.1"), Ok(Registration::Done(_))));
    }
}
