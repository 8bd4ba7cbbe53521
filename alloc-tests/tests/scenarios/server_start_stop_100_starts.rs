//! Start and stop of a server, without a connection.

use alloc_tests::window;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    window::scenario("start", 100, |ops| {
        move |window| {
            for _ in 0..ops {
                let server = window.start()?;
                window.stop(server)?;
            }
            Ok(())
        }
    })
}
