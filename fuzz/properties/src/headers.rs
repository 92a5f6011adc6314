//! The header rules: a modern request is accepted only with headers that match its body, in either
//! spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zoop_mcp::{Era, Headers, Incoming, MODERN_VERSIONS, Request, read};

use crate::frame::exercise;

/// Three lines are headers (the version, the method, the name; an empty one is not sent), the rest is
/// the body.
///
/// # Panics
/// When the property does not hold.
pub fn headers(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let parts: Vec<_> = text.splitn(4, '\n').collect();
    let [version, method, name, body] = parts[..] else { return };
    let sent = |value: &'_ str| (!value.is_empty()).then(|| value.to_owned());
    let [version, method, name] = [version, method, name].map(sent);
    let headers = Headers {
        protocol_version: version.as_deref(),
        method: method.as_deref(),
        name: name.as_deref(),
    };
    exercise(body.as_bytes(), &headers);
    if let Some(request) = accepted(body, &headers)
        && request.era == Era::Modern
    {
        says_what_the_body_says(body, &headers);
    }
}

fn accepted<'a>(body: &'a str, headers: &Headers<'_>) -> Option<Request<'a>> {
    match read(body.as_bytes(), headers) {
        Ok(Incoming::Request(request)) => Some(request),
        _ => None,
    }
}

fn says_what_the_body_says(body: &str, headers: &Headers<'_>) {
    let message: Value = serde_json::from_str(body).expect("an accepted body is JSON");
    assert!(headers.protocol_version.is_some_and(|version| MODERN_VERSIONS.contains(&version)));
    assert_eq!(headers.method, message["method"].as_str());
    let unlike = Headers { method: Some("no/such"), ..*headers };
    assert!(accepted(body, &unlike).is_none(), "another method is accepted");
    let addressed = match headers.method {
        Some("tools/call" | "prompts/get") => &message["params"]["name"],
        Some("resources/read") => &message["params"]["uri"],
        _ => return,
    };
    let addressed = addressed.as_str().expect("what is addressed is a text");
    let wrapped = format!("=?base64?{}?=", STANDARD.encode(addressed));
    let same = Headers { name: Some(&wrapped), ..*headers };
    assert!(accepted(body, &same).is_some(), "the name in base64 is refused");
    let longer = format!("=?base64?{}?=", STANDARD.encode(format!("{addressed}x")));
    for name in [None, Some(&*longer)] {
        let unlike = Headers { name, ..*headers };
        assert!(accepted(body, &unlike).is_none(), "{name:?} is accepted for {addressed:?}");
    }
}
