//! A database as the product would have written it in two years: every row is written by a tool call through the
//! product's pipeline, with many calls per transaction. The same parameters give the same rows.
//!
//! | module | holds |
//! | --- | --- |
//! | [`plan`] | how large each business is, and who writes when |
//! | [`people`], [`text`] | invented customers and notes |
//! | [`business`] | one business while it is generated |
//! | [`writer`] | the calls, in batches |
//! | [`landmarks`] | keys, ids and search terms for the benchmark |

mod business;
pub(crate) mod landmarks;
mod people;
mod plan;
mod text;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use zoop_crm::call::error::Error;
use zoop_crm::{maintenance, schema};
use zoop_db::{Db, Migrate, Options};

pub(crate) use landmarks::Landmarks;
use writer::Writer;

/// The time limit for a batch, longer than any machine needs.
const TIMEOUT: Duration = Duration::from_secs(3_600);
/// A part of the file's name. It must change with the generator or the schema, so that an older file is not
/// mistaken for a current one.
const EDITION: u32 = 4;

/// The parameters of a database.
#[derive(Debug, Clone, PartialEq, clap::Args, serde::Serialize, serde::Deserialize)]
pub(crate) struct Parameters {
    /// Customers, in all businesses together.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) customers: u32,
    /// Notes, in all businesses together; as many as customers if not given.
    #[arg(long)]
    pub(crate) notes: Option<u32>,
    /// Businesses; the square root of the customers if not given: a thousand for a million.
    #[arg(long)]
    pub(crate) tenants: Option<u32>,
    /// The largest business's share of everything.
    #[arg(long, default_value_t = 0.2)]
    pub(crate) largest_share: f64,
    /// The random seed.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

impl Parameters {
    /// Parameters with this many customers, and defaults for the rest.
    pub(crate) fn of(customers: u32) -> Self {
        Self { customers, notes: None, tenants: None, largest_share: 0.2, seed: 1 }
    }

    pub(crate) fn notes(&self) -> u32 {
        self.notes.unwrap_or(self.customers)
    }

    pub(crate) fn tenants(&self) -> u32 {
        self.tenants.unwrap_or(self.customers.isqrt()).max(1)
    }

    /// Where the database with these parameters is stored.
    fn path(&self) -> Result<PathBuf> {
        let (notes, tenants) = (self.notes(), self.tenants());
        let Self { customers, largest_share, seed, .. } = self;
        let name = format!(
            "{customers}-customers-{notes}-notes-{tenants}-tenants-{largest_share}-share-seed-\
             {seed}-v{EDITION}.db"
        );
        Ok(crate::folder()?.join(name))
    }
}

/// The database with these parameters, generated if it does not exist yet.
pub(crate) fn cached(parameters: &Parameters) -> Result<(PathBuf, Landmarks)> {
    let path = parameters.path()?;
    let landmarks = match Landmarks::load(&path) {
        Ok(landmarks) if path.exists() => landmarks,
        _ => to_file(parameters, &path)?,
    };
    Ok((path, landmarks))
}

/// Generates the database with these parameters. The file gets its name only when it is complete.
pub(crate) fn to_file(parameters: &Parameters, path: &Path) -> Result<Landmarks> {
    ensure!(!path.exists(), "{} already exists", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let part = path.with_extension("part");
    for end in ["part", "part-wal", "part-shm"] {
        let _ = fs::remove_file(path.with_extension(end));
    }
    let bar = ProgressBar::new(u64::from(parameters.customers) + u64::from(parameters.notes()));
    bar.set_style(ProgressStyle::with_template(
        "{msg} [{bar:30}] {percent}%  {human_pos}/{human_len}  {per_sec}  {eta} left",
    )?);
    bar.set_message(format!("writing {}", path.display()));
    let landmarks = write(parameters, &part, &bar)?;
    landmarks.save(path)?;
    fs::rename(&part, path)?;
    bar.finish();
    Ok(landmarks)
}

fn write(parameters: &Parameters, path: &Path, bar: &ProgressBar) -> Result<Landmarks> {
    let url = format!("sqlite://{}", path.display());
    let db = Db::open(&url, &Options::default(), schema::MIGRATIONS, Migrate::Run)?;
    let mut writer = Writer::new(parameters)?;
    while writer.remaining() > 0 {
        // The storage may run a job twice, but a batch cannot be repeated: a second attempt fails the generator.
        let mut once = Some(writer);
        let job = db.write::<_, Error>(Instant::now() + TIMEOUT, move |tx| {
            let mut writer =
                once.take().ok_or_else(|| Error::internal("a batch could not be committed"))?;
            writer.batch(tx)?;
            Ok(writer)
        });
        writer = job.wait().map_err(|error| anyhow!("{error:?}"))?;
        bar.set_position(bar.length().unwrap_or_default() - writer.remaining() as u64);
    }
    // As the upkeep of a running server does.
    let merge = || db.write(Instant::now() + TIMEOUT, maintenance::merge_search_indexes).wait();
    while merge().map_err(|error: Error| anyhow!("{error:?}"))? {}
    Ok(writer.landmarks())
}

#[cfg(test)]
mod tests;
