use std::fs;

use super::*;

/// The results of two benchmarks, after two runs of criterion 0.8.2 with ten samples.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/criterion")
}

/// Reads one result whose `file` was changed by `edit`; it must be refused for `reason`.
#[track_caller]
fn check_refused(file: &str, edit: impl Fn(&str) -> String, reason: &str) {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join("group/function/new");
    fs::create_dir_all(&folder).expect("an empty folder takes another");
    for name in FILES {
        let text = fs::read_to_string(data().join("echo_latency/text/64B/new").join(name))
            .expect("the sample files are committed");
        let text = if name == file { edit(&text) } else { text };
        fs::write(folder.join(name), text).expect("a new file is written");
    }
    let error = read(root.path()).expect_err("it is refused");
    assert!(matches!(error, Error::Refused(_)), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("criterion's format changed: "), "{message}");
    assert!(message.contains(file) && message.contains(reason), "{message}");
    assert!(message.ends_with("cargo bench -p benches"), "{message}");
}

fn replace<'a>(from: &'a str, to: &'a str) -> impl Fn(&str) -> String + 'a {
    move |text| {
        assert!(text.contains(from), "nothing to edit in {text}");
        text.replacen(from, to, 1)
    }
}

#[test]
fn only_new_results_are_read_by_their_full_ids() {
    let measurements = read(&data()).expect("the sample files are as criterion writes them");
    let ids: Vec<_> = measurements.keys().map(String::as_str).collect();
    assert_eq!(ids, ["echo_latency/tcp/64B", "echo_latency/text/64B"]);
}

#[test]
fn the_median_is_of_the_times_per_iteration() {
    let sample = |iters: &[f64], times: &[f64]| {
        let sampling_mode = SamplingMode::Linear;
        Sample { sampling_mode, iters: iters.to_vec(), times: times.to_vec() }.median_ns()
    };
    assert_eq!(sample(&[1.0, 2.0, 3.0], &[30.0, 20.0, 60.0]), Ok(20.0));
    assert_eq!(sample(&[1.0, 2.0], &[30.0, 20.0]), Ok(20.0));
}

#[test]
fn an_unknown_field_is_refused() {
    check_refused(BENCHMARK, replace("{", "{\"flavour\":1,"), "unknown field `flavour`");
    check_refused(SAMPLE, replace("{", "{\"flavour\":1,"), "unknown field `flavour`");
    check_refused(ESTIMATES, replace("{", "{\"flavour\":1,"), "unknown field `flavour`");
}

#[test]
fn an_unknown_variant_is_refused() {
    check_refused(SAMPLE, replace("\"Linear\"", "\"Spiral\""), "unknown variant `Spiral`");
    check_refused(BENCHMARK, replace("ElementsAndBytes", "Furlongs"), "unknown variant `Furlongs`");
}

#[test]
fn a_missing_field_is_refused() {
    check_refused(BENCHMARK, replace("\"full_id\"", "\"id\""), "unknown field `id`");
    check_refused(
        SAMPLE,
        |_| "{\"sampling_mode\":\"Flat\",\"iters\":[]}".to_owned(),
        "missing field `times`",
    );
}

#[test]
fn invalid_samples_are_refused() {
    let sample =
        |numbers: &'static str| move |_: &str| format!("{{\"sampling_mode\":\"Flat\",{numbers}}}");
    check_refused(SAMPLE, sample("\"iters\":[],\"times\":[]"), "0 iters and 0 times");
    check_refused(SAMPLE, sample("\"iters\":[1.0],\"times\":[1.0,2.0]"), "1 iters and 2 times");
    check_refused(SAMPLE, sample("\"iters\":[1.0],\"times\":[0.0]"), "0 is not a number above 0");
    check_refused(SAMPLE, sample("\"iters\":[-1.0],\"times\":[1.0]"), "-1 is not a number above 0");
    check_refused(SAMPLE, sample("\"iters\":[null],\"times\":[1.0]"), "invalid type: null");
}

#[test]
fn estimates_that_do_not_match_the_samples_are_refused() {
    check_refused(ESTIMATES, replace("\"median\":{", "\"mode\":{"), "unknown field `mode`");
    // Mean and median exchanged: the shape is the same, the meaning is not.
    let swap = |text: &str| {
        text.replace("\"mean\"", "\"m\"")
            .replace("\"median\"", "\"mean\"")
            .replace("\"m\"", "\"median\"")
    };
    check_refused(ESTIMATES, swap, "the samples' is");
}

#[test]
fn a_truncated_file_is_refused() {
    check_refused(BENCHMARK, |text| text[..text.len() / 2].to_owned(), "EOF");
}

#[test]
fn a_repeated_id_is_refused() {
    let root = tempfile::tempdir().expect("a temporary folder");
    for group in ["a", "b"] {
        let folder = root.path().join(group).join("new");
        fs::create_dir_all(&folder).expect("an empty folder takes another");
        for name in FILES {
            fs::copy(data().join("echo_latency/text/64B/new").join(name), folder.join(name))
                .expect("the sample files are committed");
        }
    }
    let error = read(root.path()).expect_err("it is refused").to_string();
    assert!(error.contains("a second result for \"echo_latency/text/64B\""), "{error}");
}

#[test]
fn a_result_without_all_its_files_is_refused() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let folder = root.path().join("group/new");
    fs::create_dir_all(&folder).expect("an empty folder takes another");
    fs::copy(data().join("echo_latency/text/64B/new").join(SAMPLE), folder.join(SAMPLE))
        .expect("the sample files are committed");
    let error = read(root.path()).expect_err("it is refused").to_string();
    assert!(error.contains("benchmark.json: it is missing"), "{error}");
}

#[test]
fn a_folder_without_results_is_missing() {
    let root = tempfile::tempdir().expect("a temporary folder");
    for root in [root.path().to_owned(), root.path().join("absent")] {
        let error = read(&root).expect_err("there is nothing");
        assert!(matches!(error, Error::Missing(_)), "{error}");
        assert!(error.to_string().ends_with("take them with cargo bench -p benches"), "{error}");
    }
}
