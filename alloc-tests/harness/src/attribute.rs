//! The same windows once more with call stacks, for a scenario with unexpected numbers.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use baselines::sites::{SiteCost, Sites};
use baselines::suite_report::Leak;
use serde::{Deserialize, Serialize};

use crate::measure::run;
use crate::profiler::Profiler;
use crate::sites::{self, Profile};
use crate::{Scenario, Suite, Window};

/// Runs of a scenario that wavered, to see it waver again.
const WAVERING_RUNS: usize = 20;

/// The answer to a [`Question`]; the other fields are empty.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Attribution {
    /// Blocks and bytes of each site, at N and 2N.
    pub sites: Sites,
    /// File and line of each site.
    pub places: BTreeMap<String, String>,
    /// Sites with live blocks after the run of 2N.
    pub leaks: Vec<Leak>,
    /// Sites that spawned tasks which were still alive when the server returned.
    pub tasks: Vec<Leak>,
    /// Sites that differed between runs at N.
    pub wavering: Vec<Wavering>,
}

/// The range of a site's allocations over several runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wavering {
    /// The site's key.
    pub key: String,
    /// Fewest and most blocks.
    pub blocks: [u64; 2],
    /// Fewest and most bytes.
    pub bytes: [u64; 2],
    /// Fewest and most bytes live when the heap was largest.
    pub peak_bytes: [u64; 2],
}

/// A question about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// The cost and the leaks of each site.
    Sites,
    /// The tasks that were not joined.
    Tasks,
    /// The sites that differ between runs.
    Wavering,
}

/// Answers one question about a scenario.
///
/// # Errors
///
/// If the scenario fails, or the profile cannot be written and read.
pub fn attribute(
    suite: &Suite,
    scenario: &Scenario,
    question: Question,
) -> anyhow::Result<Attribution> {
    let n = scenario.ops();
    let profile = |window| profile(suite, scenario, window);
    // Discard the first run: it includes one-time initialisation of the process.
    profile(Window::new(n))?;
    match question {
        Question::Sites => Ok(costs(&profile(Window::new(n))?, &profile(Window::new(2 * n))?)),
        Question::Tasks => {
            let tasks = profile(Window::new(n).ending_with_server())?;
            let spawned = tasks.iter().filter(|(key, _)| key.contains("tokio::runtime::task"));
            Ok(Attribution { tasks: live(spawned), ..Attribution::default() })
        }
        Question::Wavering => {
            let runs = (0..WAVERING_RUNS).map(|_| profile(Window::new(n)));
            let wavering = wavering(&runs.collect::<anyhow::Result<Vec<_>>>()?);
            Ok(Attribution { wavering, ..Attribution::default() })
        }
    }
}

fn profile(suite: &Suite, scenario: &Scenario, window: Window) -> anyhow::Result<Profile> {
    let file = tempfile::NamedTempFile::new()
        .context("cannot write a profile; is the temporary folder full?")?;
    run(scenario, window, || Profiler::attributing(file.path()))?;
    let json = std::fs::read_to_string(file.path()).context("cannot read the profile back")?;
    sites::parse(&json, suite.crates)
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

/// Sites with live blocks, largest first.
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
        [site.blocks, site.bytes, site.peak_bytes].iter().any(|[fewest, most]| fewest != most)
    };
    all.filter(wavers).collect()
}
