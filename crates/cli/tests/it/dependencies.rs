//! `docs/dependencies.md` lists the dependencies of zoop. `./accept` generates it from the manifests, the lock file
//! and the crates' sources, and keeps the purposes of direct dependencies, which are written by hand into the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;

/// The platform whose crates are listed, so that the page does not depend on where it is written.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// The placeholder for a missing purpose.
const NO_PURPOSE: &str = "?";

/// The output of `cargo metadata`.
struct Metadata(Value);

/// A crate of the lock file.
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    license: &'a str,
    /// The folder of the library's sources.
    folder: &'a Path,
    is_macro: bool,
}

impl Metadata {
    fn read() -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["metadata", "--locked", "--format-version", "1"]);
        cargo.args(["--filter-platform", PLATFORM]).current_dir(repository());
        let output = cargo.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    fn package(&self, id: &str) -> Package<'_> {
        let packages = self.0["packages"].as_array().expect("packages");
        let package = packages.iter().find(|package| package["id"] == id).expect("a package");
        let word = |key: &str| package[key].as_str().unwrap_or("none");
        let targets = package["targets"].as_array().expect("targets");
        let is = |target: &Value, kind: &str| target["kind"][0] == kind;
        let library = targets.iter().find(|it| !is(it, "custom-build")).expect("a library");
        Package {
            name: word("name"),
            version: word("version"),
            license: word("license"),
            folder: library["src_path"]
                .as_str()
                .and_then(|path| Path::new(path).parent())
                .expect("a folder"),
            is_macro: is(library, "proc-macro"),
        }
    }

    fn members(&self) -> Vec<&Value> {
        let members = self.0["workspace_members"].as_array().expect("members");
        let packages = self.0["packages"].as_array().expect("packages");
        packages.iter().filter(|package| members.contains(&package["id"])).collect()
    }

    /// The id of a crate of the workspace.
    fn member(&self, name: &str) -> &str {
        let members = self.members();
        let found = members.iter().find(|package| package["name"] == name).expect("a member");
        found["id"].as_str().expect("an id")
    }

    /// The ids of a crate's dependencies: normal ones if `kind` is `null`, build dependencies if it is `build`.
    fn needs(&self, id: &str, kind: &Value) -> Vec<&str> {
        let nodes = self.0["resolve"]["nodes"].as_array().expect("nodes");
        let node = nodes.iter().find(|node| node["id"] == id).expect("a node");
        let needs = node["deps"].as_array().expect("dependencies").iter();
        needs
            .filter(|need| {
                need["dep_kinds"].as_array().expect("kinds").iter().any(|it| it["kind"] == *kind)
            })
            .map(|need| need["pkg"].as_str().expect("an id"))
            .collect()
    }

    /// The ids of the crates that `root` links (itself included), and of the crates that run while it is built.
    fn graph(&self, root: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let (mut running, mut building) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting = vec![(self.member(root), false)];
        while let Some((id, builds)) = waiting.pop() {
            let builds = builds || self.package(id).is_macro;
            if !(if builds { &mut building } else { &mut running }).insert(id) {
                continue;
            }
            waiting.extend(self.needs(id, &Value::Null).into_iter().map(|id| (id, builds)));
            waiting.extend(self.needs(id, &Value::from("build")).into_iter().map(|id| (id, true)));
        }
        (running, building)
    }
}

impl Package<'_> {
    /// How often `unsafe` occurs in the library's sources, outside comments and strings.
    fn unsafes(&self) -> usize {
        let sources = crate::security::sources(self.folder);
        sources.iter().map(|(_, source)| source.parse().map_or(0, unsafes)).sum()
    }
}

fn unsafes(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => unsafes(group.stream()),
            TokenTree::Ident(word) => usize::from(word == "unsafe"),
            TokenTree::Punct(_) | TokenTree::Literal(_) => 0,
        })
        .sum()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The cells of the page's table rows, for rows with this many cells.
fn rows(page: &str, cells: usize) -> impl Iterator<Item = Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>())
        .filter(move |row| row.len() == cells)
}

