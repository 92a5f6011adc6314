//! A world for tests: a real database on a temporary file or a real server, a clock that stands still until it is
//! told to move, repeatable randomness, and callers with real keys.
//!
//! Tests speak to it as a front door does: by a tool's name and JSON. Nothing here is a mock of
//! anything that can be real.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_db::{Db, Dialect, Migrate, Options, ReadTx, Timestamp, WriteTx};

use crate::access::{Access, Account, Channel, Scope, Scopes};
use crate::catalog;
use crate::clock::{Clock, Entropy, Environment, parse_rfc3339};
use crate::error::{Error, Result};
use crate::id::{Id, kinds};
use crate::oauth::clients::{self, Metadata, Registration};
use crate::oauth::consent::{self, Choice};
use crate::oauth::grants;
use crate::oauth::requests::{self, Request};
use crate::oauth::tokens::{self, CodeRequest, Issued};
use crate::secret::Secret;
use crate::sign_in::SignedIn;
use crate::sign_in::sessions::{self, Method, Origin};
use crate::tool::Action;
use crate::{credential, run, schema, tenants};

/// When the world begins.
const START: &str = "2026-06-13T18:00:00.000Z";
/// Longer than any test's call: a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct MockClock(AtomicI64);

impl MockClock {
    /// Moves the clock, backwards too.
    pub fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The world.
pub struct World {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Arc<MockClock>,
    /// What calls need from around them.
    pub environment: Environment,
    url: String,
    /// Keeps the database as long as the world lives.
    keeper: Keeper,
}

/// What a world's database is kept in.
enum Keeper {
    Folder(#[expect(dead_code, reason = "held for its end")] tempfile::TempDir),
    Server(zoop_postgres_cluster::Database),
}

thread_local! {
    static ENGINE: Cell<Dialect> = const { Cell::new(Dialect::Sqlite) };
}

/// Runs a test whose worlds are on this engine; elsewhere they are on SQLite.
pub fn on<T>(engine: Dialect, test: impl FnOnce() -> T) -> T {
    ENGINE.set(engine);
    test()
}

/// The engine that this test's worlds are on.
pub fn engine() -> Dialect {
    ENGINE.get()
}

/// One business in the world: its people, their callers, and a few records.
pub struct Business {
    /// What calls need to know of it.
    pub account: Account,
    /// The owner, with every scope.
    pub owner: Access,
    /// A person of the office, with every scope.
    pub office: Access,
    /// A person of the crew, with every scope that the role can have.
    pub tech: Access,
    /// The account's own key, with every scope.
    pub tenant: Access,
    /// The secret of the owner's key.
    pub owner_key: String,
    /// The secret of the account's key.
    pub tenant_key: String,
    /// The ids of the sample records, by the name in the tools' examples.
    pub ids: Vec<(&'static str, String)>,
}

/// A place for a database, on the engine of this test.
fn place() -> (String, Keeper) {
    match engine() {
        Dialect::Sqlite => {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let url = format!("sqlite://{}", folder.path().join("zoop.db").display());
            (url, Keeper::Folder(folder))
        }
        Dialect::Postgres => {
            let database = zoop_postgres_cluster::database().expect("a database");
            (database.url().to_owned(), Keeper::Server(database))
        }
    }
}

impl World {
    /// An empty world.
    ///
    /// # Panics
    /// When the machine has no room for a temporary file, or no PostgreSQL where that is asked for.
    pub fn new() -> Self {
        let (url, keeper) = place();
        let start = parse_rfc3339(START).expect("the world's beginning");
        let clock = Arc::new(MockClock(AtomicI64::new(start.0)));
        let environment = Environment {
            clock: clock.clone(),
            entropy: Entropy::seeded(42),
            note_writes_per_minute: 60,
            dropped_artefacts: Arc::default(),
        };
        // Few threads: many worlds are there at once.
        let few = NonZeroUsize::new(2);
        let options = Options { readers: few, writers: few, ..Options::default() };
        let db = Db::open(&url, &options, schema::MIGRATIONS, Migrate::Run).expect("a database");
        Self { db, clock, environment, url, keeper }
    }

