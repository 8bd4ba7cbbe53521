use std::path::Path;

use super::check_amended;
use crate::profile::{Mode, Profile, Talk, Target};

const TALK: &str = "path = '/rpc'\nsubprotocol = 'v1'\nheaders = { Authorization = 'Bearer x', Origin = 'http://a' }\n\
     open = [{ send = 'join' }]\n[[exchange]]\nsend = 'ask {seq}'\n";

/// A profile whose conversation is in a file beside it.
fn load(folder: &Path, talk: &str) -> Result<Profile, String> {
    let profile = "name = 'a'\n[target]\nmode = { conversation = 'rpc.toml' }\n[[stage]]\nconnections = 1\nhold = '1s'";
    std::fs::write(folder.join("rpc.toml"), talk).expect("room for a file");
    std::fs::write(folder.join("a.toml"), profile).expect("room for a file");
    let file = folder.join("a.toml").display().to_string();
    Profile::load(&file).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_conversation_is_read_beside_its_profile_and_becomes_a_part_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = load(folder.path(), TALK).expect("it is right");
    let Mode::Conversation(Talk::Held(held)) = &profile.target.mode else { panic!("{profile:?}") };
    assert_eq!((held.open.len(), held.exchanges.len()), (1, 1));
    let Target { subprotocol, origin, headers, .. } = &profile.target;
    assert_eq!((subprotocol.as_deref(), origin.as_deref()), (Some("v1"), Some("http://a")));
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["Authorization"]);
    let public = toml::to_string(&profile.public()).expect("plain values");
    assert!(!public.contains("Bearer x"), "{public}");
    let again = Profile::parse(&public, "report").expect(&public);
    assert_eq!(again.target.mode, profile.target.mode);
}

#[test]
fn the_path_of_a_conversation_is_that_of_a_url_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = load(folder.path(), TALK).expect("it is right").target;
    for (url, address) in [
        ("ws://host:9001", "ws://host:9001/rpc"),
        ("ws://host:9001/", "ws://host:9001/rpc"),
        ("ws://host:9001/ws", "ws://host:9001/ws"),
        ("ws://host/?room=1", "ws://host/?room=1"),
    ] {
        assert_eq!(target.address(url), address);
        assert_eq!(Target::default().address(url), url);
    }
}

#[test]
fn a_conversation_that_a_load_cannot_hold_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    for (talk, words) in [
        ("connections = 8\n[[exchange]]\nsend = 'x'", "connections is 8, and no user of a load"),
        (
            "[[exchange]]\nsend = 'x'\n[[exchange]]\nexpect = { exact = 'y' }",
            "exchange 2 has no send",
        ),
        (
            "[[exchange]]\nsend = 'x'\nexpect = { prefix = '' }",
            "rpc.toml: exchange 1: expect.prefix",
        ),
        ("[[exchange]]\nsned = 'x'", "rpc.toml: line 2: unknown field sned"),
    ] {
        let error = load(folder.path(), talk).expect_err(words);
        assert!(error.contains("a.toml: ") && error.contains(words), "{error}");
    }
    let inline = "[target.mode.conversation]\nexchange = [{ sned = 'x' }]";
    check_amended(inline, "", "unknown key \"sned\" in line");
    let inline = "[target.mode.conversation]\nexchange = [{ send = 'x' }]";
    check_amended(&format!("{inline}\n[traffic]\nkind = 'binary'"), "", "write binary = true");
    check_amended("[target]\nmode = { conversation = 'a' }", "", "cannot be read from here");
    check_amended("[target]\nmode = { conversation = 1 }", "", "the path of a file");
    let error = Profile::load("/nowhere/a.toml").expect_err("there is no such file");
    assert!(format!("{error:#}").contains("cannot read the profile"), "{error:#}");
}
