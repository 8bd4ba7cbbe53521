//! The runner: cargo and nextest see one test for each scenario, `scripts/run-alloc-tests.sh` the whole suite. It starts
//! itself again for every scenario.

use std::process::ExitCode;

use plimsoll::Suite;

#[cfg(feature = "hooks")]
plimsoll::allocator!();

mod gate;

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

fn main() -> ExitCode {
    let scenarios = SCENARIOS.iter().map(|(id, scenario)| (*id, scenario()));
    let suite = scenarios
        .chain(gate::planted())
        .fold(alloc_tests::suite(), |suite, (id, one)| suite.scenario(id, || one));
    gate::trials().into_iter().fold(suite, Suite::test).main()
}
