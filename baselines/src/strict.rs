//! Strict JSON: the schema first, then sorted maps without repeated keys, one entry a line.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor},
};

/// Parses `text` if its `schema` is the one that `T` describes.
///
/// A first pass reads only the schema, so that the error for a later format does not name one of its keys.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, schema: u32) -> Result<T, String> {
    let found: Version = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if found.schema != schema {
        return Err(format!("schema {}, this reads {schema}", found.schema));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Renders `schema` and `values`, which are JSON.
pub(crate) fn render(schema: u32, values: &[(&str, String)]) -> String {
    let rows: String =
        values.iter().map(|(key, value)| format!(",\n  \"{key}\": {value}")).collect();
    format!("{{\n  \"schema\": {schema}{rows}\n}}\n")
}

/// An object with one entry a line, for [`render`]: a diff then reads like a table.
pub(crate) fn entries<'a>(entries: impl Iterator<Item = (&'a String, String)>) -> String {
    let rows: Vec<_> = entries.map(|(id, row)| format!("    {}: {row}", quote(id))).collect();
    if rows.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n  }}", rows.join(",\n")) }
}

/// `text` as a JSON string, quoted and escaped.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// A JSON object with sorted and unique keys. A plain map would silently take the last of two equal keys.
#[derive(Debug)]
pub(crate) struct Sorted<V>(pub(crate) BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Sorted<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

struct InOrder<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for InOrder<V> {
    type Value = Sorted<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with sorted keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::<String, V>::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate key {key:?}")));
            }
            if let Some((last, _)) = entries.last_key_value()
                && *last > key
            {
                return Err(A::Error::custom(format_args!("unsorted key {key:?} after {last:?}")));
            }
            entries.insert(key, map.next_value()?);
        }
        Ok(Sorted(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Wire {
        map: Sorted<u64>,
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&[(&str, u64)], &str>) {
        let parsed = parse::<Wire>(text, 1).map(|wire| wire.map.0);
        match (parsed, expected) {
            (Ok(map), Ok(pairs)) => {
                assert!(map.iter().map(|(k, v)| (k.as_str(), *v)).eq(pairs.iter().copied()))
            }
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (parsed, expected) => panic!("{parsed:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn sorted_keys_are_read() {
        check(r#"{"schema": 1, "map": {"a": 1, "b": 2}}"#, Ok(&[("a", 1), ("b", 2)]));
        check(r#"{"schema": 1, "map": {}}"#, Ok(&[]));
    }

    #[test]
    fn the_order_and_number_of_keys_is_checked_with_their_place() {
        check(
            "{\"schema\": 1, \"map\": {\n\"b\": 1,\n\"a\": 2}}",
            Err("unsorted key \"a\" after \"b\" at line 3"),
        );
        check(r#"{"schema": 1, "map": {"a": 1, "a": 1}}"#, Err("duplicate key \"a\""));
        check(r#"{"schema": 1, "map": {"a": 1, "b": 1, "a": 1}}"#, Err("duplicate key \"a\""));
        check(r#"{"schema": 1, "map": {"a": 1, "\u0061": 1}}"#, Err("duplicate key \"a\""));
    }

    #[test]
    fn another_schema_is_named_before_anything_else() {
        check(r#"{"new": [], "schema": 2}"#, Err("schema 2, this reads 1"));
        check(r#"{"map": {}}"#, Err("missing field `schema`"));
        check(r#"{"schema": "1", "map": {}}"#, Err("invalid type: string"));
    }
}
