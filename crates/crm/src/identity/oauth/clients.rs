//! OAuth clients: registered dynamically (RFC 7591), or known by a metadata document whose URL is the
//! client id (draft-ietf-oauth-client-id-metadata-document).
//!
//! The user sees a client's metadata, but nothing in it is trusted, except for the redirect URIs.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use zoop_db::{ReadTx, Timestamp, WriteTx};

use super::redirect;
use super::store::clients as store;
use crate::call::error::Result;
use crate::call::sweep::Sweep;
use crate::identity::sign_in::attempts::{self, Limit};
use crate::values::clock::{Environment, Moment};
use crate::values::secret::{Secret, SecretKind};
use crate::values::text;

/// Maximum number of redirect URIs of a client.
const MAX_REDIRECTS: usize = 20;
/// Maximum total bytes of a client's redirect URIs.
const MAX_REDIRECT_BYTES: usize = 8 * 1024;
/// Maximum characters of a client's name; the rest is cut off.
const MAX_NAME_CHARACTERS: usize = 80;
/// Limit on registrations from one IP address (IPv6: one /64 prefix), across all processes.
const REGISTRATION_LIMIT: Limit = Limit { action: "registration", times: 20, seconds: 3_600 };
/// Maximum number of registered clients without a grant.
pub const MAX_UNCONNECTED: i64 = 10_000;
const HOUR: i64 = 3_600 * 1_000_000;
/// How long a client without a grant is kept after its last use, in microseconds.
const UNUSED_RETENTION: i64 = 30 * 24 * HOUR;

crate::call::argument::choices! {
    /// How a client became known to the server.
    pub enum ClientKind {
        /// The client registered itself.
        Registered = "registered",
        /// The client's id is the URL of its metadata document.
        Document = "document",
    }
}

/// A client that has registered, or whose metadata document is stored.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client's id: a URL if the client is known by a document.
    pub id: String,
    /// How it became known.
    pub kind: ClientKind,
    /// The client's name for itself.
    pub name: String,
    /// The URIs that may receive codes.
    pub redirect_uris: Vec<String>,
    /// When the document must be fetched again. `None` for a registered client.
    pub stale_at: Option<Timestamp>,
}

/// A program that somebody has connected, as the operator sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectedClient {
    /// Its id: a URL if it is known by a document.
    pub id: String,
    /// How it became known.
    pub kind: ClientKind,
    /// What it calls itself.
    pub name: String,
    /// Its redirect URIs.
    pub redirect_uris: Vec<String>,
    /// When it became known.
    pub created_at: Moment,
    /// When somebody was last asked about it.
    pub last_used_at: Moment,
    /// Number of connections that are not revoked, in all accounts.
    pub grants: i64,
}

/// The metadata with which a client describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The client's name.
    pub name: String,
    /// The URIs that may receive codes.
    pub redirect_uris: Vec<String>,
}

/// A fault in a client's metadata, in the terms of RFC 7591, 3.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataFault {
    /// The redirect URIs are missing, too many, too long or not allowed.
    RedirectUris,
    /// The metadata is not a JSON object.
    NotAnObject,
}

/// The result of a registration.
#[derive(Debug)]
pub enum Registration {
    /// The client is registered.
    Done(Client),
    /// There are too many clients without a grant.
    Full,
}

impl Metadata {
    /// Reads the name and the redirect URIs, and ignores everything else.
    ///
    /// # Errors
    /// The first fault.
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
        if !(1..=MAX_REDIRECTS).contains(&redirect_uris.len()) || bytes > MAX_REDIRECT_BYTES {
            return Err(MetadataFault::RedirectUris);
        }
        Ok(Self { name: clean_name(name), redirect_uris })
    }
}

/// A name without invisible or direction-changing characters, cut to [`MAX_NAME_CHARACTERS`].
fn clean_name(name: &str) -> String {
    let name: String = text::visible(name).chars().take(MAX_NAME_CHARACTERS).collect();
    match name.trim() {
        "" => "Unnamed program".to_owned(),
        name => name.to_owned(),
    }
}

/// Registers a client. `from` is the IP address (IPv6: the /64 prefix) of the request.
///
/// # Errors
/// [`Error::Conflict`](crate::call::error::Error::Conflict) with the seconds to wait after too many
/// registrations from this address.
pub fn register(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    metadata: &Metadata,
    from: &str,
) -> Result<Registration> {
    let now = environment.clock.now();
    attempts::record(tx, REGISTRATION_LIMIT, from, now)?;
    let Some(room) = make_room(tx, now, MAX_UNCONNECTED)? else { return Ok(Registration::Full) };
    let client = Client {
        id: Secret::generate(SecretKind::Client, &environment.entropy).expose().to_owned(),
        kind: ClientKind::Registered,
        name: metadata.name.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        stale_at: None,
    };
    store::add(tx, &client, now)?;
    if room == Room::Free {
        store::increment_unconnected(tx)?;
    }
    Ok(Registration::Done(client))
}

/// How room was found for another client without a grant.
#[derive(Debug, PartialEq, Eq)]
enum Room {
    /// The limit was not reached.
    Free,
    /// Another client was removed.
    Vacated,
}

