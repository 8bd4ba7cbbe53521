//! The pending numbers of an artifact of CI: a folder, or a zip as a browser downloads it. A stranger may have made it,
//! so nothing is unpacked, and no name in it becomes a path.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail};
use baselines::Pending;
use baselines::pending::{MOST_BYTES, plain};
use zip::ZipArchive;

use super::files::found;
use crate::error::{NotComparable, Usage};

/// Most files of a zip, and most bytes of all that are read.
const MOST_FILES: usize = 20_000;
const MOST: u64 = 16 * MOST_BYTES;

/// All pending numbers in `artifact`.
pub(super) fn read(artifact: &Path) -> Result<Vec<Pending>> {
    let shown = artifact.display();
    let usage = |why: String| Usage(format!("--from {shown}: {why}"));
    if artifact.is_dir() {
        return Ok(found(artifact)?.into_iter().map(|(_, pending)| pending).collect());
    }
    let file = File::open(artifact).map_err(|error| {
        usage(format!("{error}; give the folder or the zip of the artifact, as it was downloaded"))
    })?;
    let zip = ZipArchive::new(file).map_err(|error| {
        usage(format!("neither a folder nor a zip ({error}); download the artifact again"))
    })?;
    unzip(zip).map_err(|why| NotComparable(format!("{shown} is refused: {}", plain(&why))).into())
}

fn unzip(mut zip: ZipArchive<File>) -> Result<Vec<Pending>, String> {
    if zip.len() > MOST_FILES {
        return Err(format!("it has {} files, more than {MOST_FILES}", zip.len()));
    }
    let (mut all, mut left) = (Vec::new(), MOST);
    for at in 0..zip.len() {
        let entry = zip.by_index(at).map_err(|error| format!("its file {at}: {error}"))?;
        let name = entry.name().map_err(|error| format!("its file {at}: {error}"))?.into_owned();
        if name.starts_with(['/', '\\']) || entry.enclosed_name().is_none() {
            return Err(format!("{name:?} lies outside of it"));
        }
        if !entry.is_file() || !name.ends_with(".json") {
            continue;
        }
        let most = MOST_BYTES.min(left);
        let mut text = String::new();
        // A zip says how large its files are, and may lie.
        let read = entry.take(most + 1).read_to_string(&mut text);
        let read = read.map_err(|error| format!("{name:?}: {error}"))? as u64;
        if read > most {
            return Err(format!("{name:?} is larger than {most} bytes"));
        }
        left -= read;
        all.extend(Pending::parse(&text).map_err(|reason| format!("{name:?}: {reason}"))?);
    }
    Ok(all)
}

/// Refuses two results of one scenario, of which only one can be meant.
pub(super) fn check_unique(all: &mut Vec<Pending>) -> Result<()> {
    let key = |one: &Pending| {
        let Pending { package, test, target, id, verdict, .. } = one;
        let passed = *verdict == baselines::Verdict::Pass;
        (package.clone(), test.clone(), target.clone(), id.clone(), passed)
    };
    all.sort_by_key(key);
    all.dedup();
    match all.windows(2).find(|two| key(&two[0]) == key(&two[1])) {
        Some(two) => bail!(NotComparable(format!(
            "the artifact has two results of {}; give the folder of one of its jobs",
            two[0].id
        ))),
        None => Ok(()),
    }
}
