//! The text of a configuration → its entries.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The file beside the root manifest.
pub const FILE: &str = "plimsoll.toml";

/// A configuration as it is written, and where.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// `plimsoll.toml`, or `Cargo.toml` for the tables in the manifest.
    pub(super) file: &'static str,
    pub(super) services: Vec<Entry>,
}

/// A service as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    pub(super) server: ServerEntry,
    pub(super) command: Option<String>,
    pub(super) path: Option<String>,
    pub(super) conversation: Option<PathBuf>,
    pub(super) test: Option<TestEntry>,
    pub(super) baselines: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerEntry {
    pub(super) package: String,
    pub(super) bin: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestEntry {
    pub(super) package: Option<String>,
    pub(super) test: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    #[serde(default)]
    service: Vec<Entry>,
}

/// The parts of a manifest that a configuration may be in.
#[derive(Deserialize)]
struct Manifest {
    workspace: Option<Section>,
    package: Option<Section>,
}

#[derive(Deserialize)]
struct Section {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    plimsoll: Option<Configuration>,
}

impl Written {
    /// Reads the configuration of the workspace in `root`, if it has one.
    pub(super) fn read(root: &Path) -> Result<Option<Self>> {
        let of_file = read(&root.join(FILE))?;
        let of_file = of_file.map(|text| parse::<Configuration>(FILE, &text)).transpose()?;
        let manifest = read(&root.join("Cargo.toml"))?.unwrap_or_default();
        let Manifest { workspace, package } = parse("Cargo.toml", &manifest)?;
        let section = |one: Option<Section>| one?.metadata?.plimsoll;
        let of_manifest = [("workspace", section(workspace)), ("package", section(package))]
            .into_iter()
            .filter_map(|(table, one)| {
                Some((format!("[{table}.metadata.plimsoll] of Cargo.toml"), "Cargo.toml", one?))
            });
        let of_file = of_file.map(|one| (FILE.to_owned(), FILE, one));
        let mut all: Vec<_> = of_file.into_iter().chain(of_manifest).collect();
        if let [(one, ..), (other, ..), ..] = &all[..] {
            bail!("services are written in {one} and in {other}; keep one of them");
        }
        let Some((place, file, Configuration { service })) = all.pop() else { return Ok(None) };
        if service.is_empty() {
            bail!("{place} has no service; write [[service]] with server = {{ package = \"…\" }}");
        }
        Ok(Some(Self { file, services: service }))
    }
}

fn read(file: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| {
            format!("cannot read {0}; check its permissions with ls -l {0}", file.display())
        }),
    }
}

/// One line: the file, the line's number and words, what is wrong.
fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let number = text[..at].matches('\n').count() + 1;
        let line = text.lines().nth(number - 1).unwrap_or_default().trim();
        let message = error.message().replace('\n', ", ");
        anyhow::anyhow!("{file}:{number}: {message}: {line}")
    })
}
