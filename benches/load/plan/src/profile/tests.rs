mod builtin;
mod check;
mod parse;
mod round_trip;
mod talk;
mod timeline;

use super::Profile;

/// A profile with the required keys alone.
const LEAST: &str = "name = 'least'\n[[stage]]\nconnections = 10\nhold = '10s'\n";

fn refusal(toml: &str) -> String {
    format!("{:#}", Profile::parse(toml, "my.toml").expect_err(toml))
}

#[track_caller]
fn check_refusal(toml: &str, words: &str) {
    let error = refusal(toml);
    assert!(error.starts_with("my.toml: "), "{error:?}");
    assert!(error.contains(words), "{error:?} does not say {words:?}");
    assert!(!error.contains('\n') && !error.contains('`'), "{error:?}");
}

/// [`LEAST`] with `head` before its stage and `stage` within it.
#[track_caller]
fn check_amended(head: &str, stage: &str, words: &str) {
    check_refusal(
        &format!("name = 'least'\n{head}\n[[stage]]\nconnections = 10\nhold = '10s'\n{stage}"),
        words,
    );
}

#[test]
fn a_public_profile_hides_secret_headers() {
    let toml = format!("{LEAST}[target.headers]\nAuthorization = 'Basic x'\nX-Tenant = 'harbour'");
    let public = Profile::parse(&toml, "my.toml").expect(&toml).public();
    let values: Vec<_> = public.target.headers.values().map(String::as_str).collect();
    assert_eq!(values, ["(secret)", "harbour"]);
    public.check().expect("a public profile is valid");
}
