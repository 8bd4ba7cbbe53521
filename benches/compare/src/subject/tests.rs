use std::fs;

use super::*;

/// A workspace in a folder whose name has a space: packages with their targets, and a configuration.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new(packages: &[(&str, &[&str])], configuration: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("a b").tempdir().expect("there is room");
        let workspace = Self(folder);
        let members: Vec<&str> = packages.iter().map(|(name, _)| *name).collect();
        workspace.write("Cargo.toml", &format!("[workspace]\nmembers = {members:?}\n"));
        for (name, files) in packages {
            let manifest = format!("[package]\nname = {name:?}\nedition = \"2024\"\n");
            workspace.write(&format!("{name}/Cargo.toml"), &manifest);
            for file in *files {
                workspace.write(&format!("{name}/{file}"), "fn main() {}\n");
            }
        }
        if !configuration.is_empty() {
            workspace.write(FILE, configuration);
        }
        workspace
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().expect("it is below")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }

    fn find(&self) -> Result<Subject> {
        Subject::find(&self.0.path().join("chat"))
    }

    #[track_caller]
    fn refuses(&self, words: &str) {
        let message = format!("{:#}", self.find().expect_err("it is refused"));
        assert!(message.contains(words) && !message.contains('\n'), "no {words:?} in: {message}");
    }
}

const CHAT: (&str, &[&str]) = ("chat", &["src/main.rs", "tests/alloc.rs"]);
const NEWS: (&str, &[&str]) = ("news", &["src/bin/news.rs", "src/bin/fill.rs", "tests/alloc.rs"]);
const TOOL: (&str, &[&str]) = ("tool", &["src/bin/a.rs", "src/bin/b.rs"]);

#[track_caller]
fn refuses(configuration: &str, words: &str) {
    Workspace::new(&[CHAT, NEWS, TOOL], configuration).refuses(words);
}

#[test]
fn a_service_has_defaults_for_all_but_the_package_of_its_server() {
    let workspace = Workspace::new(&[CHAT, NEWS], "[[service]]\nserver = { package = \"news\" }\n");
    let subject = workspace.find().expect("it is one");
    let [news] = &subject.services[..] else { panic!("{subject:?}") };
    let expected = Service {
        name: "news".into(),
        package: "news".into(),
        bin: "news".into(),
        command: None,
        path: "/".into(),
        conversation: None,
        test_package: "news".into(),
        test: "alloc".into(),
        baselines: subject.root.join("news/tests/baselines"),
    };
    assert_eq!(*news, expected);
}

#[test]
fn a_service_says_how_it_is_started_and_where_its_suite_is() {
    let text = "[[service]]\nname = \"fill\"\nserver = { package = \"news\", bin = \"fill\" }\n\
        command = \"{bin} {port}\"\npath = \"/ws\"\nconversation = \"talk.toml\"\n\
        test = { package = \"chat\" }\nbaselines = \"../numbers\"\n";
    let workspace = Workspace::new(&[CHAT, NEWS], text);
    workspace.refuses("talk.toml\" is no file below the root");
    workspace.write("talk.toml", "");
    workspace.refuses("talk.toml: there is no [[exchange]]");
    workspace.write("talk.toml", "[[exchange]]\nsend = \"hello\"\n");
    let subject = workspace.find().expect("it is one");
    let [fill] = subject.named(Some("fill")).expect("it is there") else { panic!("{subject:?}") };
    assert_eq!((fill.bin.as_str(), fill.path.as_str()), ("fill", "/ws"));
    assert_eq!(fill.command.as_ref().map(CommandLine::text), Some("{bin} {port}"));
    assert_eq!((fill.test_package.as_str(), fill.test.as_str()), ("chat", "alloc"));
    assert_eq!(fill.baselines, subject.root.join("chat/../numbers"));
    assert_eq!(fill.conversation, Some(subject.root.join("talk.toml")));
    let error = subject.named(Some("full")).expect_err("there is none");
    assert_eq!(error.to_string(), "there is no service full; this workspace has fill");
}

