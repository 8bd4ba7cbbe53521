use super::order::assert_inside;

/// The value that a standard normal variable stays below with probability `share`, to seven digits: PPND7 of algorithm
/// AS 241 (Wichura 1988), with a ratio of polynomials each for the middle, the flanks and the far tails.
#[must_use]
pub fn normal_quantile(share: f64) -> f64 {
    const MIDDLE: [&[f64]; 2] = [
        &[3.3871327179, 50.434271938, 159.29113202, 59.109374720],
        &[1.0, 17.895169469, 78.757757664, 67.187563600],
    ];
    const FLANK: [&[f64]; 2] = [
        &[1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103],
        &[1.0, 0.73700164250, 0.12021132975],
    ];
    const FAR: [&[f64]; 2] = [
        &[6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997],
        &[1.0, 0.24197894225, 0.012258202635],
    ];
    assert_inside(share);
    let ratio = |[above, below]: [&[f64]; 2], x: f64| {
        let polynomial = |of: &[f64]| of.iter().rev().fold(0.0, |sum, factor| sum * x + factor);
        polynomial(above) / polynomial(below)
    };
    let off = share - 0.5;
    if off.abs() <= 0.425 {
        return off * ratio(MIDDLE, 0.425 * 0.425 - off * off);
    }
    let far = (-share.min(1.0 - share).ln()).sqrt();
    let tail = if far <= 5.0 { ratio(FLANK, far - 1.6) } else { ratio(FAR, far - 5.0) };
    tail.copysign(off)
}

#[cfg(test)]
mod tests {
    use super::super::testing::near;
    use super::*;

    /// `scipy.stats.norm.ppf`, scipy 1.17.1.
    #[test]
    fn normal_quantiles_are_those_of_scipy_to_seven_digits() {
        for (share, expected) in [
            (1e-300, -37.0470962993612),
            (1e-100, -21.273453560965322),
            (1e-30, -11.464024688443613),
            (1e-15, -7.941345326170998),
            (1e-11, -6.706023155495137),
            (1.5e-11, -6.646570887477113),
            (1e-10, -6.361340902404056),
            (1e-6, -4.753424308822899),
            (0.001, -3.090232306167813),
            (0.01, -2.3263478740408408),
            (0.025, -1.9599639845400545),
            (0.05, -1.6448536269514729),
            (0.074, -1.4466320671589785),
            (0.076, -1.4325027208258116),
            (0.1, -1.2815515655446004),
            (0.2, -0.8416212335729142),
            (0.3, -0.5244005127080409),
            (0.4, -0.2533471031357997),
            (0.49, -0.02506890825871106),
            (0.5, 0.0),
            (0.6, 0.2533471031357997),
            (0.8, 0.8416212335729143),
            (0.9, 1.2815515655446004),
            (0.975, 1.959963984540054),
        ] {
            near(normal_quantile(share), expected, expected.abs() * 1.2e-7);
            if share > 1e-4 {
                near(normal_quantile(1.0 - share), -expected, expected.abs() * 1.2e-7);
            }
        }
    }
}
