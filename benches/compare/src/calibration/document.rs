use std::fmt::Write as _;

use super::{Alarms, Power, Record, alarms, powers};

/// `CALIBRATION.md`, with the `command` that made it, where `others` builds of the same code took turns; `curve` is the file name of the drawing.
#[must_use]
pub fn markdown(
    records: &[Record],
    threshold: f64,
    command: &str,
    others: usize,
    curve: &str,
) -> String {
    let mut text = format!(
        "# Calibration\n\nWhat the timing gate of `scripts/compare.sh` says where the right answer is known. Written by\n\n    {command}\n"
    );
    push(&mut text, HEAD);
    push(&mut text, &format!("The threshold was {}.\n", percent(threshold)));
    let alarms = alarms(records);
    false_alarms(&mut text, &alarms, others);
    rows(&mut text, &alarms);
    power(&mut text, &powers(records), curve);
    text
}

const HEAD: &str = "
on two shared cores. Percentages of comparisons carry Clopper–Pearson bounds at 95 %. Every program in here is the
server with a stream that can waste time (its example `slowed`), built and linked as the servers of a comparison are. A
slowed program differs from base only by its flags: a busy loop of so many nanoseconds per batch of messages, connection or
snapshot. A proxy that delays would add a hop, and the noise of one, to a round trip of 16 µs.
";

fn false_alarms(text: &mut String, alarms: &[Alarms], others: usize) {
    let against = match others {
        0 => "itself".to_owned(),
        _ => format!(
            "other builds of the same code, {others} in turn, which have the server's own functions in another order and so\n\
             most functions in another place"
        ),
    };
    push(
        text,
        &format!(
            "## False alarms\n\nBase against {against}. An alarm is any row that claims a change, for better or\nworse; *too noisy* \
             is exit code 6, and no alarm. *At most* is the one-sided bound at 95 % that these comparisons give if\nall were \
             independent; those of a group have base and its copy in common, and are too noisy together.\n\n\
             | busy cores | comparisons | groups | false alarms | at most | too noisy | seconds, middle | longest |\n\
             | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        ),
    );
    for Alarms { busy, any, noisy, groups, seconds: [longest, middle], .. } in alarms {
        let seconds =
            |seconds: f64| if seconds == 0.0 { "–".to_owned() } else { format!("{seconds:.1}") };
        push(
            text,
            &format!(
                "| {busy} | {} | {groups} | {} | {} | {} | {} | {} |",
                any.of,
                any.times,
                percent(any.upper()),
                noisy.times,
                seconds(*middle),
                seconds(*longest),
            ),
        );
    }
    push(text, "");
}

fn rows(text: &mut String, alarms: &[Alarms]) {
    push(
        text,
        "By row: false alarms, the largest change that was estimated, and the smallest change that the row\n\
         says it would have seen in nine of ten comparisons (the middle of what all of them said).\n\n\
         | row | busy cores | false alarms | largest estimate | could have seen |\n| --- | ---: | ---: | ---: | ---: |",
    );
    for Alarms { busy, rows, .. } in alarms {
        for (id, claims, largest, detectable) in rows {
            push(
                text,
                &format!(
                    "| `{id}` | {busy} | {} of {} | {} | {} |",
                    claims.times,
                    claims.of,
                    percent(*largest),
                    percent(*detectable)
                ),
            );
        }
    }
    push(text, "");
}

fn power(text: &mut String, powers: &[Power], curve: &str) {
    push(
        text,
        &format!(
            "## Power\n\nHead slowed by a share of what an operation of the traffic costs, by loops whose cost was tried on rounds of their\nown. *Row* is how often the row itself turned red, \
             *traffic* how often it or the processor time of the same traffic did.\nA row calls a change from 0.85 of the threshold on. What has not been slowed yet is not \
             listed.\n\n![Power by injected slowdown]({curve})\n\n\
             | row | injected | estimated | row red | bounds | traffic red | bounds |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        ),
    );
    for Power { id, slower, effect, row, workload, .. } in powers {
        let bounds = |[low, high]: [f64; 2]| format!("{}–{}", percent(low), percent(high));
        push(
            text,
            &format!(
                "| `{id}` | {} | {} | {} of {} | {} | {} | {} |",
                percent(*slower),
                percent(*effect),
                row.times,
                row.of,
                bounds(row.interval()),
                percent(workload.rate()),
                bounds(workload.interval()),
            ),
        );
    }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == percent.round() { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

fn push(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes everything");
}
