//! Numbers as people read them: IEC sizes in ids, three significant digits everywhere else.

/// `16B`, `1KiB`, `1MiB`: how a size is spelled in a benchmark's id. Sizes of 1 KiB and more are whole multiples.
#[must_use]
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes}B"),
        1024..1_048_576 => format!("{}KiB", bytes / 1024),
        _ => format!("{}MiB", bytes / 1_048_576),
    }
}

/// `45.6 ns`, `812 µs`, `1.23 ms`.
#[must_use]
pub fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        ..1e3 => (ns, "ns"),
        ..1e6 => (ns / 1e3, "µs"),
        ..1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    format!("{} {unit}", significant(value))
}

/// `1.23`, `45.6`, `812`: three significant digits of a positive number, none invented below a hundredth.
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
}
