//! `CALIBRATION.md`.

use bench_show::units::percent;

use super::figures::{Alarms, Power, Share, alarms, powers};
use super::record::Record;

/// The document. `command` made it; `others` builds of the same code took turns as head; `curve` is the file name of the
/// drawing.
pub(super) fn markdown(
    records: &[Record],
    threshold: f64,
    command: &str,
    others: usize,
    curve: &str,
) -> String {
    let alarms = alarms(records);
    let against = match others {
        0 => "itself.".to_owned(),
        _ => format!(
            "other builds of the same code, {others} in turn: the server's own functions have another order in them,\n\
             so most functions lie in another place."
        ),
    };
    format!(
        "\
# Calibration

What the timing gate of `scripts/compare.sh` answers where the right answer is known. Written by

    {command}

on two shared cores. Shares of comparisons carry Clopper–Pearson bounds at 95 %. Every program is the server with a stream
that can waste time (its example `slowed`), built and linked as a comparison builds its servers. A slowed server differs
from base only by its flags: it spins for a number of nanoseconds per batch of messages, per connection or per snapshot.
A proxy that delays messages would add a hop, and the noise of a hop, to a round trip of 16 µs.

The threshold was {threshold}.

## False alarms

Base is compared with {against}

A false alarm is any row that reports a change, faster or slower. *Too noisy* is exit code 6 and not an alarm. *At most*
is the one-sided bound at 95 %, as if all comparisons were independent; comparisons of one group share base and its copy,
and are too noisy together.

{false_alarms}
By row: false alarms, the largest estimated change between identical programs, the smallest change that the row says it
would have called in nine of ten comparisons (the median of all comparisons), and in how many comparisons it called a
change of that size, made for this row alone. Where those are fewer than nine of ten, the row says so.

{by_row}
## Power

Head is slowed by a share of the cost of one operation: of its wall-clock time, or of its processor time where that alone
is measured. *Injected* is the length of the busy loop as a share of the row's own base, so one loop is a larger share of
the processor time. Driver and servers of *echo_throughput* have cores of their own, and a loop overlaps with the driver's
work: there the loops were lengthened until rounds of their own showed the share. *Row red* counts the comparisons in
which the row itself regressed, *traffic red* those in which the row or the processor time of the same traffic did. A row
calls a change from 0.85 of the threshold on. Slowdowns without a comparison are not listed.

![Power by injected slowdown]({curve})

{power}",
        threshold = percent(threshold),
        false_alarms = false_alarms(&alarms),
        by_row = by_row(&alarms),
        power = power(&powers(records)),
    )
}

fn false_alarms(alarms: &[Alarms]) -> String {
    let seconds = |s: f64| if s == 0.0 { "–".to_owned() } else { format!("{s:.1}") };
    let rows = alarms.iter().map(
        |Alarms { busy, any, noisy, groups, seconds: [middle, longest], .. }| {
            [
                busy.to_string(),
                any.of.to_string(),
                groups.to_string(),
                any.times.to_string(),
                percent(any.upper()),
                noisy.times.to_string(),
                seconds(*middle),
                seconds(*longest),
            ]
        },
    );
    let header = [
        "busy cores",
        "comparisons",
        "groups",
        "false alarms",
        "at most",
        "too noisy",
        "seconds, median",
        "longest",
    ];
    table(header, 0, rows)
}

fn by_row(alarms: &[Alarms]) -> String {
    let rows = alarms.iter().flat_map(|beside| {
        beside.rows.iter().map(|row| {
            [
                format!("`{}`", row.id),
                beside.busy.to_string(),
                times(row.alarms),
                percent(row.largest),
                percent(row.detectable),
                called(row.called),
            ]
        })
    });
    let header =
        ["row", "busy cores", "false alarms", "largest estimate", "could have seen", "called that"];
    table(header, 1, rows)
}

fn called(share: Share) -> String {
    match share {
        Share { of: 0, .. } => "–".to_owned(),
        _ if share.rate() < 0.9 => format!("{}, not nine of ten", times(share)),
        _ => times(share),
    }
}

fn power(powers: &[Power]) -> String {
    let bounds = |share: Share| share.interval().map(percent).join("–");
    let rows = powers.iter().map(|power| {
        [
            format!("`{}`", power.id),
            percent(power.injected),
            percent(power.effect),
            times(power.of_row),
            bounds(power.of_row),
            percent(power.of_traffic.rate()),
            bounds(power.of_traffic),
        ]
    });
    let header = ["row", "injected", "estimated", "row red", "bounds", "traffic red", "bounds"];
    table(header, 1, rows)
}

fn times(share: Share) -> String {
    format!("{} of {}", share.times, share.of)
}

/// A table whose first `left` columns are aligned to the left.
fn table<const N: usize>(
    header: [&str; N],
    left: usize,
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let line = |cells: &[String; N]| format!("| {} |\n", cells.join(" | "));
    let mut at = 0..N;
    let rule = [(); N].map(|()| {
        let is_left = at.next().is_some_and(|column| column < left);
        if is_left { "---" } else { "---:" }.to_owned()
    });
    let head = line(&header.map(str::to_owned)) + &line(&rule);
    rows.fold(head, |text, cells| text + &line(&cells))
}
