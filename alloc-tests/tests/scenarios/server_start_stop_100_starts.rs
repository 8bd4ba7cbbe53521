//! A server's whole life, without a connection in it.

use alloc_tests::{Scenario, Unit};

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Start, 100, |ops| {
        move |window| {
            for _ in 0..ops {
                let server = window.start()?;
                window.stop(server)?;
            }
            Ok(())
        }
    })
}
