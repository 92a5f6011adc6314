//! Which folders of this crate may import which others. The manifests enforce the dependencies between crates;
//! these tests enforce those within this crate.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each folder, and the other folders that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("values", &[]),
    ("call", &["values"]),
    ("search", &["values"]),
    ("identity", &["values", "call", "search"]),
    ("business", &["values", "call", "search", "identity"]),
];

/// Modules that list what all folders contain, or serve all of them: they may import any folder, and no folder may
/// import them.
const ABOVE: &[&str] =
    &["catalog", "export", "maintenance", "schema", "testing", "tests", "transfer"];

/// The modules of the tables that are about servers and the database, and the folders that these modules may import.
const PROCESS_TABLES: (&[&str], &[&str]) =
    (&["database_identity", "request_counts", "servers"], &["call", "values"]);

/// The files of a folder that contain no tests.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match name {
            "tests" | "tests.rs" => {}
            _ if path.is_dir() => files(&path, found),
            _ => found.push(path),
        }
    }
}

/// The modules of the crate's root that a file's product code names.
fn imports(source: &str) -> BTreeSet<&str> {
    let product = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code = product.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|path| path.split(|it: char| !it.is_alphanumeric() && it != '_'))
        .filter_map(|mut words| words.next())
        .inspect(|module| {
            assert!(!module.is_empty(), "write `crate::{{` as a line for each module");
        })
        .collect()
}

#[test]
fn folders_import_only_what_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (folder, allowed) in MAY_IMPORT {
        let mut found = Vec::new();
        files(&root.join(folder), &mut found);
        assert!(!found.is_empty(), "{folder} is empty");
        for file in found {
            let source = fs::read_to_string(&file).unwrap();
            for module in imports(&source) {
                if module != *folder && !allowed.contains(&module) {
                    wrong.push(format!("{} imports {module}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_top_level_module_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (process_tables, allowed) = PROCESS_TABLES;
    let folders = MAY_IMPORT.iter().map(|(folder, _)| *folder);
    let listed: BTreeSet<_> = folders.chain(ABOVE.iter().chain(process_tables).copied()).collect();
    let found: BTreeSet<_> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "lib")
        .collect();
    assert_eq!(found, listed.into_iter().map(str::to_owned).collect());
    for module in process_tables {
        let source = fs::read_to_string(root.join(module).with_extension("rs")).unwrap();
        for import in imports(&source) {
            assert!(allowed.contains(&import), "{module} imports {import}");
        }
    }
}

#[test]
fn imports_are_found_anywhere_in_a_file() {
    let source = "use crate::call::run;\n// crate::comment::is_no_import\nfn f() { crate::search::g(); }\n\
                  #[cfg(test)]\nmod tests { use crate::testing::TestEnv; }";
    assert_eq!(imports(source).into_iter().collect::<Vec<_>>(), ["call", "search"]);
}