#[test]
fn services_are_read_from_the_root_manifest_too_and_not_from_two_places() {
    let workspace = Workspace::new(&[CHAT, NEWS], "");
    let table =
        "[workspace]\nmembers = [\"chat\", \"news\"]\n[[workspace.metadata.plimsoll.service]]\n";
    workspace.write("Cargo.toml", &format!("{table}server = {{ package = \"chat\" }}\n"));
    assert_eq!(workspace.find().expect("it is one").services[0].name, "chat");
    workspace.write("Cargo.toml", &format!("{table}sever = {{ package = \"chat\" }}\n"));
    workspace.refuses("Cargo.toml:4: unknown field `sever`, expected one of `name`, `server`, ");
    workspace.write("Cargo.toml", &format!("{table}server = {{ package = \"chat\" }}\n"));
    workspace.write(FILE, "[[service]]\nserver = { package = \"chat\" }\n");
    workspace.refuses(
        "written in plimsoll.toml and in [workspace.metadata.plimsoll] of Cargo.toml; keep one",
    );
}

#[test]
fn without_a_configuration_the_only_package_with_a_program_and_a_suite_is_the_service() {
    let subject = Workspace::new(&[CHAT, TOOL], "").find().expect("it is one");
    assert_eq!(subject.services.len(), 1);
    assert_eq!(
        (subject.services[0].name.as_str(), subject.services[0].bin.as_str()),
        ("chat", "chat")
    );
    let words =
        "chat and news have a program and a test alloc; write the services in plimsoll.toml";
    Workspace::new(&[CHAT, NEWS], "").refuses(words);
    let empty = Workspace::new(&[("chat", &["src/main.rs"])], "");
    empty.refuses("has a program and a test alloc; write the services in plimsoll.toml: cargo plimsoll init does");
}

#[test]
fn this_tree_is_configured_like_that_of_an_adopter() {
    let subject = Subject::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is one");
    let [server] = &subject.services[..] else { panic!("{subject:?}") };
    assert_eq!((server.name.as_str(), server.path.as_str()), ("ws-server", "/ws/echo"));
    assert!(server.baselines.join("alloc").is_dir());
}

#[test]
fn a_folder_without_a_workspace_is_refused() {
    let folder = tempfile::tempdir().expect("there is room");
    let message = Subject::find(folder.path()).expect_err("there is none").to_string();
    assert!(message.starts_with("no cargo workspace: could not find `Cargo.toml`"), "{message}");
}

#[test]
fn a_configuration_that_makes_no_sense_names_key_value_and_cure() {
    let chat = "[[service]]\nserver = { package = \"chat\" }\n";
    refuses("", "chat and news have");
    refuses("[[services]]\n", "plimsoll.toml:1: unknown field `services`, expected `service`");
    refuses("# nothing\n", "plimsoll.toml has no service; write [[service]]");
    refuses("[[service]]\npath = \"/\"\n", "plimsoll.toml:1: missing field `server`");
    refuses(&format!("{chat}path = 7\n"), "plimsoll.toml:3: invalid type: integer `7`");
    refuses(&format!("{chat}path = \"ws\"\n"), "service chat: path = \"ws\" is no path");
    refuses(&format!("{chat}command = \"x\"\n"), "command = \"x\": {bin} is its first word");
    refuses(&format!("{chat}{chat}"), "two services are called chat");
    refuses(
        "[[service]]\nserver = { package = \"caht\" }\n",
        "service caht: server.package = \"caht\" is no package of this workspace; the nearest is chat",
    );
    refuses(
        "[[service]]\nserver = { package = \"tool\" }\n",
        "tool has the programs a, b; name the server's: server = { package = \"tool\", bin = \"…\" }",
    );
    refuses(
        "[[service]]\nserver = { package = \"news\", bin = \"nwes\" }\n",
        "server.bin = \"nwes\" is no bin of news; the nearest is news",
    );
    refuses(
        "[[service]]\nserver = { package = \"tool\", bin = \"a\" }\n",
        "test.test = \"alloc\" is no test of tool; add it: cargo plimsoll init",
    );
}
