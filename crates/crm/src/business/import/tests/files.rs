//! Files that are damaged, strange or made to harm.

use std::io::Write as _;

use zoop_both::both;

use super::super::preview::Preview;
use super::super::{Reading, Source, report};
use super::{importer, plan, source};
use crate::call::error::Error;
use crate::testing::TestEnv;
use crate::values::country::Country;

/// Why a file is refused.
fn refusal(bytes: &[u8]) -> String {
    match Source::read("f", bytes, Reading::default(), Country::US) {
        Err(Error::InvalidInput { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

/// The names of the customers of a file.
fn names(bytes: &[u8]) -> Vec<String> {
    let source = source("f.csv", bytes);
    let drafts = (0..source.customers()).map(|at| source.draft(at));
    drafts.map(|it| it.map_or_else(|unusable| unusable.why, |draft| draft.shown.name)).collect()
}

#[test]
fn only_totals_titles_and_times_are_no_customers() {
    assert_eq!(
        names(b"Name,Phone\nTotal Plumbing,\nAnn Able,\nTotal: 2 customers,\n"),
        ["Total Plumbing", "Ann Able"]
    );
    assert_eq!(names(b"Name,Phone,City\nAnn Able,,\n\"Smith: Unit 5\",,\n"), ["Ann Able", "Smith"]);
    assert_eq!(
        names(b"Our customers\n\nName,Phone\nAnn Able,\n\"May 1, 2026 07:33 AM\",\n"),
        ["Ann Able"]
    );
    let header = b"Name,Kind of client,Best way\nZed Zee,x,y\nAnn Able,Company,Email\n";
    assert_eq!(names(header), ["Zed Zee", "Ann Able"]);
}

#[both]
fn rows_that_describe_no_customer_are_reported_with_the_reason() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let importer = importer(&env, &acme);
    let file = "Our customers\n\nName,Phone\nAnn Able,\nTotal: 2 customers,\nBea Best,\n\"May 1, 2026 07:33 AM\",\n";
    let file = source("f.csv", file.as_bytes());
    let planned = plan(&importer, &file);
    let report = String::from_utf8(report::of_plan(&file, &planned)).expect("text");
    assert_eq!(
        report.lines().skip(1).collect::<Vec<_>>(),
        [
            "4,Ann Able,added,",
            "6,Bea Best,added,",
            "1,Our customers,skipped,is above the names of the columns",
            "5,Total: 2 customers,skipped,is only a total",
            "7,\"May 1, 2026 07:33 AM\",skipped,is the last row and only says when the list was made",
        ]
    );
    let shown = Preview::of(&file, &planned, 1);
    let first = shown.skipped.first.first().expect("one is shown");
    assert_eq!((shown.rows, shown.skipped.count, first.line), (2, 3, 1));
}

#[test]
fn every_delimiter_is_found_from_the_content() {
    let text = "Name,Phone,Tags,Notes\nAnn Able,510-555-0101,Gold,\"Gate 4711, Side\"\nBea Best,510-555-0102,Blue,\n";
    let expected = ["Ann Able", "Bea Best"];
    for delimiter in [",", ";", "\t", "|"] {
        let written = text.replace(", ", "_ ").replace(',', delimiter).replace("_ ", ", ");
        let file = source("f.csv", written.as_bytes());
        assert_eq!(file.columns().count(), 4, "{written}");
        assert_eq!(names(written.as_bytes()), expected, "{written}");
        let draft = file.draft(0).expect("a customer");
        assert_eq!(
            (&*draft.shown.phone, &draft.shown.tags[..], &draft.notes[..]),
            ("510-555-0101", &["Gold".to_owned()][..], &["Gate 4711, Side".to_owned()][..]),
            "{written}"
        );
    }
}

#[test]
fn a_delimiter_that_the_file_names_wins_and_its_line_counts() {
    // The commas of the cells would win otherwise.
    let text = "sep=;\r\nName;Notes\r\nAnn Able;a, b, c, d\r\nBea Best;a, b, c, d\r\n";
    assert_eq!(names(text.as_bytes()), ["Ann Able", "Bea Best"]);
    let file = source("f.csv", text.as_bytes());
    assert_eq!(file.cells(4), Some(&["Bea Best".to_owned(), "a, b, c, d".to_owned()][..]));
    let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    assert_eq!(names(&with_mark), ["Ann Able", "Bea Best"]);
    let other = "sep=^\nName^Phone\nAnn Able^510-555-0101\n";
    assert_eq!(names(other.as_bytes()), ["Ann Able"], "one that no one would guess");
    let tabs = "sep=\t\nName\tPhone\nAnn Able\t510-555-0101\n";
    assert_eq!(names(tabs.as_bytes()), ["Ann Able"]);
    assert_eq!(refusal(b"sep=;\n"), "The file is empty.");
}

#[test]
fn a_row_that_does_not_fit_the_columns_is_not_added() {
    let [fate] = &names(b"Name,Phone\nAble, Ann,510-555-0101\n")[..] else { panic!("one row") };
    assert!(fate.starts_with("has more cells than there are columns"), "{fate}");
}

#[test]
fn every_encoding_and_line_end_is_read() {
    let text = "Name;Phone\r\nJosé Muñoz;510-555-0101\r\nZoë;\r\n";
    let utf_16 = |be: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if be { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    let windows: Vec<u8> = text.chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect();
    let mut damaged = text.as_bytes().to_vec();
    damaged.extend(b"Bad \xff;\r\nJos\xc3\xa9 \xc3\x81vila;\r\n\xc3\x89va;\r\n");
    let expected = ["José Muñoz", "Zoë"];
    for bytes in [
        text.as_bytes().to_vec(),
        utf_16(false),
        utf_16(true),
        windows,
        text.replace("\r\n", "\r").into_bytes(),
    ] {
        assert_eq!(names(&bytes), expected);
    }
    assert_eq!(names(&damaged)[..2], expected);
    let source = source("f.csv", b"Name,Phone\rAnn Able,1\rBea Best,2\r");
    assert_eq!(source.cells(3), Some(&["Bea Best".to_owned(), "2".to_owned()][..]));
}

#[test]
fn control_characters_are_not_imported() {
    let source = source("f\u{1b}[2J.csv", b"Name,Notes\nAnn\x1b[2J Able,Line\x00 one\n");
    assert_eq!(source.file_name, "f [2J.csv");
    let draft = source.draft(0).expect("a customer");
    assert_eq!(
        (&*draft.shown.name, &draft.notes[..]),
        ("Ann[2J Able", &["Line one".to_owned()][..])
    );
}

#[test]
fn files_that_cannot_be_read_say_what_to_do() {
    for (bytes, advice) in [
        (&b""[..], "The file is empty."),
        (b"Name,Phone\n", "no rows below"),
        (b"\xD0\xCF\x11\xE0....", "save it as XLSX or CSV"),
        (b"PK\x03\x04....", "damaged"),
        (b"Wer,Was\na,b\n", "say which of Wer, Was is the name"),
        (b"BEGIN:VCARD\nnothing", "no address cards"),
    ] {
        let message = refusal(bytes);
        assert!(message.contains(advice), "{message}");
    }
    let wide = format!("Name\n{}x\n", ",".repeat(400));
    assert!(refusal(wide.as_bytes()).contains("columns"), "{wide}");
    let long = format!("Name\n{}", "a\n".repeat(200_001));
    assert!(refusal(long.as_bytes()).contains("200000 rows"));
}

/// A workbook with these cells in its only sheet, and one long text that many cells may share.
fn workbook(cells: &str, shared: &str) -> Vec<u8> {
    workbook_of(&[("A", cells)], shared)
}

/// A workbook with these cells in its sheets.
fn workbook_of(sheets: &[(&str, &str)], shared: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut part = |name: &str, text: &str| {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let each = |text: &dyn Fn(usize, &str) -> String| {
        (1..).zip(sheets).map(|(at, (name, _))| text(at, name)).collect::<String>()
    };
    part(
        "_rels/.rels",
        &format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
        ),
    );
    part(
        "xl/workbook.xml",
        &format!(
            r#"<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>{}</sheets></workbook>"#,
            each(&|at, name| format!(r#"<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>"#))
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>"#,
            each(&|at, _| format!(
                r#"<Relationship Id="rId{at}" Type="{relation}/worksheet" Target="worksheets/sheet{at}.xml"/>"#
            ))
        ),
    );
    part("xl/sharedStrings.xml", &format!(r#"<sst xmlns="{main}"><si><t>{shared}</t></si></sst>"#));
    for (at, (_, cells)) in (1..).zip(sheets) {
        part(
            &format!("xl/worksheets/sheet{at}.xml"),
            &format!(r#"<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>"#),
        );
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_made_to_harm_is_refused() {
    let row =
        |number: usize| format!(r#"<row r="{number}"><c r="A{number}" t="s"><v>0</v></c></row>"#);
    let named = workbook(&[row(1), row(2)].concat(), "Name");
    assert_eq!(names(&named), ["Name"]);
    let many: String = (1..=100_000).map(row).collect();
    let bomb = workbook(&many, &"x".repeat(30_000));
    assert!(refusal(&bomb).contains("too large"), "{} bytes", bomb.len());
    let far = workbook(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="XFD1" t="s"><v>0</v></c></row>"#,
        "Name",
    );
    assert!(refusal(&far).contains("columns"));
    for reference in ["A4294967296", "ZZZZZZZZZ1", "1", "A0"] {
        let strange =
            workbook(&format!(r#"<row r="1"><c r="{reference}" t="s"><v>0</v></c></row>"#), "Name");
        let _ = Source::read("f.xlsx", &strange, Reading::default(), Country::US);
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_refused_with_its_line() {
    let file = "Name,Notes\nAnn Able,\"Has a \"\"dog\"\".\nTwo lines.\"\nBob Baker,\"5 ft ladder\nCal Cook,\n";
    let message = refusal(file.as_bytes());
    assert!(message.starts_with("A quotation mark in line 4 is never closed"), "{message}");
    let message = refusal(format!("sep=;\r\n{}", file.replace(',', ";")).as_bytes());
    assert!(message.starts_with("A quotation mark in line 5 is never closed"), "{message}");
    for closed in [
        "Name,Notes\nAnn Able,5\" pipe\n",
        "Name,Notes\nAnn Able,\"\"\n",
        "Name,Notes\nAnn Able,\"Says \"\"no\"\"\"",
        "Name,Notes\nAnn Able,\"a\" b \"c\n",
    ] {
        assert_eq!(names(closed.as_bytes()), ["Ann Able"], "{closed}");
    }
}

#[test]
fn a_workbook_says_which_of_its_sheets_is_read() {
    let name = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#;
    let named = format!("{name}{}", name.replace('1', "2"));
    let blank = r#"<row r="1"><c r="A1" t="inlineStr"><is><t> </t></is></c></row>"#;
    let only = source("f.xlsx", &workbook_of(&[("A", &named), ("B", ""), ("C", blank)], "Name"));
    assert_eq!(only.sheets(), "");
    let sheets = [("Z", ""), ("List", &*named), ("Old", name), ("D", ""), ("Prices", name)];
    let several = source("f.xlsx", &workbook_of(&sheets, "Name"));
    assert_eq!(
        several.sheets(),
        "Only the sheet List is read; Old and Prices are left out: to import another one, save it as CSV."
    );
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let planned = plan(&importer(&env, &acme), &several);
    assert_eq!(Preview::of(&several, &planned, 1).sheets, several.sheets());
    let message = refusal(&workbook_of(&[("Cover", &named), ("List", name)], "Our list"));
    assert!(
        message.ends_with(
            "Only the sheet Cover is read; List is left out: to import another one, save it as CSV."
        ),
        "{message}"
    );
}
