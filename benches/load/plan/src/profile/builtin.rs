use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::Profile;
use crate::unknown::unknown;

/// A profile that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The name on the command line.
    pub name: &'static str,
    /// The whole file, with its comments.
    pub toml: &'static str,
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        &[$(Builtin {
            name: $name,
            toml: include_str!(concat!("../../../profiles/", $name, ".toml")),
        }),*]
    };
}

/// Size of the longest file that is read as a profile, in bytes.
const MOST_BYTES: u64 = 1 << 20;

fn read(path: &str) -> Result<String> {
    let mut toml = String::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut toml)?;
    ensure!(toml.len() as u64 <= MOST_BYTES, "the file is longer than 1 MiB; a profile is shorter");
    Ok(toml)
}

impl Profile {
    /// The built-in profiles, the simplest first.
    pub const BUILTIN: &[Builtin] = builtin![
        "smoke",
        "development",
        "enterprise",
        "sustained",
        "burst",
        "storm",
        "churn",
        "slow-reader",
        "idle",
        "hostile",
    ];

    /// The built-in profile with this name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let builtin = Self::BUILTIN.iter().find(|builtin| builtin.name == name)?;
        Some(Self::parse(builtin.toml, name).expect("the built-in profiles are tested"))
    }

    /// The built-in profile with this name, or a file: a path contains a separator or ends in `.toml`.
    ///
    /// # Errors
    ///
    /// If there is no such profile or file, or if [`Profile::parse`] refuses it.
    pub fn load(name_or_path: &str) -> Result<Self> {
        if name_or_path.contains(std::path::is_separator) || name_or_path.ends_with(".toml") {
            let toml = read(name_or_path).with_context(|| {
                format!(
                    "cannot read the profile {name_or_path}; ws-load profiles lists the built-in \
                     ones"
                )
            })?;
            let folder = Path::new(name_or_path).parent().unwrap_or_else(|| Path::new(""));
            return Self::parse_in(Some(folder), &toml, name_or_path);
        }
        Self::builtin(name_or_path).with_context(|| {
            let names: Vec<&str> = Self::BUILTIN.iter().map(|builtin| builtin.name).collect();
            let unknown = unknown("profile", name_or_path, &names, "");
            format!("{unknown} (there are {}; a file is ./{name_or_path}.toml)", names.join(", "))
        })
    }
}
