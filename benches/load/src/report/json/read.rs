//! [`Report`] → a run, without buckets.

use super::view::{Allocations, Counts, Detail, Interval, Origin, Report, Spread};
use load_plan::metrics::{self, Distribution, Sample, Timing};
use load_plan::model::{self, Run, SCHEMA, TargetAllocations};
use load_plan::outcome::{Ending, Fault};

impl Report {
    /// Without buckets.
    pub(super) fn into_run(self) -> Run {
        let Origin {
            run_id,
            shard,
            shards,
            url,
            started_unix_ns,
            workers,
            processors,
            doubts,
            interrupted,
        } = self.run;
        Run {
            schema: SCHEMA,
            run_id,
            shard: model::Shard { index: shard.index, of: shard.of },
            shards,
            started_unix_ns: u128::from(started_unix_ns),
            url,
            profile: self.profile,
            before: self.before.into_counts(),
            intervals: self.intervals.into_iter().map(Interval::into_interval).collect(),
            error_samples: self.details.into_iter().map(Detail::into_detail).collect(),
            allocations: self.allocations.map(Allocations::into_allocations),
            doubts,
            interrupted,
            workers,
            processors,
        }
    }
}

impl Counts {
    fn into_counts(self) -> metrics::Tally {
        metrics::Tally {
            attempted: self.attempted,
            opened: self.opened,
            endings: Ending::ALL
                .map(|ending| self.endings.get(&ending).copied().unwrap_or_default()),
            sent: self.sent,
            due: self.due,
            received: self.received,
            sent_bytes: self.sent_bytes,
            received_bytes: self.received_bytes,
            sent_wire_bytes: self.sent_wire_bytes,
            received_wire_bytes: self.received_wire_bytes,
            backpressure_events: self.backpressure_events,
            pings: self.pings,
            pongs: self.pongs,
            missed_updates: self.missed_updates,
            faults: Fault::ALL.map(|fault| self.faults.get(&fault).copied().unwrap_or_default()),
            provoked: self.provoked,
            provoked_badly: self.provoked_badly,
        }
    }
}

impl Spread {
    fn to_distribution(&self) -> Distribution {
        Distribution {
            count: self.count,
            sum_ns: u128::from(self.sum_ns),
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            buckets: Vec::new(),
        }
    }
}

impl Interval {
    fn into_interval(self) -> model::Interval {
        let timings = Timing::ALL.map(|timing| {
            self.timings.get(&timing).map(Spread::to_distribution).unwrap_or_default()
        });
        model::Interval {
            second: self.second,
            stage: self.stage,
            phase: self.phase,
            length_ns: self.length_ns,
            open: self.open,
            target: self.target,
            generator_cpu: self.generator_cpu,
            sample: Sample { counts: self.counts.into_counts(), timings },
        }
    }
}

impl Detail {
    fn into_detail(self) -> model::ErrorSample {
        let Self { kind, text, count, first_ns } = self;
        model::ErrorSample { kind, text, count, first_ns }
    }
}

impl Allocations {
    fn into_allocations(self) -> TargetAllocations {
        let Self { total_blocks, total_bytes, remaining_blocks, remaining_bytes } = self;
        TargetAllocations { total_blocks, total_bytes, remaining_blocks, remaining_bytes }
    }
}
