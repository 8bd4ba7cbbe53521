//! Numbers with their units: IEC sizes in ids, three significant digits elsewhere.

/// `16B`, `1KiB`, `1MiB`: a size in a benchmark's id. From 1 KiB on it must be a whole multiple of the unit.
#[must_use]
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes}B"),
        1024..1_048_576 => format!("{}KiB", bytes / 1024),
        _ => format!("{}MiB", bytes / 1_048_576),
    }
}

/// `45.6 ns`, `812 µs`, `1.23 ms`: a positive number of nanoseconds, `0 ns` for 0.
#[must_use]
pub fn time(ns: f64) -> String {
    // 999.5 rounds to 1000, which is 1.00 of the next unit.
    let (value, unit) = match ns {
        0.0 => return "0 ns".to_owned(),
        ..999.5 => (ns, "ns"),
        ..999.5e3 => (ns / 1e3, "µs"),
        ..999.5e6 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    format!("{} {unit}", significant(value))
}

/// `1.23 %`, `-4.50 %`, `0.000123 %`: a share of 1 in percent. Only 0 itself is `0 %`.
#[must_use]
pub fn share(share: f64) -> String {
    let percent = (share * 100.0).abs();
    let sign = if share < 0.0 { "-" } else { "" };
    match percent {
        0.0 => "0 %".to_owned(),
        ..0.00995 => {
            let zeros = -percent.log10().floor();
            let decimals = (zeros + 2.0).min(12.0) as usize;
            format!("{sign}{percent:.decimals$} %")
        }
        _ => format!("{sign}{} %", significant(percent)),
    }
}

/// `7`, `12,345`, `3.02`: a number of things, or a mean of such numbers.
#[must_use]
pub fn count(value: f64) -> String {
    if value.fract() != 0.0 && value.abs() < 999.5 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", significant(value.abs()));
    }
    let digits = format!("{:.0}", value.abs());
    let mut grouped = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `scenario`, `scenarios`: a regular noun, in the plural unless `number` is 1.
#[must_use]
pub fn plural(number: u64, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// `1 scenario`, `12,345 scenarios`: a number of things and their name, a regular noun.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {}", count(number as f64), plural(number, noun))
}

/// `3 %`, `3.5 %`, `3.0 %`: a share of 1 in percent, with a decimal unless the percentage is exactly whole. For columns
/// and axes; [`share`] has three significant digits.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = usize::from(percent != percent.round());
    format!("{percent:.decimals$} %")
}

/// `84.0/s`, `84.5k/s`, `1.20M/s`: a positive number of things per second, `0/s` for 0.
#[must_use]
pub fn rate(per_s: f64) -> String {
    match per_s {
        0.0 => "0/s".to_owned(),
        ..999.5 => format!("{}/s", significant(per_s)),
        ..999.5e3 => format!("{}k/s", significant(per_s / 1e3)),
        _ => format!("{}M/s", significant(per_s / 1e6)),
    }
}

/// `512 B`, `1.50 KiB`, `3.00 GiB`: an amount of memory; for ids see [`size`].
#[must_use]
pub fn volume(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    match bytes {
        ..1024.0 => format!("{} B", count(bytes)),
        ..1_048_576.0 => format!("{} KiB", significant(bytes / KIB)),
        ..1_073_741_824.0 => format!("{} MiB", significant(bytes / KIB / KIB)),
        _ => format!("{} GiB", significant(bytes / KIB / KIB / KIB)),
    }
}

/// `1.23`, `45.6`, `812`: three significant digits of a positive number, and at most two decimals.
#[must_use]
pub fn significant(value: f64) -> String {
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_iec() {
        let sizes = [16, 64, 125, 1024, 16_384, 65_536, 1_048_576].map(size);
        assert_eq!(sizes, ["16B", "64B", "125B", "1KiB", "16KiB", "64KiB", "1MiB"]);
    }

    #[test]
    fn times_keep_three_digits() {
        let times = [4.561, 45.61, 812.4, 9_996.0, 1.234e6, 5e9].map(time);
        assert_eq!(times, ["4.56 ns", "45.6 ns", "812 ns", "10.0 µs", "1.23 ms", "5.00 s"]);
    }

    #[test]
    fn a_time_that_rounds_to_a_thousand_has_the_next_unit() {
        let times = [0.0, 999.4, 999.6, 999_600.0, 999.6e6].map(time);
        assert_eq!(times, ["0 ns", "999 ns", "1.00 µs", "1.00 ms", "1.00 s"]);
    }

    #[test]
    fn a_small_share_is_not_shown_as_zero() {
        let shares = [0.0, 1.0, 0.5, 0.0123, -0.045, 1.0 / 3e6, 1e-4].map(share);
        let expected = ["0 %", "100 %", "50.0 %", "1.23 %", "-4.50 %", "0.0000333 %", "0.01 %"];
        assert_eq!(shares, expected);
    }

    #[test]
    fn counts_are_grouped_where_they_are_whole() {
        let counts = [0.0, 7.0, 999.0, 1e3, 1_234_567.0, 3.024, 1234.5, -12_345.0].map(count);
        let expected = ["0", "7", "999", "1,000", "1,234,567", "3.02", "1,234", "-12,345"];
        assert_eq!(counts, expected);
    }

    #[test]
    fn only_one_thing_is_singular() {
        let counts = [0, 1, 2, 12_345].map(|number| counted(number, "row"));
        assert_eq!(counts, ["0 rows", "1 row", "2 rows", "12,345 rows"]);
    }

    #[test]
    fn only_a_whole_percentage_has_no_decimal() {
        let percentages = [0.0, 0.03, 0.0304, -0.015, 1.0, 0.999].map(percent);
        assert_eq!(percentages, ["0 %", "3 %", "3.0 %", "-1.5 %", "100 %", "99.9 %"]);
    }

    #[test]
    fn rates_and_volumes_keep_three_digits() {
        let rates = [0.0, 84.0, 999.7, 84_512.0, 1.2e6].map(rate);
        assert_eq!(rates, ["0/s", "84.0/s", "1.00k/s", "84.5k/s", "1.20M/s"]);
        let volumes = [0.0, 512.0, 1536.0, 2.5 * 1_048_576.0, 3.0 * 1_073_741_824.0].map(volume);
        assert_eq!(volumes, ["0 B", "512 B", "1.50 KiB", "2.50 MiB", "3.00 GiB"]);
    }
}
