//! The runner: cargo and nextest see one test for each scenario, `scripts/run-alloc-tests.sh` the whole suite. It starts
//! itself again for every scenario.

use std::process::ExitCode;

#[cfg(feature = "hooks")]
#[global_allocator]
static ALLOCATOR: plimsoll::Allocator = plimsoll::Allocator;

mod gate;

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

fn main() -> ExitCode {
    let mut registry: plimsoll::Registry =
        SCENARIOS.iter().map(|(id, scenario)| (*id, scenario())).collect();
    registry.extend(gate::planted());
    plimsoll::main(&alloc_tests::suite(), &registry, gate::trials())
}
