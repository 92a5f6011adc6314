//! Invariants for every input: nothing panics, and every answer is JSON with the request's id.

use proptest::prelude::*;
use serde_json::value::RawValue;
use zoop_mcp::client::{Reply, call_tool_body, read_tool_reply};
use zoop_mcp::{Era, Headers, Incoming, Refusal, Responder, ToolResult, peek, read};

use crate::{modern_body, request_body, server};

/// The id of a response, as text. It is read as raw JSON, because a `Value` would lose the spelling of numbers.
fn id_of(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let response: Response<'_> = serde_json::from_slice(body).expect("every body is JSON");
    response.id.map(|id| id.get().to_owned())
}

fn check_refusal(refusal: &Refusal) {
    let sent = refusal.id.as_ref().map(|id| id.get().to_owned());
    assert_eq!(id_of(&refusal.body()), sent);
    assert!([200, 400, 404].contains(&refusal.status));
    if refusal.status == 200 {
        assert_eq!(refusal.era, Era::Legacy);
    }
}

/// Reads the bytes and answers them, whatever they are.
fn exercise(body: &[u8], headers: &Headers<'_>) {
    let reply_to = peek(body, headers);
    match read(body, headers) {
        Err(refusal) => {
            assert_eq!(refusal.era, reply_to.era);
            check_refusal(&refusal);
        }
        Ok(Incoming::Notification) => {}
        Ok(Incoming::Request(request)) => {
            assert_eq!(reply_to.id.map(RawValue::get), Some(request.id.get()));
            assert_eq!(request.era, reply_to.era);
            let server = server();
            let reply =
                request.responder(&server).tool_result(ToolResult { json: "{}", is_error: false });
            assert_eq!(id_of(&reply).as_deref(), Some(request.id.get()));
        }
    }
}

fn any_headers() -> impl Strategy<Value = [Option<String>; 3]> {
    let version = prop_oneof![
        Just(None),
        Just(Some("2026-07-28".to_owned())),
        Just(Some("2025-11-25".to_owned())),
        any::<String>().prop_map(Some),
    ];
    let method = prop_oneof![Just(None), Just(Some("tools/call".to_owned()))];
    let name = prop_oneof![
        Just(None),
        Just(Some("a".to_owned())),
        Just(Some("=?base64?YQ==?=".to_owned())),
        "=\\?base64\\?.{0,8}\\?=".prop_map(Some),
    ];
    (version, method, name).prop_map(|(version, method, name)| [version, method, name])
}

fn as_headers([protocol_version, method, name]: &[Option<String>; 3]) -> Headers<'_> {
    Headers {
        protocol_version: protocol_version.as_deref(),
        method: method.as_deref(),
        name: name.as_deref(),
    }
}

fn valid_frame() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(request_body(
            "initialize",
            r#""protocolVersion":"2025-11-25","clientInfo":{"name":"a"}"#
        )),
        Just(request_body("tools/call", r#""name":"a","arguments":{"x":[1,{"y":null}]}"#)),
        Just(modern_body("tools/call", r#""name":"a","arguments":{"x":"\u00e9"}"#)),
        Just(modern_body("resources/read", r#""uri":"zoop://a""#)),
    ]
}

/// One change to a valid frame: where, how many bytes are removed, and what replaces them.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
    let tokens = prop::sample::select(vec![
        "\"",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\",
        "\\u",
        "\\ud800",
        "null",
        "1e9",
        "-",
        ".5",
        "\u{FEFF}",
        "\"id\":1,",
        "\"_meta\":{},",
        "\"name\":\"b\",",
    ])
    .prop_map(|token| token.as_bytes().to_vec());
    let bytes = prop::collection::vec(any::<u8>(), 0..4);
    (any::<prop::sample::Index>(), 0_usize..6, prop_oneof![tokens, bytes])
}

/// The text of a JSON number, of any size and with any spelling.
const NUMBER: &str = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?";

/// Whether a number is integral. Writes the number out in full and looks at its fraction.
fn is_whole(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().expect("two digits");
    let zeros = "0".repeat(100);
    let digits = format!("{zeros}{}{fraction}{zeros}", whole.trim_start_matches('-'));
    let point = 100 + whole.trim_start_matches('-').len();
    let point = usize::try_from(i32::try_from(point).expect("short") + exponent).expect("positive");
    digits[point..].bytes().all(|digit| digit == b'0')
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200), headers in any_headers()) {
        exercise(&body, &as_headers(&headers));
        read_tool_reply(&body).ok();
    }

    #[test]
    fn mutated_frames_are_answered(
        frame in valid_frame(),
        mutations in prop::collection::vec(mutation(), 0..4),
        headers in any_headers(),
    ) {
        let mut body = frame.into_bytes();
        for (position, removed, inserted) in mutations {
            let start = position.index(body.len() + 1);
            let end = (start + removed).min(body.len());
            body.splice(start..end, inserted);
        }
        exercise(&body, &as_headers(&headers));
        read_tool_reply(&body).ok();
    }

    #[test]
    fn integral_numbers_are_valid_ids(id in NUMBER) {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let echoed = peek(body.as_bytes(), &Headers::default()).id.map(RawValue::get);
        prop_assert_eq!(echoed, is_whole(&id).then_some(id.as_str()));
    }

    #[test]
    fn text_survives_a_round_trip(text in any::<String>(), id in any::<u64>()) {
        let json = serde_json::to_string(&serde_json::json!({ "text": text })).unwrap();
        let arguments = RawValue::from_string(json.clone()).unwrap();
        let body = call_tool_body(id, &text, &arguments);
        let Ok(Incoming::Request(request)) = read(&body, &Headers::default()) else {
            return Err(TestCaseError::fail("the client's own call was refused"));
        };
        let server = server();
        // The same JSON, except for the two separators that are escaped.
        let escaped = json.replace('\u{2028}', r"\u2028").replace('\u{2029}', r"\u2029");
        for era in [Era::Legacy, Era::Modern] {
            let responder = Responder { era, ..request.responder(&server) };
            let reply = responder.tool_result(ToolResult { json: &json, is_error: false });
            prop_assert_eq!(id_of(&reply), Some(id.to_string()));
            let reply = read_tool_reply(&reply).unwrap();
            prop_assert_eq!(reply, Reply::Tool { text: escaped.clone(), is_error: false });
            for reply in [
                responder.initialize(Some(&text), &text),
                responder.discover(&text),
                responder.resource(&text, &text, &text),
            ] {
                prop_assert_eq!(id_of(&reply), Some(id.to_string()));
            }
        }
    }
}
