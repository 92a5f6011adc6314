//! `zoop import`, on a database without a server.

use std::fs;
use std::path::Path;

use serde_json::Value;
use zoop_both::both;

use crate::env::{Folder, text};

const FILE: &str = "Name,Phone,Street,City,State,Zip\n\
    Marco Reyes,510-555-0123,482 Oak Street,Oakland,CA,94607\n\
    Bob & Jane Doe,510-555-0124,,,,\n\
    ,510-555-0125,,,,\n\
    Total: 3 customers,,,,,\n";

fn names(folder: &Folder) -> Vec<String> {
    let backup = folder.json(&["history", "--limit", "0"]);
    let rows = backup["rows"].as_array().expect("rows").iter();
    let added = rows.filter(|row| row["tool"] == "customers.import");
    let name = |row: &Value| {
        let changes = row["changes"].as_array().expect("changes").iter();
        let mut first =
            changes.filter(|it| it["record_type"] == "customer" && it["field"] == "first_name");
        first.next().map(|it| text(it, "new"))
    };
    added.filter_map(name).collect()
}

#[both]
fn a_file_is_shown_first_and_imported_exactly_as_shown() {
    let folder = Folder::new();
    folder.business();
    folder.write("customers.csv", FILE);
    let shown = folder.json(&["import", "customers.csv"]);
    assert_eq!((&shown["added"], &shown["unusable"]), (&2.into(), &1.into()), "{shown}");
    assert_eq!((&shown["rows"], &shown["skipped"]), (&3.into(), &1.into()), "{shown}");
    let answer = folder.zoop(&["import", "customers.csv"]);
    assert!(answer.stdout.contains("Nothing is written yet."), "{}", answer.stdout);
    assert!(answer.stdout.contains("1 row describes no customer:"), "{}", answer.stdout);
    assert!(answer.stdout.lines().all(|line| line.chars().count() <= 80), "{}", answer.stdout);
    assert!(names(&folder).is_empty());

    let plan = text(&shown, "plan");
    let refused = folder.zoop(&["import", "customers.csv", "--plan", &plan]);
    assert!(refused.failure().contains("line 4 first_name is required"), "{}", refused.stderr);
    let wrong = folder.zoop(&["import", "customers.csv", "--plan", "00"]);
    assert!(wrong.failure().contains("does not hold any more"), "{}", wrong.stderr);
    assert!(names(&folder).is_empty());

    let imported = folder.json(&[
        "import",
        "customers.csv",
        "--plan",
        &plan,
        "--keep-going",
        "--rejected",
        "rejected.csv",
        "--report",
        "report.csv",
    ]);
    assert_eq!((&imported["added"], &imported["rejected"]), (&2.into(), &1.into()), "{imported}");
    assert_eq!(names(&folder), ["Bob", "Marco"]);
    let rejected = fs::read_to_string(folder.path("rejected.csv")).expect("a file");
    assert_eq!(
        rejected,
        "\u{feff}Name,Phone,Street,City,State,Zip,reason\r\n\
         ,510-555-0125,,,,,first_name is required for an individual\r\n"
    );
    let report = fs::read_to_string(folder.path("report.csv")).expect("a file");
    assert!(report.contains("3,Bob Doe,added,two people: Bob Doe and Jane Doe\r\n"), "{report}");
    assert!(report.ends_with("5,Total: 3 customers,skipped,is only a total\r\n"), "{report}");

    let again = folder.json(&["import", "customers.csv", "--yes", "--keep-going"]);
    assert_eq!((&again["added"], &again["here"]), (&0.into(), &2.into()), "{again}");
    let undone = folder.json(&["import", "--undo", &text(&imported, "import_id")]);
    assert_eq!((&undone["taken_back"], &undone["kept"]), (&2.into(), &serde_json::json!([])));
}

#[test]
fn a_person_says_what_columns_mean_and_what_blank_cells_have() {
    let folder = Folder::new();
    folder.business();
    folder.write("list.csv", "Wer;Straße;Ort;PLZ\nJane Doe;5 Elm St;Oakland;94601\n");
    let unknown = folder.zoop(&["import", "list.csv"]);
    assert!(
        unknown.failure().contains("say which of Wer, Straße, Ort, PLZ is the name"),
        "{}",
        unknown.stderr
    );
    for (flags, problem) in [
        (["--column", "Wer"], "write NAME=MEANING"),
        (["--column", "Wer=who"], "who is not what a column can mean"),
        (["--column", "Who=name"], "is not the name of a column of this file"),
        (["--default", "CA"], "write MEANING=VALUE"),
    ] {
        let answer = folder.zoop(&[&["import", "list.csv"], &flags[..]].concat());
        assert!(answer.failure().contains(problem), "{flags:?}: {}", answer.stderr);
    }
    let flags = [
        "--column",
        "Wer=name",
        "--default",
        "service_state=CA",
        "--yes",
        "--report",
        "report.csv",
    ];
    let imported = folder.json(&[&["import", "list.csv"], &flags[..]].concat());
    assert_eq!(imported["added"], 1);
    let report = fs::read_to_string(folder.path("report.csv")).expect("a file");
    assert_eq!(
        report, "\u{feff}line,customer,what,why\r\n2,Jane Doe,added,\r\n",
        "the address is a location"
    );
    let tech = ["user", "create", "--name", "Tom", "--email", "tom@example.com", "--role", "tech"];
    folder.json(&tech);
    let refused =
        folder.zoop(&["import", "list.csv", "--column", "Wer=name", "--user", "tom@example.com"]);
    assert_eq!(refused.code, 1, "technicians do not import");
}

/// A file as each of the usual systems writes it.
#[test]
fn the_files_of_the_usual_systems_are_imported_without_a_question() {
    let folder = Folder::new();
    folder.business();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crm/tests/imports");
    let samples = fs::read_dir(samples).expect("samples").map(|it| it.expect("a file").path());
    let mut count = 0;
    for sample in samples {
        let tenant = sample.file_name().expect("a name").to_str().expect("a name").to_owned();
        let owner = format!("owner@{count}.example.com");
        let create = [
            "tenant",
            "create",
            "--name",
            &tenant,
            "--owner-name",
            "Olive",
            "--owner-email",
            &owner,
        ];
        folder.json(&create);
        let file = sample.to_str().expect("a path");
        let imported = folder.json(&["import", file, "--tenant", &tenant, "--yes"]);
        assert!(imported["added"].as_u64() >= Some(3), "{tenant}: {imported}");
        let again = folder.json(&["import", file, "--tenant", &tenant, "--yes"]);
        assert_eq!((&again["added"], &again["here"]), (&0.into(), &imported["added"]), "{tenant}");
        count += 1;
    }
    assert_eq!(count, 16);
}
