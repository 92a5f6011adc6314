//! The pictures of the pages in `docs/screenshots`, which the README shows. `./screenshots` takes them again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::driver::{Browser, DESKTOP, Look};
use super::{Demo, run};

/// A picture of a page of the sample business.
struct Shot {
    /// The file's name, without its extension.
    name: &'static str,
    page: &'static str,
    /// What is clicked then, and what is waited for.
    steps: &'static [(&'static str, &'static str)],
    look: Look,
}

const DESK: Look = Look { width: 1366, ..DESKTOP };
const DARK: Look = Look { is_dark: true, ..DESK };
const PHONE: Look = Look { width: 390, ..DESKTOP };
const RECORD: &[(&str, &str)] = &[("#rows a", "#record .record h1")];

const SHOTS: [Shot; 6] = [
    Shot { name: "start", page: "/", steps: &[], look: DESK },
    Shot { name: "customers", page: FOUND, steps: RECORD, look: DESK },
    Shot { name: "activity", page: "/activity", steps: &[], look: DESK },
    Shot { name: "customers-dark", page: FOUND, steps: RECORD, look: DARK },
    Shot { name: "phone-search", page: FOUND, steps: &[], look: PHONE },
    Shot { name: "phone-customer", page: FOUND, steps: RECORD, look: PHONE },
];

/// Customers whom a caller could be.
const FOUND: &str = "/customers?q=nguyen";

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/screenshots"))
}

#[test]
fn the_main_pages_are_pictured() {
    let demo = Demo::open();
    run(async {
        for shots in SHOTS.chunk_by(|one, other| one.look == other.look) {
            let browser = Browser::open(shots[0].look).await;
            demo.sign_in(&browser).await;
            for shot in shots {
                browser.goto(&demo.at(shot.page)).await;
                for (click, arrives) in shot.steps {
                    browser.click(click).await;
                    browser.find(arrives).await;
                }
                let picture = browser.client.screenshot().await.expect("a picture");
                if std::env::var_os("ZOOP_WRITE_SCREENSHOTS").is_some() {
                    let file = folder().join(shot.name).with_extension("png");
                    std::fs::write(file, picture).expect("written");
                }
            }
        }
    });
}

#[test]
fn every_picture_is_kept_and_the_readme_shows_it() {
    let readme = include_str!("../../../../../README.md");
    let kept = std::fs::read_dir(folder()).expect("the folder");
    let kept: BTreeSet<_> = kept.map(|it| it.expect("a file").file_name()).collect();
    let expected: BTreeSet<_> = SHOTS.iter().map(|it| format!("{}.png", it.name).into()).collect();
    assert_eq!(kept, expected, "./screenshots takes them");
    for Shot { name, .. } in &SHOTS {
        assert!(readme.contains(&format!("docs/screenshots/{name}.png")), "{name}");
    }
}
