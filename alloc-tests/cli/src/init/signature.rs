//! What a function takes and returns, as far as a suite must know it to call it.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A public function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// From the crate's name on.
    pub(crate) path: String,
    pub(crate) is_async: bool,
    pub(crate) arguments: Vec<Argument>,
    /// The identifiers in the type that it returns.
    pub(crate) returns: Vec<String>,
}

/// An argument of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    pub(crate) name: String,
    /// The identifiers in its type, or in the bounds of a type parameter.
    pub(crate) names: Vec<String>,
}

/// How a suite calls a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It makes axum's routes.
    Router,
    /// It serves a listener until a signal.
    Serve { takes_tokio: bool, stop: StopKind },
    /// It answers a request of hyper's.
    Request,
    /// It serves one stream.
    Stream { takes_tokio: bool, is_hyper: bool, with_peer: bool },
}

/// What a server takes as its signal to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopKind {
    Future,
    CancellationToken,
}

impl Function {
    /// How a suite calls it, if it can.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let is = |at: usize, name: &str| {
            self.arguments.get(at).is_some_and(|one| one.names.iter().any(|other| other == name))
        };
        let takes_tokio = is(0, "TcpStream") || is(0, "TcpListener");
        let is_async = self.is_async || self.returns.iter().any(|name| name == "Future");
        match self.arguments.len() {
            0 if self.returns == ["Router"] => Some(Kind::Router),
            1 if is_async && is(0, "Request") && is(0, "Incoming") => Some(Kind::Request),
            2 if is_async && (is(0, "Listener") || is(0, "TcpListener")) => {
                let stop = if is(1, "Future") {
                    StopKind::Future
                } else {
                    is(1, "CancellationToken").then_some(StopKind::CancellationToken)?
                };
                Some(Kind::Serve { takes_tokio, stop })
            }
            count @ (1 | 2) if is_async && (count == 1 || is(1, "SocketAddr")) => {
                let is_hyper = is(0, "Read") && is(0, "Write");
                let is_stream =
                    is_hyper || takes_tokio || is(0, "AsyncRead") && is(0, "AsyncWrite");
                is_stream.then_some(Kind::Stream { takes_tokio, is_hyper, with_peer: count == 2 })
            }
            _ => None,
        }
    }

    /// Whether it would be axum's routes, if it took no arguments and returned nothing else.
    pub(crate) fn is_nearly_router(&self) -> bool {
        self.kind().is_none() && self.returns.iter().any(|name| name == "Router")
    }

    /// Its name and its arguments: `chat::app(pool: PgPool)`.
    pub(crate) fn words(&self) -> String {
        let argument = |one: &Argument| format!("{}: {}", one.name, one.names.join(" "));
        let arguments: Vec<String> = self.arguments.iter().map(argument).collect();
        format!("{}({})", self.path, arguments.join(", "))
    }
}

/// Reads `async fn name<…>(…) -> … where … {…}`. Other items are none.
pub(crate) fn read(item: &[TokenTree]) -> Option<Function> {
    let at = item.iter().position(|token| token.to_string() == "fn")?;
    let before: Vec<String> = item[..at].iter().map(ToString::to_string).collect();
    let is_qualifier =
        |word: &String| ["async", "const", "unsafe", "extern", "\"C\""].contains(&word.as_str());
    if !before.iter().all(is_qualifier) {
        return None;
    }
    let name = item.get(at + 1)?.to_string();
    let rest = &item[at + 2..];
    let is_list = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
    // Parentheses of a bound like `F: Fn(u8)` are inside of the angle brackets.
    let mut depth = 0_usize;
    let arguments = rest.iter().enumerate().position(|(at, token)| {
        depth = angle(depth, rest, at);
        depth == 0 && is_list(token)
    })?;
    let TokenTree::Group(list) = &rest[arguments] else { return None };
    let after = &rest[arguments + 1..];
    let is_where = |token: &TokenTree| token.to_string() == "where";
    let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let body = after.iter().position(is_body).unwrap_or(after.len());
    let bounds = after[..body].iter().position(is_where).unwrap_or(body);
    let mut parameters = bounds_of(&rest[..arguments]);
    for (name, names) in bounds_of(&after[bounds..body]) {
        parameters.entry(name).or_default().extend(names);
    }
    let returns = identifiers(&after[..bounds]);
    let arguments = split(&list.stream().into_iter().collect::<Vec<_>>());
    let arguments = arguments.iter().map(|tokens| argument(tokens, &parameters));
    Some(Function {
        path: name,
        is_async: before.iter().any(|word| word == "async"),
        arguments: arguments.collect(),
        returns: last_segments(returns),
    })
}

