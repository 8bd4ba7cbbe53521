use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use load_engine::problem::Problem;

/// A flag, and the path that it names.
pub(crate) type Named<'a> = (&'a str, &'a Path);

/// Refuses files to write that are in the folder of the report, which holds nothing else, or that another flag names: one
/// would replace the other. `read` are files that a run only reads.
pub(crate) fn refuse_shared(
    out: Option<&Path>,
    written: &[Named<'_>],
    read: &[Named<'_>],
) -> Result<()> {
    let out = out.map(|out| (out.display(), place(out)));
    for (nth, (flag, path)) in written.iter().enumerate() {
        let (name, place_of) = (path.display(), place(path));
        if let Some((out, folder)) = &out {
            let words = format!(
                "{flag} {name} is inside --out {out}, which holds nothing but a report; name a file elsewhere"
            );
            ensure!(!place_of.starts_with(folder), Problem::usage(words));
        }
        for (other, file) in written[nth + 1..].iter().chain(read) {
            let words = format!("{flag} {name} is the file of {other}, too; name another one");
            ensure!(place_of != place(file), Problem::usage(words));
        }
    }
    Ok(())
}

/// `path` without links, as far as it exists.
fn place(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = whole.ancestors().find_map(|there| {
        let rest = whole.strip_prefix(there).ok()?;
        Some(there.canonicalize().ok()?.join(rest))
    });
    real.unwrap_or(whole)
}
