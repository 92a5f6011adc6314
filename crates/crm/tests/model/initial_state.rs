//! The state in which every sequence starts: a database with two businesses, their users and their keys. It is
//! created once and copied.

use serde_json::json;
use zoop_crm::call::scope::Scope;
use zoop_crm::testing::{Business, Caller, TestEnv, on};
use zoop_db::Dialect;
use zoop_postgres_cluster::Database;

use super::contract::{ADMINISTER, OPERATE};
use super::process::Credential;
use super::state::{self, File, Note, Tenant, milliseconds};

const EVERYTHING: &[&str] = &["read:customers", "write:customers", "read:notes", "write:notes"];

pub(super) struct InitialState {
    original: Original,
    pub(super) tenants: Vec<Tenant>,
    /// Milliseconds since 1970.
    pub(super) now: i64,
}

/// The database that is copied. No process has it open.
enum Original {
    File(Vec<u8>),
    Server(Database),
}

/// A sequence's own database, which is removed when this is dropped.
pub(super) struct Copy {
    pub(super) url: String,
    _storage: Storage,
}

/// Where a copy is.
enum Storage {
    Folder(#[expect(dead_code, reason = "removes the database when dropped")] tempfile::TempDir),
    Server(#[expect(dead_code, reason = "removes the database when dropped")] Database),
}

impl InitialState {
    pub(super) fn new(engine: Dialect) -> Self {
        let mut env = on(engine, TestEnv::new);
        // The notes that are there at first count as no writes.
        env.environment.note_writes_per_minute = 0;
        let tenants = ["Acme", "Beta"].map(|name| tenant(&env, &env.empty_business(name)));
        let now = env.environment.clock.now().0 / 1_000;
        let original = match engine {
            Dialect::Sqlite => {
                let path = env.path();
                // A closed database is one file.
                drop(env.db);
                Original::File(std::fs::read(path).expect("the database's file"))
            }
            Dialect::Postgres => Original::Server(env.into_server()),
        };
        Self { original, tenants: tenants.into(), now }
    }

    pub(super) fn copy(&self) -> Copy {
        match &self.original {
            Original::File(bytes) => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let path = folder.path().join("zoop.db");
                std::fs::write(&path, bytes).expect("room for a database");
                let url = format!("sqlite://{}", path.display());
                Copy { url, _storage: Storage::Folder(folder) }
            }
            Original::Server(database) => {
                let copy = database.copy().expect("a database");
                Copy { url: copy.url().to_owned(), _storage: Storage::Server(copy) }
            }
        }
    }
}

/// A business as the model represents it.
fn tenant(env: &TestEnv, business: &Business) -> Tenant {
    let user = |access: &Caller| Business::user(access).to_string();
    let key = |caller: Option<&Caller>, scopes: &[Scope]| {
        Credential::Key(env.key(business.account, caller.map(user).as_deref(), scopes))
    };
    let (owner, office, tech) =
        (Some(&business.owner), Some(&business.office), Some(&business.tech));
    let all = Scope::GRANTABLE;
    let reads = [Scope::ReadCustomers, Scope::ReadNotes];
    let writes = [Scope::WriteCustomers, Scope::WriteNotes];
    let operator = Credential::Operator(business.account.id.to_string());
    let callers: [(&'static str, &'static [&'static str], Option<&Caller>, Credential); 8] = [
        ("owner", EVERYTHING, owner, key(owner, all)),
        ("office", EVERYTHING, office, key(office, all)),
        ("tech", EVERYTHING, tech, key(tech, all)),
        ("tenant", EVERYTHING, None, key(None, all)),
        ("writer", &["write:customers", "write:notes"], office, key(office, &writes)),
        ("reader", &["read:customers", "read:notes"], office, key(office, &reads)),
        ("keeper", &["write:customers"], None, key(None, &[Scope::WriteCustomers])),
        (
            "operator",
            &[
                "read:customers",
                "write:customers",
                "read:notes",
                "write:notes",
                ADMINISTER,
                OPERATE,
            ],
            None,
            operator,
        ),
    ];
    let callers = callers.map(|(name, granted, caller, credential)| state::Caller {
        name,
        credential,
        granted,
        user: caller.map(user),
    });
    let roles = [(owner, "owner"), (office, "office"), (tech, "tech")];
    let roles = roles.map(|(caller, role)| (user(caller.expect("a user")), role));
    let names = [(owner, "Olive Owner"), (office, "Oscar Office"), (tech, "Tessa Tech")];
    let user_names = names.map(|(caller, name)| (user(caller.expect("a user")), name)).into();
    let (notes, files) = [&business.office, &business.tech]
        .into_iter()
        .map(|author| with_files(env, author))
        .unzip();
    let files: Vec<Vec<_>> = files;
    Tenant {
        callers: callers.into(),
        roles: roles.into(),
        user_names,
        notes,
        files: files.concat(),
        ..Tenant::default()
    }
}

/// A note of this author with a few files, which no sequence can add.
fn with_files(env: &TestEnv, author: &Caller) -> (Note, Vec<File>) {
    let note = env.create(author, "notes.create", json!({ "body": "Photos of the gate" }));
    let add = |number: usize| {
        let name = format!("gate {number}.txt");
        let file = env.add_file(author, &note, &name, b"The code is 4711.").expect("a file");
        File { id: json!(file.id), note: json!(note), is_removed: false }
    };
    let files: Vec<_> = (0..4).map(add).collect();
    let mut shown = env.call(author, "notes.get", json!({ "id": note })).expect("the note");
    let created = milliseconds(&shown["created_at"]);
    // The model adds them, as they are at the time.
    for name in ["created_by_name", "customer_id", "customer_name"] {
        shown.as_object_mut().expect("a note").remove(name);
    }
    (Note { shown, created, is_archived: false }, files)
}
