//! Promises of `docs/security.md` about the command line, and a check that the tests on that page
//! exist.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::env::Folder;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust source below a folder, with its path.
pub(crate) fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = std::fs::read_to_string(&path).expect("a source");
            all.push((path, source));
        }
    }
    all
}

/// Whether a source has a test with this name: a function with an attribute, or one that `both_engines!` turns into a
/// test on each engine.
fn is_test(source: &str, name: &str) -> bool {
    let Some((before, _)) = source.split_once(&format!("fn {name}(")) else { return false };
    let is_marked = before.trim_end().trim_end_matches("async").trim_end().ends_with(']');
    let mut lists =
        source.split("both_engines! {").skip(1).filter_map(|rest| rest.split('}').next());
    is_marked || lists.any(|list| list.split_whitespace().any(|listed| listed == name))
}

/// The page promises a defense for each risk, and a test for each defense. A renamed test must be renamed there too.
#[test]
fn every_risk_names_existing_tests() {
    let page = std::fs::read_to_string(repository().join("docs/security.md")).expect("the page");
    let sources = sources(&repository().join("crates"));
    let (mut api, mut mcp) = (0, 0);
    for row in page.lines().filter(|line| line.starts_with("| API") || line.starts_with("| MCP")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [risk, _, defense, tests] = cells[..] else { panic!("four cells in {row}") };
        assert!(!defense.is_empty(), "{risk} has no defense");
        let tests: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{risk} is shown by no test");
        for test in tests {
            let is_there = sources.iter().any(|(_, source)| is_test(source, test));
            assert!(is_there, "{risk}: there is no test {test}");
        }
        if risk.starts_with("API") { api += 1 } else { mcp += 1 }
    }
    assert_eq!((api, mcp), (10, 10), "each list has ten");
}

#[test]
fn no_product_source_starts_a_program() {
    let crates = repository().join("crates");
    for name in ["db", "mcp", "crm", "server", "cli"] {
        for (path, source) in sources(&crates.join(name).join("src")) {
            for word in ["process::Command", "libc::", "extern \"C\""] {
                assert!(!source.contains(word), "{word} in {}", path.display());
            }
        }
    }
}

#[test]
fn files_are_accessible_only_to_their_owner() {
    let folder = Folder::new();
    folder.business();
    let _server = folder.serve(&[]);
    folder.json(&["backup", "copy.db"]);
    folder.json(&["restore-backup", "copy.db", "--database", "sqlite://other.db"]);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path("")).expect("the folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("its rights").permissions().mode() & 0o777;
        names.push(entry.file_name().into_string().expect("a name"));
        assert_eq!(format!("{mode:o}"), "600", "{names:?}");
    }
    for made in ["zoop.db", "zoop.db-wal", "zoop.db-shm", "zoop.db-lock", "copy.db", "other.db"] {
        assert!(names.iter().any(|name| name == made), "{made} in {names:?}");
    }
}

#[test]
fn a_key_is_sent_only_to_the_named_address() {
    let folder = Folder::new();
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (named, other) = (listener(), listener());
    let url = format!("http://{}", named.local_addr().expect("an address"));
    let elsewhere = format!("http://{}/api/mcp", other.local_addr().expect("an address"));
    let redirecting = std::thread::spawn(move || {
        let (mut stream, _) = named.accept().expect("the call");
        let mut request = Vec::new();
        while !request.ends_with(b"}}") {
            let mut piece = [0; 1_024];
            let read = stream.read(&mut piece).expect("the request");
            assert!(read > 0, "the request is complete");
            request.extend_from_slice(&piece[..read]);
        }
        let head = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ";
        write!(stream, "{head}{elsewhere}\r\n\r\n").expect("the client reads");
        String::from_utf8(request).expect("UTF-8")
    });
    let answer = folder.zoop(&["call", "tags.list", "--url", &url, "--key", "zoop_uk_secret"]);
    assert!(answer.failure().contains("302"), "{}", answer.stderr);
    assert!(redirecting.join().expect("no panic").contains("Bearer zoop_uk_secret"));
    other.set_nonblocking(true).expect("a listener that does not wait");
    assert!(other.accept().is_err(), "the call is not redirected to another address");
}