    /// The URL of the database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's server, for what the product cannot be asked; none where it is a file.
    pub const fn server(&self) -> Option<&zoop_postgres_cluster::Database> {
        match &self.keeper {
            Keeper::Server(database) => Some(database),
            Keeper::Folder(_) => None,
        }
    }

    /// Closes the database; what keeps it on its server.
    ///
    /// # Panics
    /// When the world is not on PostgreSQL.
    pub fn into_server(self) -> zoop_postgres_cluster::Database {
        drop(self.db);
        match self.keeper {
            Keeper::Server(database) => database,
            Keeper::Folder(_) => panic!("a world on PostgreSQL"),
        }
    }

    /// The database's file.
    ///
    /// # Panics
    /// When the world is not on SQLite.
    pub fn path(&self) -> std::path::PathBuf {
        zoop_db::engine::sqlite_path(&self.url).expect("a world on SQLite")
    }

    /// Runs `work` in a write transaction bound to no tenant.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut WriteTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(Instant::now() + PATIENCE, work).wait()
    }

    /// Runs `work` in a read transaction bound to no tenant.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read(Instant::now() + PATIENCE, work).wait()
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// Whatever the tool refuses.
    ///
    /// # Panics
    /// When there is no such tool, or it answers what is no JSON.
    pub fn call(&self, access: &Access, tool: &str, arguments: Value) -> Result<Value> {
        let answer = self.call_text(access, tool, &arguments.to_string())?;
        Ok(serde_json::from_str(&answer).expect("an answer in JSON"))
    }

    /// Calls a tool with arguments as text; the answer as text.
    ///
    /// # Errors
    /// Whatever the tool refuses.
    ///
    /// # Panics
    /// When there is no such tool.
    pub fn call_text(&self, access: &Access, tool: &str, arguments: &str) -> Result<String> {
        let tool = catalog::find(tool).expect("a tool of the catalogue");
        let (access, environment) = (access.clone(), self.environment.clone());
        let arguments = arguments.to_owned();
        match tool.action {
            Action::Query { .. } => {
                self.read(move |tx| run::read(tx, &access, &environment, tool, &arguments))
            }
            Action::Command { .. } => {
                self.write(move |tx| run::write(tx, &access, &environment, tool, &arguments, None))
            }
        }
    }

    /// Runs an operator's tool above tenants or in one.
    ///
    /// # Panics
    /// When it is refused.
    pub fn operate(&self, account: Option<Account>, tool: &str, arguments: Value) -> Value {
        self.call(&Access::operator(account), tool, arguments).expect("the operator's call")
    }

    /// A business with people, keys and no records.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn empty_business(&self, name: &str) -> Business {
        let email = |who: &str| format!("{who}@{}.example", name.to_lowercase());
        let made = self.operate(
            None,
            "tenants.create",
            json!({
                "name": name, "owner_name": "Olive Owner", "owner_email": email("owner"),
            }),
        );
        let id = Id::parse(text(&made, "tenant_id")).expect("a tenant's id");
        let account = self.read(move |tx| tenants::account(tx, id)).expect("the account");
        let user = |who: &str, role: &str| {
            let arguments = json!({ "name": who, "email": email(role), "role": role });
            text(&self.operate(Some(account), "users.create", arguments), "user_id").to_owned()
        };
        let owner = text(&made, "owner_id").to_owned();
        let office = user("Oscar Office", "office");
        let tech = user("Tessa Tech", "tech");
        let owner_key = self.key(account, Some(&owner), Scope::GRANTABLE);
        let tenant_key = self.key(account, None, Scope::GRANTABLE);
        let ids = vec![("office_user", office.clone())];
        Business {
            account,
            owner: self.access(&owner_key),
            office: self.access(&self.key(account, Some(&office), Scope::GRANTABLE)),
            tech: self.access(&self.key(account, Some(&tech), Scope::GRANTABLE)),
            tenant: self.access(&tenant_key),
            owner_key,
            tenant_key,
            ids,
        }
    }

