//! Bar charts as SVG, in the reader's light or dark mode.

use std::path::Path;

use anyhow::Result;
use svg::Document;
use svg::node::element::{Line, Rectangle, Style, Text};

use super::format::{callers_of, time, whole};
use crate::cases;
use crate::measure::{self, SINGLE};
use crate::results::{Key, Results};

const WIDTH: f64 = 860.0;
const LABELS: f64 = 270.0;
const VALUES: f64 = 90.0;
const TOP: f64 = 70.0;
const BAR: f64 = 13.0;
const GAP: f64 = 11.0;
const COLORS: &[&str] = &["#93c5fd", "#3b82f6", "#1e40af"];
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2937}\
    .title{font-size:16px;font-weight:600}.small{font-size:11px;fill:#6b7280}\
    .back{fill:#fff}.grid{stroke:#e5e7eb}\
    @media(prefers-color-scheme:dark){text{fill:#e5e7eb}.small{fill:#9ca3af}\
    .back{fill:#0d1117}.grid{stroke:#30363d}}";

/// The scale of the bars.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// From zero: a bar of twice the length is twice the value.
    Linear,
    /// From a power of ten: for values that are far apart.
    Logarithmic,
}

/// A bar chart.
struct Bars {
    scale: Scale,
    title: &'static str,
    /// The labels of a row's bars, in order.
    series: Vec<String>,
    rows: Vec<(String, Vec<Option<f64>>)>,
    shown: fn(Option<f64>) -> String,
}

/// Writes every drawing of the report.
pub(super) fn all(results: &Results, folder: &Path) -> Result<()> {
    svg::save(folder.join("others.svg"), &others(results).draw())?;
    svg::save(folder.join("pages.svg"), &pages(results).draw())?;
    svg::save(folder.join("writes.svg"), &writes(results).draw())?;
    Ok(())
}

fn others(results: &Results) -> Bars {
    let servers = [
        ("floor", "floor (a fixed answer)"),
        ("zoop", "zoop"),
        ("rmcp", "Rust SDK"),
        ("typescript", "TypeScript SDK"),
        ("fastmcp", "Python fastmcp"),
    ];
    let rows = servers.map(|(server, name)| {
        let filter = |callers: usize| {
            move |key: &Key| {
                key.server == server
                    && key.tool == "customers.get"
                    && key.callers == callers
                    && key.customers == results.largest()
            }
        };
        let calls = |callers| results.median(filter(callers), |it| it.calls_per_second);
        (name.to_owned(), vec![calls(1), calls(16), calls(64)])
    });
    let series = ["1 caller", "16 callers", "64 callers"].map(str::to_owned).to_vec();
    let title = "customers.get: calls a second (more is better)";
    Bars { scale: Scale::Logarithmic, title, series, rows: rows.to_vec(), shown: whole }
}

fn pages(results: &Results) -> Bars {
    let rows = std::iter::once(&cases::GET).chain(cases::PAGES).map(|case| {
        let at = |size: u32| {
            move |key: &Key| {
                key.tool == case.tool
                    && key.case == case.name
                    && key.customers == size
                    && key.business == "largest"
                    && key.callers == 1
                    && key.server == "zoop"
            }
        };
        let times = results.sizes.iter().map(|size| results.median(at(*size), |it| it.p50));
        (
            format!("{} {}", case.tool.replace("customers.search", "search"), case.name),
            times.collect(),
        )
    });
    let series = results.sizes.iter().map(|size| whole(Some(f64::from(*size))) + " customers");
    let title = "Time of a call, median, one caller (less is better)";
    let (series, rows) = (series.collect(), rows.collect());
    Bars { scale: Scale::Logarithmic, title, series, rows, shown: time }
}

fn writes(results: &Results) -> Bars {
    let tools = ["customers.create", "notes.create"].into_iter();
    let rows = tools.flat_map(|tool| {
        measure::CALLERS.iter().map(move |callers| {
            let filter = |server: &'static str| {
                move |key: &Key| key.server == server && key.tool == tool && key.callers == *callers
            };
            let writes = |server| results.median(filter(server), |it| it.calls_per_second);
            (callers_of(tool, *callers), vec![writes(SINGLE), writes("zoop")])
        })
    });
    let series = ["one write a transaction", "those that wait share one"].map(str::to_owned);
    let title = "Durable writes a second (more is better)";
    let (series, rows) = (series.to_vec(), rows.collect());
    Bars { scale: Scale::Linear, title, series, rows, shown: whole }
}

impl Bars {
    fn draw(&self) -> Document {
        let marks = self.marks();
        let (low, high) = (self.scaled(marks[0]), self.scaled(marks[marks.len() - 1]));
        let x_of = |value: f64| {
            let part = (self.scaled(value) - low) / (high - low);
            LABELS + part * (WIDTH - LABELS - VALUES)
        };
        let row_height = count(self.series.len()) * BAR + GAP;
        let bottom = TOP + count(self.rows.len()) * row_height;
        let mut drawing = Document::new()
            .set("viewBox", (0, 0, WIDTH, bottom + 34.0))
            .set("width", WIDTH)
            .add(Style::new(STYLE))
            .add(rectangle(0.0, 0.0, WIDTH, bottom + 34.0).set("class", "back").set("rx", 8))
            .add(text(self.title, 16.0, 28.0).set("class", "title"));
        drawing = self.legend(drawing);
        for value in marks {
            let x = x_of(value);
            drawing = drawing
                .add(
                    Line::new()
                        .set("class", "grid")
                        .set("x1", x)
                        .set("x2", x)
                        .set("y1", TOP - 6.0)
                        .set("y2", bottom),
                )
                .add(
                    text(&(self.shown)(Some(value)), x, bottom + 18.0)
                        .set("class", "small")
                        .set("text-anchor", "middle"),
                );
        }
        for (row, (name, values)) in self.rows.iter().enumerate() {
            let y = TOP + count(row) * row_height;
            let middle = y + (row_height - GAP) / 2.0 + 4.5;
            drawing = drawing.add(text(name, LABELS - 10.0, middle).set("text-anchor", "end"));
            for (series, value) in values.iter().enumerate() {
                let Some(value) = *value else { continue };
                let (y, x) = (y + count(series) * BAR, x_of(value));
                drawing = drawing
                    .add(
                        rectangle(LABELS, y + 1.0, (x - LABELS).max(1.0), BAR - 2.0)
                            .set("fill", self.color(series))
                            .set("rx", 2),
                    )
                    .add(
                        text(&(self.shown)(Some(value)), x + 6.0, y + BAR - 2.5)
                            .set("class", "small"),
                    );
            }
        }
        drawing
    }

    fn legend(&self, mut drawing: Document) -> Document {
        for (index, name) in self.series.iter().enumerate() {
            let x = LABELS + count(index) * 180.0;
            drawing = drawing
                .add(rectangle(x, 41.0, 11.0, 11.0).set("fill", self.color(index)).set("rx", 2))
                .add(text(name, x + 17.0, 51.0));
        }
        drawing
    }

    /// The last bar has the darkest color.
    fn color(&self, series: usize) -> &'static str {
        COLORS[(COLORS.len() + series).saturating_sub(self.series.len()).min(COLORS.len() - 1)]
    }

    fn scaled(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(1e-3).log10(),
        }
    }

    /// The values of the grid lines; all bars end between the first and the last.
    fn marks(&self) -> Vec<f64> {
        let values = || self.rows.iter().flat_map(|(_, values)| values).flatten().copied();
        let high = values().reduce(f64::max).unwrap_or(1.0).max(1.0);
        let decade = high.log10().floor();
        match self.scale {
            Scale::Linear => {
                let unit = 10_f64.powf(decade);
                // Coarse enough for a few lines.
                let step = [0.2, 0.5, 1.0, 2.0].map(|part| part * unit);
                let step = step.into_iter().find(|step| high / step <= 8.0).unwrap_or(unit);
                steps(0.0, (high / step).ceil().max(1.0)).map(|mark| mark * step).collect()
            }
            Scale::Logarithmic => {
                let low = values().reduce(f64::min).unwrap_or(1.0).max(1e-3).log10().floor();
                steps(low, decade + 1.0).map(|decade| 10_f64.powf(decade)).collect()
            }
        }
    }
}

/// The whole numbers from `first` to `last`.
fn steps(first: f64, last: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(first), |step| Some(step + 1.0))
        .take_while(move |step| *step <= last)
}

#[expect(clippy::cast_precision_loss, reason = "a drawing has few bars")]
const fn count(number: usize) -> f64 {
    number as f64
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Rectangle {
    Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height)
}

fn text(content: &str, x: f64, y: f64) -> Text {
    Text::new(content).set("x", x).set("y", y)
}
