use proptest::prelude::*;

use super::*;

fn recipe(sizes: &[(usize, f64)]) -> Recipe {
    let sizes = sizes.iter().map(|(bytes, share)| Size { bytes: *bytes, share: *share });
    Recipe::new(&Traffic { sizes: sizes.collect(), ..Traffic::default() })
}

fn in_flight(sent: u32) -> InFlight {
    let mut in_flight = InFlight::new(1);
    for _ in 0..sent {
        in_flight.send(0, 0, None);
    }
    in_flight
}

fn message(recipe: &Recipe, connection: u32, number: u32) -> Vec<u8> {
    let mut out = Vec::new();
    recipe.write(connection, number, &mut out);
    out
}

#[test]
fn sizes_of_messages_have_their_shares() {
    let recipe = recipe(&[(16, 0.5), (1024, 0.4), (65536, 0.1)]);
    let of = |bytes| {
        (0..100_000).filter(|n| recipe.size_at(recipe.hash(1, *n)) == bytes).count() as f64 / 1e5
    };
    assert!((of(16) - 0.5).abs() < 0.01);
    assert!((of(1024) - 0.4).abs() < 0.01);
    assert!((of(65536) - 0.1).abs() < 0.01);
}

#[test]
fn messages_are_ascii_text_and_differ_from_each_other() {
    let recipe = recipe(&[(64, 1.0)]);
    let mut seen: Vec<_> = (0..1000).map(|number| message(&recipe, 9, number)).collect();
    assert!(seen.iter().all(|message| message.is_ascii() && message.len() == 64));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
}

#[test]
fn an_answer_of_another_connection_is_unknown() {
    let recipe = recipe(&[(64, 1.0)]);
    let payload = message(&recipe, 1, 3);
    assert_eq!(recipe.recognise(2, &payload, &in_flight(10)), Recognised::Unknown);
}

#[test]
fn a_head_is_sixteen_digits_with_a_right_check() {
    let recipe = recipe(&[(64, 1.0)]);
    let [connection, number] = [0x0f9a_8765, 0xfedc_ba98];
    let hash = recipe.hash(connection, number);
    let whole = head(connection, number, hash);
    assert_eq!(recipe.read_head(&whole), Some((connection, number, hash)));
    for (at, other) in (0..HEAD).zip((0..=255_u8).cycle()).chain((0..=255).map(|other| (3, other)))
    {
        let mut head = whole;
        head[at] = other;
        assert_eq!(recipe.read_head(&head).is_some(), head == whole, "{other} at {at}");
    }
}

proptest! {
    #[test]
    fn a_head_tells_its_connection_and_its_number(connection: u32, number: u32) {
        let recipe = recipe(&[(64, 1.0)]);
        let hash = recipe.hash(connection, number);
        let read = recipe.read_head(&head(connection, number, hash));
        prop_assert_eq!(read, Some((connection, number, hash)));
    }

    #[test]
    fn a_written_message_is_recognised(connection: u32, number in 0_u32..1000, size in 16_usize..3000) {
        let recipe = recipe(&[(size, 1.0)]);
        let payload = message(&recipe, connection, number);
        prop_assert_eq!(payload.len(), size);
        prop_assert_eq!(recipe.recognise(connection, &payload, &in_flight(1000)), Recognised::Exact(number));
    }

    #[test]
    fn a_message_with_a_changed_byte_is_recognised_as_corrupted(
        size in 32_usize..300, at: prop::sample::Index, flip in 1_u8..=255, number in 0_u32..50
    ) {
        let recipe = recipe(&[(size, 1.0)]);
        let mut payload = message(&recipe, 7, number);
        let at = at.index(size);
        payload[at] ^= flip;
        prop_assert_eq!(recipe.recognise(7, &payload, &in_flight(50)), Recognised::Corrupted(number));
    }

    #[test]
    fn a_truncated_message_is_recognised_as_corrupted(size in 96_usize..300, cut in 1_usize..16) {
        let recipe = recipe(&[(size, 1.0)]);
        let payload = message(&recipe, 7, 0);
        let got = recipe.recognise(7, &payload[..size - cut], &in_flight(5));
        prop_assert_eq!(got, Recognised::Corrupted(0));
    }
}
