//! The JSON-RPC frame: no bytes make the reader panic, and every refusal is JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zoop_mcp::{Headers, Incoming, peek, read};

fuzz_target!(|body: &[u8]| {
    let version = ["2026-07-28", "2025-11-25"].get(body.len() % 3).copied();
    let headers = Headers { protocol_version: version, method: None, name: None };
    let _ = peek(body, &headers);
    match read(body, &headers) {
        Ok(Incoming::Request(request)) => assert!(!request.id.get().is_empty()),
        Ok(Incoming::Notification) => {}
        Err(refusal) => assert_eq!(refusal.body().first(), Some(&b'{')),
    }
});
