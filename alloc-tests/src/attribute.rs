//! Who did it: the same windows once more with call stacks, for a scenario whose numbers are not what they should be.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use baselines::sites::{SiteCost, Sites};
use baselines::suite_report::Leak;
use serde::{Deserialize, Serialize};

use crate::measure::run;
use crate::profiler::Profiler;
use crate::sites::{self, Profile};
use crate::{Scenario, Window};

/// Runs in which a scenario that wavered is given the chance to waver again.
const WAVERING_RUNS: usize = 20;

/// Call sites of a scenario, and what they are held to account for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Attribution {
    /// Blocks and bytes of each site, at N and 2N.
    pub sites: Sites,
    /// File and line of each site today.
    pub places: BTreeMap<String, String>,
    /// Sites with live blocks after the run, and how many at 2N.
    pub leaks: Vec<Leak>,
    /// Sites that spawned tasks which were alive when the server had returned.
    pub tasks: Vec<Leak>,
    /// Sites that were not the same in every run at N.
    pub wavering: Vec<Wavering>,
}

/// The least and the most that a site did in a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wavering {
    /// The site's key.
    pub key: String,
    /// Blocks, least and most.
    pub blocks: [u64; 2],
    /// Bytes, least and most.
    pub bytes: [u64; 2],
    /// Bytes live when the heap was largest, least and most.
    pub peak_bytes: [u64; 2],
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
    profile.retain(|key, _| !key.starts_with("alloc_tests::profiler::"));
    Ok(profile)
}

fn costs(n: &Profile, double: &Profile) -> Attribution {
    let mut attribution = Attribution::default();
    for key in n.keys().chain(double.keys()).collect::<BTreeSet<_>>() {
        let of =
            |profile: &Profile| profile.get(key).map_or((0, 0), |site| (site.blocks, site.bytes));
        let ((blocks, bytes), (blocks_double, bytes_double)) = (of(n), of(double));
        let cost = SiteCost { blocks: [blocks, blocks_double], bytes: [bytes, bytes_double] };
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

fn wavering(runs: &[Profile]) -> Vec<Wavering> {
    let keys: BTreeSet<&String> = runs.iter().flat_map(Profile::keys).collect();
    let none = sites::Site::default();
    let range = |key: &String, metric: fn(&sites::Site) -> u64| {
        let seen = runs.iter().map(|run| metric(run.get(key).unwrap_or(&none)));
        [seen.clone().min().unwrap_or_default(), seen.max().unwrap_or_default()]
    };
    let all = keys.into_iter().map(|key| Wavering {
        key: key.clone(),
        blocks: range(key, |site| site.blocks),
        bytes: range(key, |site| site.bytes),
        peak_bytes: range(key, |site| site.peak_bytes),
    });
    let wavers = |site: &Wavering| {
        [site.blocks, site.bytes, site.peak_bytes].iter().any(|[least, most]| least != most)
    };
    all.filter(wavers).collect()
}
