use load_plan::outcome::Ending;

use super::*;
use crate::report::fixture;
use crate::validator::validate;

fn flags(of: &[&[&str]]) -> Vec<Vec<String>> {
    let owned = |flag: &&[&str]| flag.iter().map(|word| (*word).to_owned()).collect();
    of.iter().map(owned).collect()
}

/// A load in flags.
fn quick(of: &[&[&str]]) -> Asked {
    Asked { flags: flags(of), ..Asked::default() }
}

/// The address of every run here.
fn url() -> String {
    quoted(&fixture::failing().url)
}

#[test]
fn a_small_load_is_proposed_only_where_it_says_what_the_target_answers() {
    let mut run = fixture::failing();
    run.profile.thresholds = vec!["errors <= 0".parse().expect("it is a limit")];
    run.profile.stages.iter_mut().for_each(|stage| stage.thresholds.clear());
    let counts = &mut run.intervals[0].sample.counts;
    counts.attempted += 1;
    counts.endings[Ending::Reset as usize] += 1;
    let assessment = validate(&run);
    assert_eq!(assessment.verdict, RunVerdict::Fail, "{:?}", assessment.reasons);
    let check = |run: &Run, of: &[&[&str]], [name, words]: [&str; 2]| {
        let asked = Asked { profile: Some("mine.toml".to_owned()), flags: flags(of), saved: None };
        let next = next(Some(&asked), run, &assessment).expect("it failed");
        assert_eq!(next.0, format!("ws-load run {name} {}{words}", url()));
    };
    check(&run, &[], ["smoke", ""]);
    let says = &["--conversation", "a b"][..];
    check(&run, &[says, &["--seed", "7"]], ["smoke", " --conversation 'a b'"]);
    let reaches = &["--bearer-env", "T"][..];
    check(&run, &[reaches, &["--insecure"]], ["smoke", " --bearer-env T --insecure"]);
    run.profile.target.mode = Mode::Request { send: "{seq}".into(), reply: "{seq}".into() };
    check(&run, &[&["--seed", "7"]], ["mine.toml", " --seed 7"]);
}

#[test]
fn a_target_that_never_echoes_is_asked_with_a_payload_of_its_own_next() {
    let mut run = fixture::failing();
    for interval in &mut run.intervals {
        interval.sample.counts.endings = [0; Ending::ALL.len()];
        for times in &mut interval.sample.timings {
            (times.lost, times.min_ns, times.max_ns) = (times.count, 0, 0);
            times.buckets.clear();
        }
    }
    // A payload contradicts a size.
    let asked = quick(&[&["--size", "64B"], &["--rate", "5"]]);
    let (command, why) = next(Some(&asked), &run, &validate(&run)).expect("it failed");
    assert_eq!(command, format!("ws-load {} --rate 5 --payload FILE --reply TEXT", url()));
    assert!(why.contains("does not echo"), "{why}");
}

#[test]
fn a_load_in_flags_is_repeated_by_its_flags_and_searched_by_a_profile() {
    let (mut run, assessment) = (fixture::failing(), validate(&fixture::failing()));
    run.profile.name = "quick".to_owned();
    let of: &[&[&str]] = &[
        &["--duration", "1s"],
        &["--threshold", "latency_p99 < 5ms"],
        &["--bearer-env", "TOKEN"],
        &["--ca-file", "ca.pem"],
        &["--insecure"],
        &["--workers", "3"],
    ];
    let url = url();
    let all = format!(
        "ws-load {url} --duration 1s --threshold 'latency_p99 < 5ms' --bearer-env TOKEN --ca-file ca.pem --insecure \
         --workers 3"
    );
    let next =
        |asked: &Asked, run: &Run| next(Some(asked), run, &validate(run)).expect("no pass").0;
    let outside = "--ca-file ca.pem --insecure --workers 3";
    assert_eq!(assessment.verdict, RunVerdict::Fail);
    let search = |file: &str| format!("ws-load search {file} {url} {outside}");
    let first = format!("{all} --save quick.toml; {}", search("quick.toml"));
    assert_eq!(next(&quick(of), &run), first);
    let saved = Asked { saved: Some("a.toml".to_owned()), ..quick(of) };
    assert_eq!(next(&saved, &run), search("a.toml"));
    let profile = Asked { profile: Some("mine".to_owned()), ..quick(of) };
    assert_eq!(next(&profile, &run), all.replace(&url, &format!("search mine {url}")));
    // No file can have the secret.
    let secret = quick(&[&["--header", "Cookie: (secret)"]]);
    assert_eq!(secret.searched(&run), None);
    run.interrupted = true;
    assert_eq!(next(&quick(of), &run), all);
    assert_eq!(next(&profile, &run), all.replace(&url, &format!("run mine {url}")));
}

#[test]
fn a_run_whose_certificate_was_not_checked_is_repeated_without_a_check() {
    let mut run = fixture::interrupted();
    assert!(!repeat(&run).contains(INSECURE));
    run.insecure = true;
    assert!(
        repeat(&run).ends_with(&format!("{} --workers 2 --insecure", url())),
        "{}",
        repeat(&run)
    );
    let (command, _) = next(None, &run, &validate(&run)).expect("it was interrupted");
    assert!(command.ends_with(" --insecure"), "{command}");
}

#[test]
fn a_word_stays_one_word_in_a_shell() {
    let words = ["smoke", "ws://[::1]:9/a?b=c&d", "it's", ""].map(quoted);
    assert_eq!(words, ["smoke", "'ws://[::1]:9/a?b=c&d'", r"'it'\''s'", "''"]);
}
