//! Reviews whose answers are piped.

use baselines::Pending;

use crate::adopter::Adopter;
use crate::chat::{blocks, chat, check, provenance, result, root, save, waiting};

#[test]
fn without_pending_numbers_a_review_says_so() {
    check(&chat().plimsoll(&["review"]), 0, &["nothing is pending"]);
}

#[test]
fn accepted_numbers_are_recorded_rejected_ones_forgotten_and_skipped_ones_wait() {
    let chat = chat();
    for (id, blocks) in [("echo", 3), ("hold", 5), ("join", 0)] {
        save(&chat, &result(id, blocks));
    }
    let said = chat.plimsoll_with("a\nthe room keeps a name\nr\ns\n", &["review"]);
    check(&said, 0, &["1 accepted, 1 rejected, 1 skipped", "0 added, 1 changed, 0 pruned"]);
    let commit = "git add tests/baselines/alloc && git commit -m 'the room keeps a name'\n";
    check(&said, 0, &["loosened: echo blocks 1 → 3 at N", commit]);
    assert_eq!(["echo", "hold", "join"].map(|id| blocks(&chat, id)), [Some(3), None, Some(1)]);
    assert_eq!(waiting(&chat), ["join"]);
    let said = chat.plimsoll_with("A\nfewer\n", &["review"]);
    check(&said, 0, &["0 added, 1 changed"]);
    assert_eq!((blocks(&chat, "join"), waiting(&chat).len()), (Some(0), 0));
}

#[test]
fn a_review_fits_a_terminal_and_shows_totals_call_sites_and_other_builds() {
    let chat = chat();
    let mut one = result("echo", 3);
    one.provenance = provenance("1.96.0");
    save(&chat, &one);
    save(&chat, &result("hold", 5));
    let said = chat.plimsoll_with("s\ns\n", &["review"]);
    let target = crate::chat::host();
    insta::assert_snapshot!(said.stdout.replace(&target, "TARGET"));
    let wide = said.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!((wide, said.stdout.contains('\u{1b}')), (None, false));
}

#[test]
fn the_end_of_the_answers_skips_the_rest_and_says_so() {
    let chat = chat();
    save(&chat, &result("echo", 3));
    save(&chat, &result("join", 3));
    let said = chat.plimsoll_with("a\nwhy\n", &["review"]);
    check(&said, 0, &["the input ended", "1 accepted, 0 rejected, 1 skipped"]);
    assert_eq!((blocks(&chat, "echo"), waiting(&chat)), (Some(3), vec!["join".to_owned()]));
    let said = chat.plimsoll_with("a\n", &["review"]);
    check(&said, 0, &["without a reason", "0 accepted, 0 rejected, 1 skipped"]);
    assert_eq!(blocks(&chat, "join"), Some(1));
}

#[test]
fn numbers_that_were_judged_by_others_are_stale() {
    let chat = chat();
    let mut one = result("echo", 3);
    one.recorded.as_mut().expect("it is recorded").bytes = [7, 7];
    save(&chat, &one);
    let words = ["echo: stale, other numbers are recorded", "run the test again"];
    check(&chat.plimsoll_with("a\nwhy\n", &["review"]), 5, &words);
    check(&chat.plimsoll(&["accept", "--reason", "why"]), 5, &["nothing recorded", words[1]]);
    assert_eq!((blocks(&chat, "echo"), waiting(&chat).len()), (Some(1), 1));
    check(&chat.plimsoll(&["reject", "echo"]), 0, &["rejected: echo"]);
    assert_eq!(waiting(&chat).len(), 0);
}

#[test]
fn a_part_of_another_build_is_refused_and_all_of_it_is_not() {
    let chat = chat();
    let of_new_build = |id: &str, blocks| {
        let mut one = result(id, blocks);
        one.provenance = provenance("1.96.0");
        one
    };
    save(&chat, &of_new_build("echo", 3));
    let words = ["join stay as another build recorded them (rustc 1.95.0 → 1.96.0)"];
    check(&chat.plimsoll_with("a\nbump\n", &["review"]), 5, &words);
    assert_eq!(blocks(&chat, "echo"), Some(1));
    // The other one passed in the new build.
    let mut passed = of_new_build("join", 1);
    (passed.sites, passed.sites_changed) = Default::default();
    save(&chat, &passed);
    check(&chat.plimsoll_with("a\nbump\n", &["review"]), 0, &["1 accepted, 0 rejected, 0 skipped"]);
    assert_eq!((blocks(&chat, "echo"), waiting(&chat).len()), (Some(3), 0));
}

