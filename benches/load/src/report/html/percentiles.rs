use maud::{Markup, html};

use super::super::chart::{self, Chart, Limit, Line};
use crate::summary::Summary;
use crate::validator::Assessment;
use bench_show::axis::Scale;
use load_plan::metrics::Timing;
use load_plan::thresholds::Metric;
use load_plan::units;

/// Points of a curve.
const POINTS: u32 = 240;

/// Latency by percentile, on an axis on which 90 %, 99 % and 99.9 % have the same distance.
pub(super) fn chart(assessment: &Assessment, summary: &Summary) -> Markup {
    let figures = &summary.overall;
    let curves = [
        (Timing::RttIntended, "s1", "s1 tail"),
        (Timing::RttService, "s2", "s2 tail"),
        (Timing::Gap, "s3", "s3 tail"),
        (Timing::Staleness, "s4", "s4 tail"),
        (Timing::Ping, "s5", "s5 tail"),
    ];
    let curves = curves.map(|(timing, class, tail)| (timing, figures.timing(timing), class, tail));
    let mut curves: Vec<_> = curves.into_iter().filter(|(_, of, ..)| of.count > 1).collect();
    // Other timings are drawn only if no message is answered.
    let is_answer = |timing| matches!(timing, Timing::RttIntended | Timing::RttService);
    if curves.iter().any(|(timing, ..)| is_answer(*timing)) {
        curves.retain(|(timing, ..)| is_answer(*timing));
    }
    let most = curves.iter().map(|(_, of, ..)| of.count).max().unwrap_or_default();
    if most == 0 {
        return html! { p { "Nothing was timed." } };
    }
    let end = (most as f64).log10().max(1.0);
    let mut lines = Vec::new();
    for (timing, distribution, class, tail) in &curves {
        let own = (distribution.count as f64).log10();
        let point = |nth: u32| {
            let x = own * f64::from(nth) / f64::from(POINTS);
            Some([x, distribution.quantile_ns(1.0 - 10f64.powf(-x))? as f64])
        };
        let points: Vec<_> = (0..=POINTS).filter_map(point).collect();
        let [supported, unsupported] = [true, false].map(|wanted| {
            let keep = |at: &[f64; 2]| Some(*at).filter(|[x, _]| (*x <= own - 1.0) == wanted);
            points.iter().map(keep).collect()
        });
        lines.push(Line { name: timing.name(), class, points: supported });
        lines.push(Line { name: "", class: tail, points: unsupported });
    }
    let limits: Vec<_> = assessment
        .checks
        .iter()
        .filter(|check| check.stage.is_none())
        .filter_map(|check| {
            let (Metric::Latency(statistic) | Metric::Timing(_, statistic)) =
                check.threshold.metric
            else {
                return None;
            };
            let x = -(1.0 - statistic.quantile()?).log10();
            let x = [(x - 0.2).max(0.0), (x + 0.2).min(end)];
            Some(Limit::new(statistic.name(), x, &check.threshold))
        })
        .collect();
    let y = Scale::log(chart::values(&lines, &limits));
    let ticks = [
        (std::f64::consts::LOG10_2, "50 %"),
        (1.0, "90 %"),
        (2.0, "99 %"),
        (3.0, "99.9 %"),
        (4.0, "99.99 %"),
        (5.0, "99.999 %"),
        (6.0, "99.9999 %"),
    ];
    let ticks = ticks.into_iter().filter(|(x, _)| *x <= end);
    let says = "Latency by percentile, both axes logarithmic";
    let chart = Chart {
        height: chart::HIGH,
        x_ticks: ticks.map(|(x, label)| (x, label.to_owned())).collect(),
        limits,
        ..Chart::new(says, end, y, units::time, lines)
    };
    html! {
        p.dim { "All measured time. A line is thin where fewer than ten values are above it." }
        (chart.with_legend())
    }
}
