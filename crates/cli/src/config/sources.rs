//! The sources of settings: flags, then variables, then one file, then the defaults.
//!
//! Each invalid setting is reported once, with its source and without its value.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Config;
use super::table::{SETTINGS, Secrecy, Setting};
use super::written::{Expected, Written};

/// The name of the settings file in the current folder.
pub(crate) const FILE: &str = "zoop.toml";
/// The settings file of the machine, used if the current folder has none.
const MACHINE_FILE: &str = "/etc/zoop/zoop.toml";
/// The size limit of a secret's file, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Where to look for the settings file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Search<'a> {
    /// This file, which must exist.
    File(&'a Path),
    /// The file in the current folder, then the machine's file.
    Default,
    /// Only the machine's file: the author of the current folder's file must not decide where a key is sent.
    Machine,
}

impl Search<'_> {
    /// The file to use, if there is one.
    fn file(self) -> Option<PathBuf> {
        let candidates: &[&str] = match self {
            Self::File(path) => return Some(path.to_owned()),
            Self::Default => &[FILE, MACHINE_FILE],
            Self::Machine => &[MACHINE_FILE],
        };
        first_existing(candidates)
    }
}

fn first_existing(candidates: &[&str]) -> Option<PathBuf> {
    candidates.iter().map(Path::new).find(|path| path.exists()).map(Path::to_owned)
}

/// A command-line flag for a setting.
pub(crate) struct Flag<'a> {
    /// The setting's path.
    pub(crate) key: &'static str,
    /// The flag's name.
    pub(crate) name: &'static str,
    /// The flag's value, if it was given.
    pub(crate) value: Option<&'a String>,
}

/// The settings of this run.
pub(crate) fn load(search: Search<'_>, flags: &[Flag<'_>]) -> Result<Config> {
    let mut faults = Faults::default();
    let file = search.file();
    let table = file.as_deref().map(|path| read(path, &mut faults)).unwrap_or_default();
    let source = file.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
    report_unknown(&table, &source, &mut faults);
    let mut config = Config { file, ..Config::default() };
    for setting in SETTINGS {
        let flag = flags.iter().find(|flag| flag.key == setting.key);
        let flag = flag.and_then(|flag| Some((flag.name.to_owned(), flag.value?.clone())));
        // Read even if there is a flag: two variables for one secret are an error in any case.
        let variable = variable(setting, &mut faults);
        let put = match (flag.or(variable), value(&table, setting.key)) {
            (Some((source, text)), _) => {
                Some((source, (setting.put)(&mut config, Written::Text(&text))))
            }
            (None, Some(value)) => {
                Some((source.clone(), (setting.put)(&mut config, Written::Toml(value))))
            }
            (None, None) => None,
        };
        if let Some((source, Err(Expected(expected)))) = put {
            faults.add(setting.key, &source, expected);
        }
    }
    faults.fail_if_any()?;
    Ok(config)
}

/// The errors in all settings, which are reported together.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, key: &str, source: &str, problem: &str) {
        self.0.push(format!("{key} ({source}) {problem}"));
    }

    fn fail_if_any(self) -> Result<()> {
        if !self.0.is_empty() {
            bail!("the settings cannot be used: {}", self.0.join("; "));
        }
        Ok(())
    }
}

/// Reads the settings file. Because the file may contain secrets, an error reports only its line number.
fn read(path: &Path, faults: &mut Faults) -> toml::Table {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            faults.0.push(format!("{} cannot be read: {error}", path.display()));
            return toml::Table::new();
        }
    };
    toml::from_str(&text).unwrap_or_else(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        faults.0.push(format!("{} is not valid TOML at line {line}", path.display()));
        toml::Table::new()
    })
}

/// The value of a setting in the file.
fn value<'t>(table: &'t toml::Table, key: &str) -> Option<&'t toml::Value> {
    match key.split_once('.') {
        Some((section, key)) => table.get(section)?.get(key),
        None => table.get(key),
    }
}

/// Reports settings in the file that do not exist.
fn report_unknown(table: &toml::Table, source: &str, faults: &mut Faults) {
    for (name, value) in table {
        let is_section =
            SETTINGS.iter().any(|it| it.key.split_once('.').is_some_and(|it| it.0 == name));
        match value {
            toml::Value::Table(keys) if is_section => {
                for key in keys.keys() {
                    report_if_unknown(&format!("{name}.{key}"), source, faults);
                }
            }
            _ if is_section => {
                faults.add(
                    name,
                    source,
                    &format!("is a section: write [{name}] on a line of its own"),
                );
            }
            _ => report_if_unknown(name, source, faults),
        }
    }
}

fn report_if_unknown(key: &str, source: &str, faults: &mut Faults) {
    if SETTINGS.iter().any(|setting| setting.key == key) {
        return;
    }
    let closeness = |setting: &&Setting| strsim::damerau_levenshtein(key, setting.key);
    let nearest = SETTINGS.iter().min_by_key(closeness).map_or("", |setting| setting.key);
    let shown: String = key.chars().filter(|character| !character.is_control()).take(60).collect();
    faults.add(&shown, source, &format!("is not a setting; the nearest one is {nearest}"));
}

/// A variable's name and the setting's value from it. For a secret, a second variable may name a file with the value.
/// Unknown variables are ignored, because orchestrators set variables for every service that they know. An empty
/// variable counts as not set.
fn variable(setting: &Setting, faults: &mut Faults) -> Option<(String, String)> {
    let name = setting.variable();
    let text = env_value(&name).and_then(|value| {
        let text = value.into_string();
        text.map_err(|_| faults.add(setting.key, &name, "must be UTF-8 text")).ok()
    });
    if setting.secrecy == Secrecy::Open {
        return text.map(|text| (name, text));
    }
    let file_name = format!("{name}_FILE");
    let Some(path) = env_value(&file_name) else { return text.map(|text| (name, text)) };
    if text.is_some() {
        let both = format!("is set twice: by {name} and by {file_name}; unset one of them");
        faults.add(setting.key, "variables", &both);
        return None;
    }
    match read_secret(Path::new(&path)) {
        Ok(text) => Some((file_name, text)),
        // The variable may contain the secret itself by mistake, so the path is not shown.
        Err(error) => {
            faults.add(
                setting.key,
                &file_name,
                &format!("names a file that cannot be read: {error}"),
            );
            None
        }
    }
}

/// A variable, if it is set and not empty.
fn env_value(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The secret in a file, without a trailing newline, which editors add.
fn read_secret(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_SECRET_BYTES).read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_existing_file_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (near, far) = (path("near.toml"), path("far.toml"));
        let candidates = [near.as_str(), far.as_str()];
        assert_eq!(first_existing(&candidates), None);
        fs::write(&far, "").unwrap();
        assert_eq!(first_existing(&candidates), Some(PathBuf::from(&far)));
        fs::write(&near, "").unwrap();
        assert_eq!(first_existing(&candidates), Some(PathBuf::from(&near)));
    }
}
