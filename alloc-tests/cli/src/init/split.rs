//! The split of a `main` that builds axum's routes: a library with the routes and all that they call, and a program that
//! binds the port. Works on a file as rustfmt writes it, where `main` needs nothing but the routes; others are not split.

/// The texts of `src/lib.rs` and of `src/main.rs`, if the routes in `program` need no variable of `main`.
pub(super) fn split(program: &str, library: &str) -> Option<(String, String)> {
    let lines: Vec<&str> = program.lines().collect();
    let start = lines.iter().position(|line| line.starts_with("async fn main("))?;
    let end = start + lines[start..].iter().position(|line| *line == "}")?;
    let is_attribute = |line: &&&str| line.starts_with("#[");
    let attributes = lines[..start].iter().rev().take_while(is_attribute).count();
    let (body, outside) =
        (&lines[start + 1..end], [&lines[..start - attributes], &lines[end + 1..]].concat());
    let routes = Routes::find(body)?;
    let (about, outside): (Vec<&str>, Vec<&str>) =
        outside.iter().partition(|line| line.starts_with("//!") || line.starts_with("#!["));
    let (uses, items) = uses(&outside);

    let Routes { name, value, at, length } = &routes;
    let served = format!("    let {name} = {library}::app();");
    let body = [&body[..*at], &[served.as_str()], &body[at + length..]].concat().join("\n");
    let head = lines[start - attributes..=start].join("\n");
    let is_of_main = |statement: &&String| leaves(statement).any(|leaf| has_word(&body, leaf));
    let of_main: Vec<&str> = uses.iter().filter(is_of_main).map(String::as_str).collect();
    let main =
        paragraphs(&[&about.join("\n"), &of_main.join("\n"), &format!("{head}\n{body}\n}}")]);

    let own = format!("{value}\n{items}");
    // A trait is imported for its methods, and its name is found nowhere.
    let is_of_library = |statement: &&String| {
        !is_of_main(statement) || leaves(statement).any(|leaf| has_word(&own, leaf))
    };
    let of_library: Vec<&str> = uses.iter().filter(is_of_library).map(String::as_str).collect();
    let is_imported = of_library.iter().any(|one| leaves(one).any(|leaf| leaf == "Router"));
    let router = if is_imported { "Router" } else { "axum::Router" };
    let app = format!("/// The service's routes.\npub fn app() -> {router} {{\n    {value}\n}}\n");
    Some((paragraphs(&[&of_library.join("\n"), &app, &items.replace("\n\n\n", "\n\n")]), main))
}

/// `parts` that are not empty, with a line between them.
fn paragraphs(parts: &[&str]) -> String {
    let parts = parts.iter().map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n") + "\n"
}

/// The statement in `main` that builds the routes.
struct Routes {
    name: String,
    value: String,
    /// Its first line in the body, and the number of its lines.
    at: usize,
    length: usize,
}

impl Routes {
    fn find(body: &[&str]) -> Option<Self> {
        let is_routes = |line: &&str| {
            line.starts_with("    let ") && line.contains("= ") && line.contains("Router::new()")
        };
        let at = body.iter().position(is_routes)?;
        let is_end =
            |end: &usize| body[*end].ends_with(';') && balance(&body[at..=*end].join("\n")) == 0;
        let length = 1 + (at..body.len()).find(is_end)? - at;
        let statement = body[at..at + length].join("\n");
        let (left, value) = statement.split_once("= ")?;
        let name = left.trim().trim_start_matches("let ").trim_start_matches("mut ");
        let name = name.split(':').next()?.trim().to_owned();
        let value = value.strip_suffix(';')?.to_owned();
        let variables = body[..at].iter().filter_map(|line| line.strip_prefix("    let "));
        let mut names =
            variables.filter_map(|rest| rest.trim_start_matches("mut ").split([' ', ':']).next());
        let is_whole = !value.contains(".await");
        (is_whole && !names.any(|one| has_word(&value, one))).then_some(Self {
            name,
            value,
            at,
            length,
        })
    }
}

fn balance(text: &str) -> i32 {
    let weight = |one: char| match one {
        '(' | '{' | '[' => 1,
        ')' | '}' | ']' => -1,
        _ => 0,
    };
    text.chars().map(weight).sum()
}

/// The `use` statements of these lines, and the other lines.
fn uses(lines: &[&str]) -> (Vec<String>, String) {
    let (mut uses, mut others) = (Vec::new(), String::new());
    let mut open: Option<String> = None;
    for line in lines {
        let is_use = open.is_some() || line.starts_with("use ");
        if !is_use {
            others += line;
            others.push('\n');
            continue;
        }
        let mut statement = open.take().map_or_else(String::new, |before| before + "\n");
        statement += line;
        if line.ends_with(';') {
            uses.push(statement);
        } else {
            open = Some(statement);
        }
    }
    (uses, others)
}

/// The names that a `use` statement brings.
fn leaves(statement: &str) -> impl Iterator<Item = &str> {
    let parts = statement.trim_start_matches("use ").split([',', '{', '}', ';']);
    let leaf = |part: &'_ str| part.rsplit([':', ' ']).next().map_or(0, str::len);
    parts
        .map(str::trim)
        .map(move |part| &part[part.len() - leaf(part)..])
        .filter(|leaf| !leaf.is_empty())
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|one: char| !one.is_alphanumeric() && one != '_').any(|other| other == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = r#"//! A chat.
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::{Router, routing::any};
use futures_util::SinkExt;
use tokio::net::TcpListener;

const PATH: &str = "/ws";

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    let routes = Router::new()
        .route(PATH, any(upgrade))
        .route("/{name}", any(async || "hello"));
    axum::serve(listener, routes).await
}

async fn upgrade(upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.on_upgrade(async |socket: WebSocket| drop(socket.close(Message::Close(None))))
}
"#;

    #[test]
    fn routes_and_what_they_call_move_to_the_library() {
        let (library, program) = split(PROGRAM, "chat").expect("its routes need no variable");
        insta::assert_snapshot!(format!("{library}==> main.rs\n{program}"));
    }

    #[test]
    fn routes_that_need_a_variable_of_main_are_not_split() {
        let needs = PROGRAM.replace("\"hello\")", "\"hello\").with_state(listener)");
        assert_eq!(split(&needs, "chat"), None);
        assert_eq!(split("fn main() {}", "chat"), None);
    }
}
