//! The rights that a serving role needs on PostgreSQL, as documented in docs/scaling.md.

use serde_json::json;

use crate::client::Client;
use crate::crash::source::Source;
use crate::env::{Folder, database, text, wait_until};
use crate::people::sign_in;

const PAGE: &str = include_str!("../../../../docs/scaling.md");
/// Creates the role, and revokes the right to create tables, which older servers give to every role.
const ROLE: &str = "
    DO $$ BEGIN CREATE ROLE zoop_serving LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
";

/// The page's statements that grant the role its rights.
fn grants() -> &'static str {
    let mut statements = PAGE.split("```sql").skip(1).filter_map(|rest| rest.split("```").next());
    statements.find(|it| it.contains("TO zoop_serving")).expect("the page has the statements")
}

#[test]
fn a_role_with_only_row_privileges_can_serve() {
    let folder = Folder::over(database());
    let (_, owner, key) = folder.business();
    let source = Source::of(&folder);
    let server = folder.server().expect("a server");
    server.run_as_superuser(ROLE).expect("a role");
    server.run(grants()).expect("the owner may grant the rights");
    let later = "CREATE TABLE later (n integer); \
                 SELECT bool_and(has_table_privilege('zoop_serving', 'later', word)) \
                 FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS word";
    assert_eq!(server.run(later).expect("a table").trim(), "t");
    server.run("DROP TABLE later").expect("the table is dropped");
    let owns = "SELECT has_schema_privilege('zoop_serving', 'public', 'CREATE') \
                OR has_database_privilege('zoop_serving', current_database(), 'CREATE') \
                OR EXISTS (SELECT 1 FROM pg_class WHERE pg_get_userbyid(relowner) = 'zoop_serving')";
    assert_eq!(source.rows(owns), [["f"]]);
    let url = format!("{}&user=zoop_serving", server.url().replace("&user=zoop_application", ""));
    let operate = |command: &[&str]| folder.json(&[command, &["--database", &url]].concat());

    let mut server = folder.serve(&["--no-migrate", "--database", &url]);
    let client = Client::new(&server.url, &key);
    assert_eq!(operate(&["doctor"])["ok"], true);
    let company = json!({ "customer_type": "company", "company_name": "Acme",
                          "idempotency_key": "k", "email": "acme@example.com" });
    let made = client.ask("customers.create", &company);
    assert_eq!(client.ask("customers.create", &company), made);
    let id = text(&made, "id");
    client.ask("customers.update", &json!({ "id": id, "company_name": "Bolt" }));
    let found = client.ask("customers.search", &json!({ "q": "bolt" }));
    assert_eq!(found["rows"][0]["id"], id.as_str());
    client.ask("notes.create", &json!({ "body": "Gate sticks." }));
    client.ask("customers.archive", &json!({ "id": id }));

    let who = ["user", "set-password", &owner, "--database", &url];
    assert_eq!(folder.zoop_reading(&who, "correct horse battery").code, 0);
    let inside = (303, "/".to_owned());
    assert_eq!(sign_in(&server.url, "dana@example.com", "correct horse battery"), inside);
    let invite = ["user", "invite", "--name", "N", "--email", "n@example.com", "--role", "tech"];
    operate(&invite);
    wait_until("the server has published its counts", || {
        source.rows("SELECT count(*) > 0 FROM request_counts") == [["t"]]
    });
    server.terminate();
    assert!(server.wait().success());
    let output = server.rest();
    assert!(!output.contains("WARN") && !output.contains("ERROR"), "{output}");
}