/// The expected page. The purposes come from the current page. The counts of the versions that it lists do too,
/// unless `count_again` is set.
fn page(metadata: &Metadata, current: &str, count_again: bool) -> String {
    let mut page = String::from(
        "# Dependencies\n\n\
         Written by a test (`crates/cli/tests/it/dependencies.rs`), except the purposes.\n\
         Licenses, sources and bans are checked by `cargo deny` (`deny.toml`). Our own crates\n\
         forbid unsafe code.\n\n\
         ## Named in our manifests\n\n\
         | crate | for | version | license | in |\n| --- | --- | --- | --- | --- |\n",
    );
    direct(metadata, current, &mut page);
    let (running, mut building) = metadata.graph("zoop");
    building.retain(|id| !running.contains(id));
    let known: BTreeMap<_, _> = rows(current, 4)
        .map(|row| ((row[0].to_owned(), row[1].to_owned()), row[3].to_owned()))
        .collect();
    for (title, about, ids) in [
        (
            "In the binary",
            "Unsafe is how often the word occurs in the crate's sources outside comments and texts, for\n\
             every platform and feature. `libsqlite3-sys` also brings SQLite itself, which is C.",
            running,
        ),
        ("Only while building", "Macros, build scripts and their dependencies.", building),
    ] {
        let packages: Vec<_> = ids.iter().map(|id| metadata.package(id)).collect();
        let packages: Vec<_> = packages.iter().filter(|it| !it.name.starts_with("zoop")).collect();
        let start = page.len();
        let mut with_unsafe = 0;
        let mut named: Vec<_> = packages.iter().map(|it| (it.name, it.version, it)).collect();
        named.sort_by_key(|(name, version, _)| (*name, *version));
        for (name, version, package) in named {
            let name = format!("`{name}`");
            let known = known.get(&(name.clone(), version.to_owned())).filter(|_| !count_again);
            let count = known.cloned().unwrap_or_else(|| package.unsafes().to_string());
            with_unsafe += usize::from(count != "0");
            writeln!(page, "| {name} | {version} | {} | {count} |", package.license)
                .expect("a row");
        }
        let head = format!(
            "\n## {title}\n\n{about}\n{} crates, {with_unsafe} of them with unsafe code.\n\n\
             | crate | version | license | unsafe |\n| --- | --- | --- | --- |\n",
            packages.len()
        );
        page.insert_str(start, &head);
    }
    page
}

/// Adds the rows of the dependencies that the workspace's manifests name.
fn direct(metadata: &Metadata, current: &str, page: &mut String) {
    let purposes: BTreeMap<_, _> = rows(current, 5).map(|row| (row[0], row[1])).collect();
    let mut named: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<String>)> = BTreeMap::new();
    for member in metadata.members() {
        let user = member["name"].as_str().expect("a name");
        for need in member["dependencies"].as_array().expect("dependencies") {
            if need["path"].is_null() {
                let word = |key: &str| need[key].as_str();
                let entry = named.entry(word("name").expect("a name")).or_default();
                entry.0.insert(word("req").expect("a requirement").trim_start_matches('^'));
                let kind = word("kind").map(|kind| format!(" ({kind})")).unwrap_or_default();
                entry.1.insert(format!("{user}{kind}"));
            }
        }
    }
    let packages = metadata.0["packages"].as_array().expect("packages");
    for (name, (versions, users)) in named {
        let found = packages.iter().find(|package| package["name"] == name);
        let license = found.and_then(|package| package["license"].as_str()).unwrap_or("none");
        let name = format!("`{name}`");
        let purpose = purposes.get(name.as_str()).copied().unwrap_or(NO_PURPOSE);
        let versions = Vec::from_iter(versions).join(", ");
        let users = Vec::from_iter(users).join(", ");
        writeln!(page, "| {name} | {purpose} | {versions} | {license} | {users} |").expect("a row");
    }
}

#[test]
fn the_list_of_dependencies_is_current() {
    let path = repository().join("docs/dependencies.md");
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    let is_written = std::env::var_os("ZOOP_WRITE_DOCS").is_some();
    let count_again = is_written || std::env::var_os("ZOOP_TEST_LONG").is_some();
    let page = page(&Metadata::read(), &current, count_again);
    if is_written {
        std::fs::write(&path, &page).expect("the page is written");
    } else {
        assert!(current == page, "docs/dependencies.md is out of date: ./accept writes it again");
    }
    let missing: Vec<_> = rows(&page, 5).filter(|row| row[1] == NO_PURPOSE).collect();
    assert!(missing.is_empty(), "write in docs/dependencies.md what these are for: {missing:?}");
}

#[test]
fn the_servers_only_third_party_http_client_is_for_the_operators_provider() {
    let metadata = Metadata::read();
    // Anyone can choose the address of a client document. So documents are fetched only with hyper and TLS, which do
    // not look up names, follow redirects or use a proxy by themselves.
    let clients = ["reqwest", "isahc", "curl", "hickory-resolver", "native-tls"];
    let crates_of = |root: &str| {
        let (running, _) = metadata.graph(root);
        running.into_iter().map(|id| metadata.package(id).name).collect::<Vec<_>>()
    };
    let ours = crates_of("zoop-server");
    assert!(ours.contains(&"hyper") && ours.contains(&"zoop-crm"), "{ours:?}");
    for client in clients {
        assert!(!ours.contains(&client), "{client}");
    }
    let sources = fs::read_dir(repository().join("crates/server/src")).expect("the sources");
    let users: Vec<_> = sources
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| read_all(path).contains("ureq::"))
        .collect();
    assert_eq!(users, [repository().join("crates/server/src/sso")]);
}

/// The text of a file, or of every file of a folder.
fn read_all(path: &Path) -> String {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        return entries.map(|entry| read_all(&entry.expect("an entry").path())).collect();
    }
    fs::read_to_string(path).expect("a source")
}
