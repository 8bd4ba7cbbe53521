use bench_show::hint::nearest;

/// `unknown metric "latncy_p99"; did you mean "latency_p99"?`, or with `hint` where no name in `known` is similar.
pub(crate) fn unknown(
    kind: &str,
    word: &str,
    known: impl IntoIterator<Item = impl AsRef<str>>,
    hint: &str,
) -> String {
    match nearest(word, known) {
        Some(nearest) => {
            format!("unknown {kind} \"{word}\"; did you mean \"{}\"?", nearest.as_ref())
        }
        None => format!("unknown {kind} \"{word}\"{hint}"),
    }
}