/// Makes room for another client without a grant. If there are already `max` of them, removes the one with the
/// earliest last use, unless that was in the last hour: a user may be about to connect it. `None` if there is no
/// room.
fn make_room(tx: &mut WriteTx<'_>, now: Timestamp, max: i64) -> Result<Option<Room>> {
    if store::unconnected(tx)? < max {
        return Ok(Some(Room::Free));
    }
    let is_vacated = store::remove_oldest(tx, Timestamp(now.0 - HOUR))?;
    Ok(is_vacated.then_some(Room::Vacated))
}

/// The client with this id, if it is known.
///
/// # Errors
/// If the database fails.
pub fn find(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Client>> {
    store::get(tx, id)
}

/// Stores a client's metadata document, valid until `stale_at`.
///
/// # Errors
/// If the database fails.
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
    /// Whether `uri` is one of the client's redirect URIs.
    pub fn may_return_to(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect::matches(registered, uri))
    }

    /// Whether the client's stored document, if any, is still valid.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.stale_at.is_none_or(|at| at > now)
    }
}

/// The sweeps of clients without a grant that were not used for [`UNUSED_RETENTION`].
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "registered clients",
        step: |tx, now| {
            let removed =
                store::sweep(tx, ClientKind::Registered, Timestamp(now.0 - UNUSED_RETENTION))?;
            store::recount(tx)?;
            Ok(removed)
        },
    },
    Sweep {
        rows: "client documents",
        step: |tx, now| store::sweep(tx, ClientKind::Document, Timestamp(now.0 - UNUSED_RETENTION)),
    },
];

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zoop_both::both;

    use super::*;
    use crate::call::error::Error;
    use crate::testing::TestEnv;

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
        let env = TestEnv::new();
        let register = |n: u32| {
            let environment = env.environment.clone();
            let sent = json!({ "redirect_uris": ["https://a.example/cb"] });
            let metadata = Metadata::read(&sent).unwrap();
            env.write(move |tx| {
                if make_room(tx, environment.clock.now(), 3)?.is_none() {
                    return Ok(None);
                }
                match register(tx, &environment, &metadata, &format!("10.0.0.{n}"))? {
                    Registration::Done(client) => Ok(Some(client.id)),
                    Registration::Full => panic!("there should be room"),
                }
            })
            .unwrap()
        };
        let is_known = |id: &str| {
            let id = id.to_owned();
            env.read(move |tx| find(tx, &id)).unwrap().is_some()
        };
        let first = register(1).unwrap();
        env.clock.advance(1_000);
        let second = register(2).unwrap();
        register(3).unwrap();
        env.clock.advance(3_600_000 - 1_000);
        assert_eq!(register(4), None, "the oldest client is only an hour old");
        env.clock.advance(1);
        register(5).unwrap();
        assert!(!is_known(&first) && is_known(&second));
    }

    #[both]
    fn an_address_registers_twenty_programs_an_hour_whatever_the_process() {
        let env = TestEnv::new();
        let register = |from: &'static str| {
            let environment = env.environment.clone();
            let sent = json!({ "redirect_uris": ["https://a.example/cb"] });
            let metadata = Metadata::read(&sent).unwrap();
            env.write(move |tx| register(tx, &environment, &metadata, from))
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
        env.clock.advance(3_600_000);
        assert!(matches!(register("10.0.0.1"), Ok(Registration::Done(_))));
    }

    #[both]
    fn registering_costs_the_same_at_ten_thousand_programs_as_at_ten() {
        let env = TestEnv::new();
        let metadata = Metadata {
            name: "Program".to_owned(),
            redirect_uris: vec!["https://a.example/cb".to_owned()],
        };
        let fill = |number: i64| {
            let (environment, metadata) = (env.environment.clone(), metadata.clone());
            env.write(move |tx| {
                for n in 0..number {
                    let from = format!("10.{}.{}.{number}", n / 250, n % 250);
                    register(tx, &environment, &metadata, &from)?;
                }
                Ok(())
            })
            .unwrap();
        };
        let count_steps = || {
            let before = Timestamp(env.environment.clock.now().0 - HOUR);
            env.read(move |tx| store::steps(tx, before)).unwrap()
        };
        let register_one_more = || {
            let (environment, metadata) = (env.environment.clone(), metadata.clone());
            env.write(move |tx| register(tx, &environment, &metadata, "192.0.2.1")).unwrap()
        };
        fill(10);
        let at_ten = count_steps();
        fill(MAX_UNCONNECTED - 10);
        assert_eq!(count_steps(), at_ten);
        assert!(matches!(register_one_more(), Registration::Full));
        // The sweep counts the clients again.
        env.write(store::recount).unwrap();
        assert_eq!(env.read(store::unconnected).unwrap(), MAX_UNCONNECTED);
        env.clock.advance(3_600_001);
        let steps = count_steps();
        assert!(steps < at_ten + 100, "only the oldest client is read: {steps} {at_ten}");
        assert!(matches!(register_one_more(), Registration::Done(_)));
        assert_eq!(env.read(store::unconnected).unwrap(), MAX_UNCONNECTED);
    }
}