#[test]
fn numbers_of_two_builds_are_not_accepted_together() {
    let chat = chat();
    save(&chat, &result("echo", 3));
    let mut one = result("join", 3);
    one.provenance = provenance("1.96.0");
    save(&chat, &one);
    let words = ["echo and join come from two builds", "cargo test --release -p chat --test alloc"];
    check(&chat.plimsoll_with("A\nwhy\n", &["review"]), 5, &words);
    assert_eq!(waiting(&chat).len(), 2);
}

#[test]
fn a_suite_that_is_refused_does_not_hold_back_another() {
    let chat = chat();
    let manifest = chat.read("Cargo.toml");
    chat.write("Cargo.toml", &format!("{manifest}[workspace]\nmembers = [\"bot\"]\n"));
    chat.write("bot/Cargo.toml", &manifest.replace("\"chat\"", "\"bot\""));
    chat.write("bot/src/lib.rs", "");
    chat.write("bot/tests/alloc.rs", "");
    let of_bot = Pending { package: "bot".to_owned(), ..result("hold", 5) };
    of_bot.save(&chat.root().join("bot/tests/baselines/pending")).expect("there is room");
    save(&chat, &Pending { provenance: provenance("1.96.0"), ..result("echo", 3) });
    let said = chat.plimsoll_with("A\nwhy\n", &["review"]);
    let words = [
        "accepted: hold (missing)\nrecorded in bot/tests/baselines/alloc/",
        "git add bot/tests/baselines/alloc && git commit -m why",
        "error: nothing recorded of chat: join stay as another build",
    ];
    check(&said, 5, &words);
    assert_eq!((blocks(&chat, "echo"), waiting(&chat)), (Some(1), vec!["echo".to_owned()]));
}

#[test]
fn a_folder_of_the_configuration_is_read() {
    let chat = chat();
    let manifest = chat.read("Cargo.toml");
    let service = "[[package.metadata.plimsoll.service]]\nserver = { package = \"chat\" }\nbaselines = \"numbers\"\n";
    chat.write("Cargo.toml", &format!("{manifest}{service}"));
    chat.write("src/main.rs", "fn main() {}");
    let folder = baselines::pending::folder(&chat.root().join("numbers"));
    result("hold", 5).save(&folder).expect("there is room");
    check(&chat.plimsoll_with("a\nnew\n", &["review"]), 0, &["1 added"]);
    assert!(chat.read("numbers/alloc/sites/hold.txt").contains("chat::room::say"));
    chat.write("plimsoll.toml", "[[service]]\nserver = { package = \"other\" }\n");
    assert_eq!(chat.plimsoll(&["review"]).code, Some(2));
}

#[test]
fn a_review_needs_a_workspace_and_a_repository() {
    let outside = Adopter::without_git(&[("Cargo.toml", "[workspace]\n")]);
    check(&outside.plimsoll(&["review"]), 2, &["is in no git repository"]);
    let empty = Adopter::new(&[]);
    check(&empty.plimsoll(&["review"]), 2, &["is in no cargo workspace"]);
}

#[test]
fn a_file_that_is_broken_or_of_another_test_is_refused_with_the_cure() {
    let chat = chat();
    let folder = root(&chat).join("pending");
    let mut one = result("echo", 3);
    one.test = "other".to_owned();
    one.save(&folder).expect("there is room");
    check(&chat.plimsoll(&["review"]), 5, &["chat has no test other; it has alloc"]);
    chat.write("tests/baselines/pending/x.json", "{");
    check(&chat.plimsoll(&["review"]), 5, &["x.json is not comparable", "or remove the file"]);
}
