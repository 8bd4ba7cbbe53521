//! Who did it: the same windows once more with call stacks, for a scenario whose numbers are not what they should be.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use baselines::sites::{SiteCost, Sites};
use serde::{Deserialize, Serialize};

use crate::measure::{Profiler, run};
use crate::sites::{self, Profile};
use crate::{Scenario, Window};

/// Runs in which a scenario that wavered is given the chance to waver again.
const WAVERING_RUNS: usize = 20;

/// Call sites of a scenario, and what they are held to account for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Attribution {
    /// Blocks and bytes of each site, at N and 2N.
    pub sites: BTreeMap<String, Cost>,
    /// File and line of each site today.
    pub places: BTreeMap<String, String>,
    /// Sites with live blocks after the run, and how many at 2N.
    pub leaks: Vec<Leak>,
    /// Sites that spawned tasks which were alive when the server had returned.
    pub tasks: Vec<Leak>,
    /// Sites whose blocks or bytes were not the same in every run at N, with the least and the most blocks seen.
    pub wavering: Vec<(String, u64, u64)>,
}

/// [`SiteCost`] between processes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cost {
    blocks: [u64; 2],
    bytes: [u64; 2],
}

/// Something left behind.
#[derive(Debug, Serialize, Deserialize)]
pub struct Leak {
    /// The site's key.
    pub key: String,
    /// Its file and line.
    pub place: String,
    /// How many blocks are left of it.
    pub blocks: u64,
    /// How many bytes are left of it.
    pub bytes: u64,
}

impl Attribution {
    /// The sites as a baseline holds them.
    #[must_use]
    pub fn recordable(&self) -> Sites {
        let cost = |cost: &Cost| SiteCost { blocks: cost.blocks, bytes: cost.bytes };
        self.sites.iter().map(|(key, of)| (key.clone(), cost(of))).collect()
    }
}

/// What there is to find out about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which sites cost what, and which leak.
    Sites,
    /// Which tasks nobody joined.
    Tasks,
    /// Which sites are not the same in every run.
    Wavering,
}

/// Answers one question about a scenario.
///
/// # Errors
///
/// If the scenario fails, or the profile cannot be written and read.
pub fn attribute(scenario: &Scenario, question: Question) -> anyhow::Result<Attribution> {
    // What the first run of a process does once only is no site of the scenario.
    let fresh = |ops| Window::new(ops);
    profile(scenario, fresh(scenario.ops()))?;
    match question {
        Question::Sites => {
            let n = profile(scenario, fresh(scenario.ops()))?;
            let double = profile(scenario, fresh(2 * scenario.ops()))?;
            Ok(costs(&n, &double))
        }
        Question::Tasks => {
            let tasks = profile(scenario, fresh(scenario.ops()).ending_with_server())?;
            let spawned = tasks.iter().filter(|(key, _)| key.contains("tokio::runtime::task"));
            Ok(Attribution { tasks: live(spawned), ..Attribution::default() })
        }
        Question::Wavering => {
            let runs = (0..WAVERING_RUNS).map(|_| profile(scenario, fresh(scenario.ops())));
            Ok(Attribution {
                wavering: wavering(&runs.collect::<anyhow::Result<Vec<_>>>()?),
                ..Attribution::default()
            })
        }
    }
}

fn profile(scenario: &Scenario, window: Window) -> anyhow::Result<Profile> {
    let file = tempfile::NamedTempFile::new()
        .context("cannot write a profile; is the temporary folder full?")?;
    run(scenario, window, || Profiler::attributing(file.path()))?;
    let json = std::fs::read_to_string(file.path()).context("cannot read the profile back")?;
    let mut profile = sites::parse(&json)?;
    // The proof, at the end of every window, that it still sees.
    profile.retain(|key, _| !key.starts_with("alloc_tests::measure::profiler"));
    Ok(profile)
}

fn costs(n: &Profile, double: &Profile) -> Attribution {
    let mut attribution = Attribution::default();
    for key in n.keys().chain(double.keys()).collect::<BTreeSet<_>>() {
        let of =
            |profile: &Profile| profile.get(key).map_or((0, 0), |site| (site.blocks, site.bytes));
        let ((blocks, bytes), (blocks_double, bytes_double)) = (of(n), of(double));
        let cost = Cost { blocks: [blocks, blocks_double], bytes: [bytes, bytes_double] };
        attribution.sites.insert(key.clone(), cost);
        let place = double
            .get(key)
            .or_else(|| n.get(key))
            .map(|site| site.place.clone())
            .unwrap_or_default();
        attribution.places.insert(key.clone(), place);
    }
    attribution.leaks = live(double.iter());
    attribution
}

/// Sites with live blocks, the most first.
fn live<'a>(sites: impl Iterator<Item = (&'a String, &'a sites::Site)>) -> Vec<Leak> {
    let live = sites.filter(|(_, site)| site.live_blocks > 0);
    let mut leaks: Vec<Leak> = live
        .map(|(key, site)| Leak {
            key: key.clone(),
            place: site.place.clone(),
            blocks: site.live_blocks,
            bytes: site.live_bytes,
        })
        .collect();
    leaks.sort_by(|a, b| (b.blocks, b.bytes, &a.key).cmp(&(a.blocks, a.bytes, &b.key)));
    leaks
}

fn wavering(runs: &[Profile]) -> Vec<(String, u64, u64)> {
    let keys: BTreeSet<&String> = runs.iter().flat_map(Profile::keys).collect();
    let range = |key: &String| {
        let seen =
            runs.iter().map(|run| run.get(key).map_or((0, 0), |site| (site.blocks, site.bytes)));
        let (least, most) = (seen.clone().min()?, seen.max()?);
        (least != most).then(|| (key.clone(), least.0, most.0))
    };
    keys.into_iter().filter_map(range).collect()
}
