//! A COMMIT whose answer does not arrive, as callers see it.

use serde_json::{Value, json};
use zoop_postgres_cluster::{Fault, Proxy, own_database};

use super::SETTINGS;
use crate::client::Client;
use crate::crash::source::Source;
use crate::env::{Folder, text, wait_until};

#[test]
fn an_unknown_outcome_is_reported_and_a_retry_with_the_key_settles_it() {
    for (fault, kept) in [(Fault::Server, "0"), (Fault::AnswerAndServer, "1")] {
        let folder = Folder::over(own_database().expect("a database"));
        folder.write("zoop.toml", &format!("{SETTINGS}[server]\nrequest_deadline = '1s'\n"));
        let (_, _, key) = folder.business();
        let source = Source::of(&folder);
        let (proxy, url) = Proxy::before(folder.server().expect("a server").url());
        let server = folder.serve(&["--database", &url]);
        let client = Client::new(&server.url, &key);
        // The server also writes on its own, so the fault is only for the customer's write.
        proxy.fail_next_of("Acme", fault);
        let company = json!({
            "customer_type": "company", "company_name": "Acme", "idempotency_key": "k",
        });
        let reply = client.call("customers.create", &company).expect("an answer");
        assert_eq!((reply.status, reply.retry_after), (503, Some(5)), "{reply:?}");
        let error = &reply.body["error"];
        let expected = json!({ "retry_after_s": 5, "outcome": "unknown" });
        assert_eq!((&error["code"], &error["data"]), (&json!(-32004), &expected));
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("not known") && message.contains("idempotency key"), "{message}");
        let message = server.log_line("the storage refuses writes");
        let failure = message["failure"].as_str().expect("a cause");
        assert!(failure.contains("it is not known whether the write was committed"), "{failure}");
        let count = "SELECT count(*) FROM customers";
        wait_until("PostgreSQL has finished the write", || source.rows(count) == [[kept]]);

        proxy.heal();
        let made = client.ask("customers.create", &company);
        assert_eq!(client.ask("customers.create", &company), made);
        let page = client.ask("customers.search", &json!({}));
        let ids: Vec<_> = page["rows"].as_array().expect("rows").iter().map(id).collect();
        assert_eq!(ids, [text(&made, "id")]);
        server.log_line("the storage accepts writes again");
    }
}

fn id(record: &Value) -> String {
    text(record, "id")
}
