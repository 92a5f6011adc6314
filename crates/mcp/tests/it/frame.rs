//! JSON-RPC 2.0: valid messages and ids.

use serde_json::Value;
use zoop_mcp::{Incoming, peek, read};

use crate::{META, NO_HEADERS, expect_refusal, expect_request, json, modern_headers, verdict};

const NOT_JSON: (u16, i64) = (400, -32700);
const INVALID: (u16, i64) = (400, -32600);

#[test]
fn a_body_that_is_not_json_is_refused() {
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"{",
        b"[",
        b"[1,",
        b"nonsense",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",}",
        b"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"ping\"}",
        b"{'jsonrpc':'2.0','id':1,'method':'ping'}",
        b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":\"\xFF\",\"method\":\"ping\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":\"a\nb\",\"method\":\"ping\"}",
        // A duplicate key does not hide that the rest is broken.
        b"{\"id\":1,\"id\":2,",
    ];
    for body in bodies {
        let refusal = expect_refusal(body, &NO_HEADERS);
        assert_eq!(verdict(&refusal), NOT_JSON, "{}", String::from_utf8_lossy(body));
        assert_eq!(json(&refusal.body())["id"], Value::Null);
    }
}

#[test]
fn a_body_that_is_not_one_request_object_is_refused() {
    let bodies = [
        "null",
        "1",
        "\"text\"",
        "[]",
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "{}",
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":null,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#,
        r#"{"jsonrpc":"2.0","method":5}"#,
        r#"{"jsonrpc":"2.0","params":{}}"#,
        // A method makes a message a request, whatever other members it has.
        r#"{"jsonrpc":"2.0","id":null,"method":"ping","result":{}}"#,
    ];
    for body in bodies {
        assert_eq!(verdict(&expect_refusal(body, &NO_HEADERS)), INVALID, "{body}");
    }
}

#[test]
fn valid_ids_are_echoed() {
    let ids = [
        "0",
        "-0",
        "7",
        "-7",
        "1.0",
        "-20.00",
        "0.0e-9",
        "10e-1",
        "1.5e1",
        "1.20E+1",
        "1e400",
        "1e99999999999999999999",
        "123456789012345678901234567890",
        "\"\"",
        "\"a\"",
        r#""\u0041 \"quoted\" \\ é""#,
    ];
    for id in ids {
        let body = format!(r#"{{"jsonrpc":"2.0", "id" : {id} ,"method":"ping"}}"#);
        let request = expect_request(&body, &NO_HEADERS);
        assert_eq!(request.id.get(), id);
        let refusal = String::from_utf8(request.reply_to().bad_cursor().body()).unwrap();
        assert!(refusal.contains(&format!(r#""id":{id},"#)), "{refusal}");
    }
}

#[test]
fn invalid_ids_are_refused() {
    let ids = [
        "null",
        "true",
        "{}",
        "[]",
        "[1]",
        "1.5",
        "0.1",
        "-0.5",
        "1e-1",
        "15e-1",
        "1.25e1",
        "100e-3",
        "1e-99999999999999999999",
        r#""\ud800""#,
    ];
    for id in ids {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let refusal = expect_refusal(&body, &NO_HEADERS);
        assert_eq!(verdict(&refusal), INVALID, "{id}");
        assert_eq!(json(&refusal.body())["id"], Value::Null, "{id}");
    }
}

#[test]
fn a_duplicate_key_is_refused() {
    let bodies = [
        r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}"#,
        // The same key, written with an escape.
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","\u006dethod":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","trace":1,"trace":2}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","x":1,"x":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{},"_meta":{}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":1,"a":1}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":5,"a":1,"a":1}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","name":"b"}}"#,
    ];
    for body in bodies {
        assert_eq!(verdict(&expect_refusal(body, &NO_HEADERS)), INVALID, "{body}");
    }
}

#[test]
fn a_duplicate_key_in_the_arguments_is_left_to_the_tool() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}"#;
    expect_request(body, &NO_HEADERS);
}

#[test]
fn white_space_may_surround_the_message() {
    expect_request("\r\n\t {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} \n", &NO_HEADERS);
}

#[test]
fn unknown_members_are_ignored() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","trace":"x","params":{"more":[1]}}"#;
    expect_request(body, &NO_HEADERS);
}

#[test]
fn notifications_and_responses_are_accepted() {
    let bodies = [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"no/such/method"}"#,
        r#"{"jsonrpc":"2.0","method":"ping","params":5}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}"#,
        &format!(r#"{{"jsonrpc":"2.0","method":"tools/call","params":{{{META},"name":"a"}}}}"#),
    ];
    for body in bodies {
        let incoming = read(body.as_bytes(), &NO_HEADERS);
        assert!(matches!(incoming, Ok(Incoming::Notification)), "{body}: {incoming:?}");
    }
}

#[test]
fn refusals_carry_the_id_that_could_be_read() {
    let bodies = [
        r#"{"id":7,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"no/such/method"}"#,
    ];
    for body in bodies {
        assert_eq!(json(&expect_refusal(body, &NO_HEADERS).body())["id"], 7, "{body}");
    }
}

#[test]
fn peek_works_for_any_body() {
    let cases: &[(&[u8], Option<&str>)] = &[
        (b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}", Some("7")),
        (b"{\"id\":\"a\"}", Some("\"a\"")),
        (b"{\"id\":7,\"params\":5}", Some("7")),
        (b"{\"id\":null}", None),
        (b"{\"id\":7", None),
        (b"[]", None),
        (b"\xFF", None),
        (b"", None),
    ];
    for (body, id) in cases {
        let reply_to = peek(body, &NO_HEADERS);
        assert_eq!(reply_to.id.map(serde_json::value::RawValue::get), *id);
    }
}

#[test]
fn without_an_id_legacy_sends_null_and_modern_omits_it() {
    let legacy = json(&expect_refusal("{", &NO_HEADERS).body());
    assert_eq!(legacy.get("id"), Some(&Value::Null));
    let modern = json(&expect_refusal("{", &modern_headers("ping", None)).body());
    assert_eq!(modern.get("id"), None);
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    const DEEP: usize = 1 << 20;
    let open = "[".repeat(2 * DEEP);
    assert_eq!(verdict(&expect_refusal(&open, &NO_HEADERS)), NOT_JSON);

    let closed = "[".repeat(DEEP) + &"]".repeat(DEEP);
    assert_eq!(verdict(&expect_refusal(&closed, &NO_HEADERS)), INVALID);

    let objects = r#"{"a":"#.repeat(DEEP / 4) + "1" + &"}".repeat(DEEP / 4);
    for member in ["arguments", "other", "_meta"] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","{member}":{objects}}}}}"#
        );
        expect_request(&body, &NO_HEADERS);
    }
    let body = format!(r#"{{"jsonrpc":"2.0","id":{closed},"method":"ping"}}"#);
    assert_eq!(verdict(&expect_refusal(&body, &NO_HEADERS)), INVALID);
}
