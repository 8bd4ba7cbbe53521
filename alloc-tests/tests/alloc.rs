//! The runner: cargo and nextest see one test for each scenario, `scripts/run-alloc-tests.sh` the whole suite. It starts
//! itself again for every scenario.

use std::process::ExitCode;

use plimsoll::Suite;

#[cfg(feature = "hooks")]
plimsoll::allocator!();

mod gate;

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

fn main() -> ExitCode {
    let suite =
        SCENARIOS.iter().fold(alloc_tests::suite(), |suite, (id, one)| suite.scenario(id, one));
    let suite =
        gate::planted().into_iter().fold(suite, |suite, (id, one)| suite.planted(id, || one));
    gate::trials().into_iter().fold(suite, Suite::test).main()
}
