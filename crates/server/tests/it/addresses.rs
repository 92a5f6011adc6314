//! The server's address: how it is normalized, and the other names of this machine.

use serde_json::json;
use zoop_server::Settings;

use crate::http::{self, Reply};
use crate::oauth::{
    Browser, Program, consent_request, encode_form, redirect_target, value, with_changes,
};
use crate::server::{Server, message};

/// The port that a server listens on.
fn port(server: &Server) -> u16 {
    server.public.port()
}

/// A server whose public URL is this host with its own port.
fn start_at(host: &str) -> Server {
    let set = |settings: &mut Settings| {
        let (_, port) = settings.public_url.rsplit_once(':').expect("a port");
        settings.public_url = format!("http://{host}:{port}").parse().expect("an origin");
    };
    Server::start_with(set, None)
}

/// Gets a page from a host.
fn get(server: &Server, host: &str, target: &str) -> Reply {
    http::request(server.public, "GET", target, &[("Host", host)], b"")
}

#[test]
fn a_public_url_is_normalized() {
    for (typed, form) in
        [("LocalHost", "localhost"), ("[0:0:0:0:0:0:0:1]", "[::1]"), ("127.1", "127.0.0.1")]
    {
        let server = start_at(typed);
        let own = format!("http://{form}:{}", port(&server));
        let host = format!("{form}:{}", port(&server));
        let metadata = get(&server, &host, "/.well-known/oauth-protected-resource/api/mcp").json();
        assert_eq!(metadata["resource"], format!("{own}/api/mcp"), "{typed}");
        let issuer = get(&server, &host, "/.well-known/oauth-authorization-server").json();
        assert_eq!(issuer["issuer"], own, "{typed}");
        let ping = server.post("/api/mcp", &[("Origin", &own)], &message("ping", json!({})));
        assert_eq!(ping.status, 200, "{typed}: {ping:?}");
        let form = [("Host", host.as_str()), ("Origin", &own)];
        let sent = http::request(server.public, "POST", "/sign-in", &form, b"email=a&password=b");
        assert_eq!(sent.status, 403);
        assert!(
            sent.body.contains("Wrong e-mail address or password"),
            "{typed}: the form is accepted: {sent:?}"
        );
    }
}

#[test]
fn a_page_at_another_name_of_this_machine_redirects_to_the_public_url() {
    let server = Server::start();
    let (own, port) = (format!("http://{}", server.public), port(&server));
    for name in ["localhost", "LOCALHOST", "[::1]"] {
        for target in ["/", "/sign-in?next=%2Fteam", "/account", "/oauth/authorize?client_id=x"] {
            let reply = get(&server, &format!("{name}:{port}"), target);
            assert_eq!(reply.status, 307, "{name}{target}: {reply:?}");
            assert_eq!(reply.header("location"), Some(format!("{own}{target}").as_str()));
            assert_eq!(reply.header("cache-control"), Some("no-store"));
        }
    }
    // Only these names, with this port, and only if the public URL is on loopback.
    for host in [
        "evil.test",
        &format!("evil.test:{port}"),
        "localhost",
        "localhost:1",
        &format!("127.0.0.2:{port}"),
    ] {
        assert_eq!(get(&server, host, "/sign-in").status, 200, "{host}");
    }
    let public = Server::start_with(
        |settings| settings.public_url = "https://crm.example.com".parse().expect("an origin"),
        None,
    );
    assert_eq!(get(&public, "localhost", "/sign-in").status, 200);
}

#[test]
fn a_form_from_another_origin_is_rejected_and_names_the_public_url() {
    let server = Server::start();
    let (own, port) = (format!("http://{}", server.public), port(&server));
    for host in [format!("localhost:{port}"), "evil.test".to_owned()] {
        let origin = format!("http://{host}");
        let headers = [("Host", host.as_str()), ("Origin", &origin)];
        let reply =
            http::request(server.public, "POST", "/sign-in", &headers, b"email=a&password=b");
        assert_eq!(reply.status, 403, "{host}");
        assert!(reply.body.contains(&format!("open {own} in your browser")), "{reply:?}");
    }
}

#[test]
fn loopback_pages_may_call_only_the_name_they_came_from() {
    let server = Server::start();
    let port = port(&server);
    let local = format!("localhost:{port}");
    let origin = format!("http://{local}");
    let ping = |headers: &[(&str, &str)]| {
        server.post("/api/mcp", headers, &message("ping", json!({}))).status
    };
    assert_eq!(ping(&[("Host", &local), ("Origin", &origin)]), 200);
    let own = format!("http://{}", server.public);
    assert_eq!(ping(&[("Host", &local), ("Origin", &own)]), 200, "the public URL's own");
    // A rebound DNS name, and a page of another server on this machine.
    for (host, origin) in [
        (local.as_str(), "http://evil.test"),
        ("evil.test", "http://evil.test"),
        ("127.0.0.1", origin.as_str()),
        (&local, "http://localhost:1"),
        (&local, &format!("https://{local}")),
        (&local, &format!("http://evil.localhost:{port}")),
    ] {
        assert_eq!(ping(&[("Host", host), ("Origin", origin)]), 403, "{host} {origin}");
    }
}

#[test]
fn a_client_that_was_given_another_name_of_this_machine_connects_with_it() {
    let server = Server::start();
    let (own, port) = (format!("http://{}", server.public), port(&server));
    let local = format!("localhost:{port}");
    let bare = server.post_bare(&[("Host", &local)], &message("ping", json!({})));
    let challenge = bare.header("www-authenticate").expect("a challenge");
    let metadata_url = format!("http://{local}/.well-known/oauth-protected-resource/api/mcp");
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata_url}\"")), "{challenge}");
    let wrong = [("Host", local.as_str()), ("Authorization", "Bearer x")];
    let wrong = server.post_bare(&wrong, &message("ping", json!({})));
    assert!(wrong.header("www-authenticate").expect("one").contains(&metadata_url), "{wrong:?}");
    let metadata = get(&server, &local, "/.well-known/oauth-protected-resource/api/mcp").json();
    let resource = format!("http://{local}/api/mcp");
    assert_eq!(metadata["resource"], resource, "clients compare it with what they were given");
    assert_eq!(metadata["authorization_servers"], json!([own]), "there is only one issuer");

    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    for resource in [resource.as_str(), &format!("HTTP://LOCALHOST:{port}/api/mcp/")] {
        let request = consent_request(&browser.ask(&program.query(&[("resource", resource)])));
        let (_, pairs) =
            redirect_target(&browser.allow(&request, &server.business, crate::oauth::EVERY_SCOPE));
        assert_eq!(value(&pairs, "iss"), Some(own.as_str()));
        let code = value(&pairs, "code").expect("a code");
        let tokens = crate::oauth::tokens(&program.exchange(code, &[("resource", resource)]));
        let key = format!("Bearer {}", tokens.access);
        let headers = [("Host", local.as_str()), ("Authorization", &key)];
        assert_eq!(server.post_bare(&headers, &message("ping", json!({}))).status, 200);
    }
    let elsewhere = format!("http://localhost:{}/api/mcp", port.wrapping_add(1));
    let query = encode_form(&with_changes(&[], &[("resource", &elsewhere)]));
    let refused = browser.ask(&format!("{}&{query}", program.query(&[])));
    assert!(refused.body.contains("This server does not have this resource"), "{refused:?}");
}
