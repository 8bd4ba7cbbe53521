//! A number at one place of a JSON document, read without keeping the document. Pure.
//!
//! [`serde_json::Value::pointer`] would do, but takes three times as long: for two numbers 0.7 µs instead of 0.2 µs in a
//! message of 54 bytes, and 14 µs instead of 4 µs in one of 1.7 KB. That is more than anything else in the path of a
//! pushed message.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON pointer (RFC 6901).
#[derive(Clone, Debug)]
pub(super) struct JsonPointer {
    steps: Box<[Box<str>]>,
}

impl JsonPointer {
    /// `/a/0/b`; the first slash may be left out.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.strip_prefix('/').unwrap_or(text);
        let unescaped = |step: &str| step.replace("~1", "/").replace("~0", "~").into();
        Self { steps: text.split('/').map(unescaped).collect() }
    }

    /// The number there; `None` if there is no number, or the document is not JSON.
    pub(super) fn number(&self, document: &[u8]) -> Option<f64> {
        let mut from = serde_json::Deserializer::from_slice(document);
        Walk(&self.steps).deserialize(&mut from).ok()?
    }
}

/// The rest of the way to the number. Anything but a number there is an error, or none.
struct Walk<'a>(&'a [Box<str>]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => f64::deserialize(from).map(Some),
            [step, rest @ ..] => from.deserialize_any(Step { step, rest: Walk(rest) }),
        }
    }
}

/// One step into an object or an array.
struct Step<'a> {
    step: &'a str,
    rest: Walk<'a>,
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(self.step))? {
            if is_it && found.is_none() {
                found = map.next_value_seed(Walk(self.rest.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.step.parse().unwrap_or(usize::MAX) {
            if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = items.next_element_seed(self.rest)?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found.flatten())
    }
}

/// Compares a key with the wanted one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(self.0 == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pointer: &str, document: &str, number: Option<f64>) {
        let found = JsonPointer::parse(pointer).number(document.as_bytes());
        assert_eq!(found, number, "{pointer} in {document}");
    }

    #[test]
    fn a_json_pointer_finds_a_number_in_objects_and_arrays() {
        check("/seq", r#"{"a":[1,{"seq":2}],"seq":17,"b":null}"#, Some(17.0));
        check("seq", r#"{"seq":-1}"#, Some(-1.0));
        check("/a/1/seq", r#"{"a":[1,{"seq":2.5},3]}"#, Some(2.5));
        check("/a~1b/~0", r#"{"a/b":{"~":4}}"#, Some(4.0));
    }

    #[test]
    fn a_json_pointer_to_anything_but_a_number_finds_none() {
        check("/seq", r#"{"seq":"17"}"#, None);
        check("/seq", r#"{"seq":{"seq":1}}"#, None);
        check("/seq", r#"{"sequence":1}"#, None);
        check("/0", "{}", None);
        check("/seq", "not json", None);
        check("/seq", "[1,2]", None);
    }
}