    /// A business with the records that the tools' examples speak of.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn business(&self, name: &str) -> Business {
        let mut business = self.empty_business(name);
        let owner = business.owner.clone();
        let customer = self.made(
            &owner,
            "customers.create",
            json!({
                "customer_type": "individual", "first_name": "Hana", "last_name": "Nguyen",
                "phone": "(510) 555-0123", "email": "hana@example.com",
                "location": { "address_line1": "482 Oak Street", "city": "Oakland", "state": "CA",
                              "postal_code": "94607" },
            }),
        );
        let full = self.call(&owner, "customers.get", json!({ "id": customer })).expect("it");
        let contact = text(&full["contacts"][0], "id").to_owned();
        let location = text(&full["locations"][0], "id").to_owned();
        let other_contact = self.made(
            &owner,
            "contacts.create",
            json!({
                "customer_id": customer, "first_name": "Ben", "last_name": "Nguyen",
            }),
        );
        let tag = self.made(&owner, "tags.create", json!({ "name": "HOA" }));
        let job = self.operate(
            Some(business.account),
            "subjects.create",
            json!({
                "customer_id": customer, "subject_type": "job", "title": "Repipe", "status": "open",
            }),
        );
        let note = self.made(&owner, "notes.create", json!({ "body": "Gate sticks." }));
        let key = self.operate(
            Some(business.account),
            "keys.create",
            json!({
                "scopes": "read:customers",
            }),
        );
        let owner_id = Business::user(&owner);
        let (grant, _) = self.connect(business.account, owner_id, Scopes::of(Scope::GRANTABLE));
        let invitation = self.operate(
            Some(business.account),
            "invitations.create",
            json!({ "name": "Ines Invited", "email": "invited@example.com", "role": "tech" }),
        );
        self.archive_samples(&mut business, &customer);
        let assignment = json!({ "id": tag, "customer_id": business.id("archived_customer") });
        self.operate(Some(business.account), "tags.attach", assignment);
        business.ids.extend([
            ("customer", customer),
            ("contact", contact),
            ("other_contact", other_contact),
            ("location", location),
            ("tag", tag),
            ("job", text(&job, "id").to_owned()),
            ("note", note),
            ("key", text(&key, "key_id").to_owned()),
            ("grant", grant.to_string()),
            ("invitation", text(&invitation, "invitation_id").to_owned()),
        ]);
        business
    }

    /// One archived record of each kind that can be restored.
    fn archive_samples(&self, business: &mut Business, customer: &str) {
        let owner = business.owner.clone();
        let samples = [
            (
                "archived_customer",
                "customers",
                json!({
                    "customer_type": "company", "company_name": "Closed Down",
                }),
            ),
            (
                "archived_contact",
                "contacts",
                json!({
                    "customer_id": customer, "first_name": "Moved", "last_name": "Away",
                }),
            ),
            (
                "archived_location",
                "locations",
                json!({
                    "customer_id": customer, "address_line1": "1 Sold Street", "city": "Oakland",
                    "state": "CA", "postal_code": "94607",
                }),
            ),
            ("archived_note", "notes", json!({ "body": "Out of date." })),
        ];
        for (name, group, arguments) in samples {
            let id = self.made(&owner, &format!("{group}.create"), arguments.clone());
            let mut which = json!({ "id": id });
            if !arguments["customer_id"].is_null() {
                which["customer_id"] = json!(customer);
            }
            self.call(&owner, &format!("{group}.archive"), which).expect("it is archived");
            business.ids.push((name, id));
        }
    }

    /// Calls a tool that makes a record; the record's id.
    ///
    /// # Panics
    /// When it is refused.
    pub fn made(&self, access: &Access, tool: &str, arguments: Value) -> String {
        let made = self.call(access, tool, arguments).expect("the record is made");
        text(&made, "id").to_owned()
    }