/// The depth of angle brackets behind the token at `at`; an arrow's is none.
fn angle(depth: usize, tokens: &[TokenTree], at: usize) -> usize {
    let sign = |at: usize| match tokens.get(at) {
        Some(TokenTree::Punct(punct)) => punct.as_char(),
        _ => ' ',
    };
    match sign(at) {
        '<' => depth + 1,
        '>' if at == 0 || sign(at - 1) != '-' => depth.saturating_sub(1),
        _ => depth,
    }
}

/// Parts between commas, outside of angle brackets.
fn split(tokens: &[TokenTree]) -> Vec<Vec<TokenTree>> {
    let (mut parts, mut depth) = (vec![Vec::new()], 0);
    for (at, token) in tokens.iter().enumerate() {
        depth = angle(depth, tokens, at);
        if depth == 0 && token.to_string() == "," {
            parts.push(Vec::new());
        } else {
            parts.last_mut().expect("there is one").push(token.clone());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn argument(tokens: &[TokenTree], parameters: &BTreeMap<String, Vec<String>>) -> Argument {
    let colon = tokens.iter().position(|token| token.to_string() == ":").unwrap_or(tokens.len());
    let name = tokens[..colon].last().map(ToString::to_string).unwrap_or_default();
    let names = last_segments(identifiers(&tokens[colon..]));
    let bounds =
        |name: &String| parameters.get(name).cloned().unwrap_or_else(|| vec![name.clone()]);
    Argument { name, names: names.iter().flat_map(bounds).collect() }
}

/// Type parameters with the names in their bounds, from `<A: B + C, D>` or `where A: B + C`.
fn bounds_of(tokens: &[TokenTree]) -> BTreeMap<String, Vec<String>> {
    let is_frame = |token: &TokenTree| ["where", "<", ">"].contains(&token.to_string().as_str());
    let from = usize::from(tokens.first().is_some_and(is_frame));
    let to = tokens.len() - usize::from(tokens.len() > from && tokens.last().is_some_and(is_frame));
    let parts = split(&tokens[from..to]);
    let bound = |part: &Vec<TokenTree>| {
        let mut names = last_segments(identifiers(part)).into_iter();
        Some((names.next()?, names.collect()))
    };
    parts.iter().filter_map(bound).collect()
}

/// All identifiers, also inside of groups, each with whether `::` follows.
fn identifiers(tokens: &[TokenTree]) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) => {
                let follows = |at: usize| tokens.get(at).is_some_and(|one| one.to_string() == ":");
                found.push((ident.to_string(), follows(at + 1) && follows(at + 2)));
            }
            TokenTree::Group(group) => {
                found.extend(identifiers(
                    &TokenStream::into_iter(group.stream()).collect::<Vec<_>>(),
                ));
            }
            _ => {}
        }
    }
    found
}

/// The last names of paths, without keywords.
fn last_segments(identifiers: Vec<(String, bool)>) -> Vec<String> {
    let is_type = |(name, is_prefix): &(String, bool)| {
        !is_prefix && !["impl", "dyn", "mut", "where", "static"].contains(&name.as_str())
    };
    identifiers.into_iter().filter(is_type).map(|(name, _)| name).collect()
}
