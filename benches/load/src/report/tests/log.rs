use super::{failing, says};
use crate::report::interval_log;
use load_plan::metrics::Timing;

#[test]
fn the_log_has_an_entry_for_every_timing_of_every_interval() {
    let (run, _) = failing();
    let log = String::from_utf8(interval_log::render(&run).unwrap()).unwrap();
    let entries = log.lines().filter(|line| line.starts_with("Tag="));
    let timed = run.intervals.iter().flat_map(|interval| &interval.sample.timings);
    assert_eq!(entries.count(), timed.filter(|distribution| distribution.count > 0).count());
    says(
        &log,
        &[
            "#[StartTime: 1795324443.218 (",
            "#[BaseTime: 1795324443.218 (",
            "Tag=rtt_intended.0.ramp,0.000,1.000,",
        ],
    );
    let tag = |timing: Timing| format!("Tag={}.2.hold,", timing.name());
    says(&log, &[&tag(Timing::RttIntended), &tag(Timing::RttService)]);
}