    /// A new key's secret.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn key(&self, account: Account, user: Option<&str>, scopes: &[Scope]) -> String {
        let made = self.operate(
            Some(account),
            "keys.create",
            json!({
                "user": user, "scopes": Scopes::of(scopes).list(), "name": "test",
            }),
        );
        text(&made, "key").to_owned()
    }

    /// Signs a person in; the session's secret and who they are.
    ///
    /// # Panics
    /// When the database fails.
    pub fn sign_in(&self, user: Id<kinds::User>) -> (Secret, SignedIn) {
        let environment = self.environment.clone();
        self.write(move |tx| signed_in(tx, &environment, user)).expect("a session")
    }

    /// Connects a program to a person, as a browser and the program do; its grant and its tokens.
    ///
    /// # Panics
    /// When it is refused.
    pub fn connect(
        &self,
        account: Account,
        user: Id<kinds::User>,
        scopes: Scopes,
    ) -> (Id<kinds::Grant>, Issued) {
        connect(&self.db, &self.environment, account.id, user, scopes)
    }

    /// The caller that a key is.
    ///
    /// # Panics
    /// When the key is no good.
    pub fn access(&self, key: &str) -> Access {
        self.authenticate(key).expect("a good key")
    }

    /// The caller that a token is, or the reason's name on the wire.
    ///
    /// # Errors
    /// The reason for which the token is no good.
    ///
    /// # Panics
    /// When the database fails.
    pub fn authenticate(&self, token: &str) -> Result<Access, &'static str> {
        let (token, now) = (token.to_owned(), self.clock.now());
        self.read(move |tx| credential::authenticate(tx, &token, Channel::Mcp, None, now))
            .expect("the database answers")
            .map(|caller| caller.access)
            .map_err(credential::Denied::reason)
    }
}

fn signed_in(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    user: Id<kinds::User>,
) -> Result<(Secret, SignedIn)> {
    let origin = Origin { address: None, browser: "a test".to_owned() };
    let secret = sessions::start(tx, environment, user, Method::Password, &origin)?;
    let found = sessions::find(tx, &secret, environment.clock.now())?;
    Ok((secret, found.expect("the session is good")))
}

/// Connects a program to a person, as a browser and the program do; its grant and its tokens.
///
/// # Panics
/// When it is refused.
pub fn connect(
    db: &Db,
    environment: &Environment,
    tenant: Id<kinds::Tenant>,
    user: Id<kinds::User>,
    scopes: Scopes,
) -> (Id<kinds::Grant>, Issued) {
    const REDIRECT: &str = "https://program.example/callback";
    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let environment = environment.clone();
    let connecting = db.write::<_, Error>(Instant::now() + PATIENCE, move |tx| {
        let (_, person) = signed_in(tx, &environment, user)?;
        let said = json!({ "client_name": "Program", "redirect_uris": [REDIRECT] });
        let metadata = Metadata::read(&said).expect("sound metadata");
        let from = person.session.to_string();
        let registered = clients::register(tx, &environment, &metadata, &from)?;
        let Registration::Done(client) = registered else { panic!("{registered:?}") };
        let request = Request {
            client_id: client.id.clone(),
            redirect_uri: REDIRECT.to_owned(),
            state: None,
            challenge: CHALLENGE.to_owned(),
            scopes,
        };
        let parked = requests::park(tx, &environment, &person, &request)?;
        let choice = Choice { tenant, scopes, is_allowed: true };
        let answer = consent::answer(tx, &environment, &person, &parked, choice, None)?;
        let consent::Outcome::Allowed(_, code) = answer else { panic!("{answer:?}") };
        let verifier = VERIFIER.to_owned();
        let asked = CodeRequest { client_id: client.id, code, verifier, redirect_uri: None };
        let tokens::Outcome::Issued(issued) = tokens::exchange(tx, &environment, &asked, None)?
        else {
            panic!("the code is good")
        };
        let grants = grants::of_person(tx, &person, environment.clock.now())?;
        Ok((grants.last().expect("a grant").id, issued))
    });
    connecting.wait().expect("a connected program")
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Business {
    /// The id of a sample record.
    ///
    /// # Panics
    /// When there is no such record.
    pub fn id(&self, name: &str) -> &str {
        let found = self.ids.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("a sample record called {name}")).1
    }

    /// An example's text with this business's ids in it.
    pub fn fill(&self, example: &str) -> String {
        self.ids
            .iter()
            .fold(example.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }

    /// The user id of one of its people.
    ///
    /// # Panics
    /// When the caller is no person.
    pub fn user(access: &Access) -> Id<kinds::User> {
        access.actor.user().expect("a person")
    }
}

/// A text member of an answer.
///
/// # Panics
/// When it is not there.
pub fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer[key].as_str().unwrap_or_else(|| panic!("{key} in {answer}"))
}

/// What a caller is told of an error, without the request's id.
///
/// # Panics
/// When it cannot be written.
pub fn told(error: &Error) -> Value {
    serde_json::from_str(&error.public_json("test")).expect("an error in JSON")
}
