use serde_json::{Value, json};

use super::{each, failing};
use crate::report::{fixture, html, json, table};
use crate::validator::{Assessment, RunVerdict, validate};
use load_plan::metrics::Timing;
use load_plan::model::{Phase, Run};
use load_plan::outcome::{Ending, Fault};
use load_plan::thresholds::Op;

fn value(run: &Run, assessment: &Assessment) -> Value {
    serde_json::from_str(&json::text(run, assessment).unwrap()).unwrap()
}

/// The file was written by the first version of ws-load that wrote schema 1.
#[test]
fn a_report_of_schema_1_is_read_and_written_as_it_was() {
    let stored = include_str!("interrupted.json");
    let mut run = fixture::interrupted();
    let mut stored_value: Value = serde_json::from_str(stored).unwrap();
    stored_value["version"] = env!("CARGO_PKG_VERSION").into();
    stored_value["reasons"] = json!(validate(&run).reasons);
    stored_value["notices"] = json!(validate(&run).notices);
    assert_eq!(value(&run, &validate(&run)), stored_value);
    let distributions = run.intervals.iter_mut().flat_map(|interval| &mut interval.sample.timings);
    distributions.for_each(|distribution| distribution.buckets.clear());
    assert_eq!(json::parse(stored).unwrap(), run);
}

#[test]
fn a_percentile_that_few_values_support_is_null() {
    let run = fixture::interrupted();
    let json = value(&run, &validate(&run));
    let connect = &json["overall"]["timings"]["connect"];
    assert!(connect["count"].as_u64().is_some_and(|count| (1..20).contains(&count)), "{connect}");
    assert_eq!((&connect["p50_ns"], &connect["p99_ns"]), (&Value::Null, &Value::Null));
}

#[test]
fn only_intervals_leave_out_endings_and_faults_that_did_not_happen() {
    let (run, assessment) = failing();
    let json = value(&run, &assessment);
    let at = |pointer: &str| json.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    assert_eq!(at("/overall/counts/endings/refused"), 2);
    assert_eq!(at("/overall/counts/endings/dns"), 0);
    assert_eq!(at("/overall/counts/faults/lost"), 3);
    assert_eq!(at("/overall/errors/count"), 41);
    assert_eq!(at("/overall/latency/count"), at("/overall/timings/rtt_intended/count"));
    assert_eq!(at("/thresholds/0/metric"), "latency_mean");
    assert_eq!(at("/details/0/kind"), "late");
    assert_eq!(json.pointer("/intervals/0/counts/endings/dns"), None);
}

#[test]
fn the_percentiles_that_a_profile_chooses_are_in_the_terminal_the_page_and_the_json() {
    let mut run = fixture::passing();
    run.profile.percentiles = vec![75.0, 99.5];
    let assessment = validate(&run);
    let json = value(&run, &assessment);
    conforms(&schema(), &schema(), &json, "report");
    let of = &run.sum(|of| of.phase == Phase::Hold).timings[Timing::RttIntended as usize];
    let at = |heading| json.pointer(&format!("/overall/latency/percentiles_ns/{heading}"));
    assert_eq!(at("p75").and_then(Value::as_u64), of.quantile_ns(0.75));
    assert_eq!(at("p99.5").and_then(Value::as_u64), of.quantile_ns(0.995));
    let table = table::render(&run, &assessment, 80, None);
    let heading =
        table.lines().find(|line| line.starts_with("times ")).expect("the table of times");
    let headings: Vec<_> = heading.split_whitespace().collect();
    assert_eq!(headings, ["times", "mean", "p75", "p99.5", "max", "samples"]);
    assert!(html::render(&run, &assessment).contains("data-label=\"p99.5\""));
    assert!(!value(&fixture::passing(), &assessment).to_string().contains("percentiles_ns"));
}

#[test]
fn an_interval_is_one_line() {
    each(|run, assessment| {
        let text = json::text(run, assessment).unwrap();
        let intervals = text.lines().filter(|line| line.starts_with("    {\"second\":"));
        assert_eq!(intervals.count(), run.intervals.len());
        assert!(text.starts_with("{\n  \"schema\": 1,\n  \"tool\": \"ws-load\","), "{text}");
    });
}

fn schema() -> Value {
    serde_json::from_str(json::JSON_SCHEMA).unwrap()
}

/// A short check of our own: what validates all of JSON Schema takes 40 more crates.
#[test]
fn every_key_of_a_report_is_in_its_schema() {
    let schema = schema();
    each(|run, assessment| conforms(&schema, &schema, &value(run, assessment), "report"));
}

#[test]
fn the_schema_lists_the_words_that_reports_use() {
    let schema = schema();
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let keys = |pointer: &str| -> Value {
        at(&format!("{pointer}/properties")).as_object().unwrap().keys().cloned().collect()
    };
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        json!(names)
    };
    assert_eq!(at("/properties/verdict/enum"), &json!(RunVerdict::ALL.map(RunVerdict::name)));
    assert_eq!(at("/$defs/Interval/properties/phase/enum"), &json!(Phase::ALL.map(Phase::name)));
    assert_eq!(at("/$defs/Check/properties/op/enum"), &json!(Op::ALL.map(Op::symbol)));
    let endings = Ending::ALL.map(Ending::name).to_vec();
    assert_eq!(keys("/$defs/Counts/properties/endings"), sorted(endings));
    let faults = Fault::ALL.map(Fault::name).to_vec();
    assert_eq!(keys("/$defs/Counts/properties/faults"), sorted(faults));
    for place in ["Totals", "Stage", "Interval"] {
        let timings = Timing::ALL.map(Timing::name).to_vec();
        assert_eq!(keys(&format!("/$defs/{place}/properties/timings")), sorted(timings));
    }
}

pub(super) fn conforms(root: &Value, schema: &Value, value: &Value, path: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return conforms(root, root.pointer(pointer).expect("a definition"), value, path);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let is_null = |choice: &&Value| choice["type"] == "null";
        let choice = choices.iter().find(|choice| is_null(choice) == value.is_null());
        return conforms(root, choice.expect("a choice"), value, path);
    }
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{path}: {value}");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allows = |allowed: &Value| allowed == kind || allowed == "number" && kind == "integer";
    match &schema["type"] {
        Value::Array(kinds) => assert!(kinds.iter().any(allows), "{path} is {kind}, not {kinds:?}"),
        one => assert!(allows(one), "{path} is {kind}, not {one}"),
    }
    for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(key).is_some(), "{path} has no {key}");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        conforms(root, &schema["items"], item, &format!("{path}.{index}"));
    }
    for (key, item) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(key) {
            Some(property) => conforms(root, property, item, &format!("{path}.{key}")),
            None => {
                assert_eq!(schema["additionalProperties"], true, "{path}.{key} is in no schema")
            }
        }
    }
}
