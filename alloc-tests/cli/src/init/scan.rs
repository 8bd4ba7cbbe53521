//! The public functions of a library, read from its sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::signature::{self, Function};

/// Every function that a user of the library can call by a path, each with the shortest one.
///
/// # Errors
///
/// If a file cannot be read, or is no Rust.
pub(crate) fn functions(library: &str, root: &Path) -> Result<Vec<Function>> {
    let mut found = Found::default();
    let folder = root.parent().context("a source file is in a folder")?;
    found.file(root, folder, &[library.to_owned()], true)?;
    let Found { functions, exports } = found;
    let mut named = BTreeMap::<Vec<String>, Function>::new();
    for (path, function, is_public) in functions {
        let exported = exports.iter().filter_map(|one| one.path_of(&path));
        let paths = exported.chain(is_public.then(|| path.clone()));
        if let Some(shortest) = paths.min_by_key(|path| (path.len(), path.clone())) {
            let function = Function { path: shortest.join("::"), ..function };
            named.insert(path, function);
        }
    }
    Ok(named.into_values().collect())
}

#[derive(Default)]
struct Found {
    /// Where it is written, what it is, and whether all modules on the way are public.
    functions: Vec<(Vec<String>, Function, bool)>,
    exports: Vec<Export>,
}

/// `pub use path::name as alias` or `pub use path::*` in a public module.
struct Export {
    within: Vec<String>,
    path: Vec<String>,
    alias: Option<String>,
}

impl Export {
    /// The path that the function written at `path` gets by this export.
    fn path_of(&self, path: &[String]) -> Option<Vec<String>> {
        let (name, module) = path.split_last()?;
        let alias = match &self.alias {
            Some(alias) => (self.path == path).then_some(alias)?,
            None => (self.path == module).then_some(name)?,
        };
        Some(self.within.iter().chain([alias]).cloned().collect())
    }
}

impl Found {
    /// Reads the module in `file`, whose own modules are files in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, path: &[String], is_public: bool) -> Result<()> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let tokens: TokenStream =
            text.parse().map_err(|error| anyhow!("{} is no Rust: {error}", file.display()))?;
        self.module(tokens, folder, path, is_public)
    }

    fn module(
        &mut self,
        tokens: TokenStream,
        folder: &Path,
        path: &[String],
        is_public: bool,
    ) -> Result<()> {
        for item in items(tokens) {
            if item.is_test {
                continue;
            }
            let words: Vec<String> = item.tokens.iter().map(ToString::to_string).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match &words[..] {
                ["mod", name, ..] => {
                    let is_public = is_public && item.is_public;
                    self.submodule(&item, name, folder, path, is_public)?;
                }
                ["use", ..] if item.is_public && is_public => {
                    self.export(path, &item.tokens[1..]);
                }
                [.., _] if item.is_public => {
                    if let Some(function) = signature::read(&item.tokens) {
                        let at = path.iter().chain([&function.path]).cloned().collect();
                        self.functions.push((at, function, is_public));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn submodule(
        &mut self,
        item: &Item,
        name: &str,
        folder: &Path,
        path: &[String],
        is_public: bool,
    ) -> Result<()> {
        let path: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
        let below = folder.join(name);
        if let Some(TokenTree::Group(body)) = item.tokens.get(2) {
            return self.module(body.stream(), &below, &path, is_public);
        }
        let files: [PathBuf; 2] = [folder.join(format!("{name}.rs")), below.join("mod.rs")];
        let file = item.file.as_ref().map(|file| folder.join(file));
        // A module that a build writes, or that a macro names, is not read.
        match file.into_iter().chain(files).find(|file| file.is_file()) {
            Some(file) => self.file(&file, &below, &path, is_public),
            None => Ok(()),
        }
    }

    /// Notes what `pub use` with these `tokens` exports from the module at `within`.
    fn export(&mut self, within: &[String], tokens: &[TokenTree]) {
        let root = within[..1].to_vec();
        let mut open = vec![(Vec::new(), tokens.to_vec())];
        while let Some((mut path, tokens)) = open.pop() {
            let mut alias = None;
            let mut tokens = tokens.into_iter().peekable();
            while let Some(token) = tokens.next() {
                match token {
                    TokenTree::Group(group) => {
                        let all: Vec<TokenTree> = group.stream().into_iter().collect();
                        let each = all.split(|one| one.to_string() == ",");
                        open.extend(each.map(|one| (path.clone(), one.to_vec())));
                        path.clear();
                    }
                    TokenTree::Punct(punct) if punct.as_char() == '*' => {
                        self.exports.push(Export {
                            within: within.to_vec(),
                            path: absolute(&root, within, &path),
                            alias: None,
                        });
                        path.clear();
                    }
                    TokenTree::Ident(ident) if ident == "as" => {
                        alias = tokens.next().map(|name| name.to_string());
                    }
                    TokenTree::Ident(ident) => path.push(ident.to_string()),
                    _ => {}
                }
            }
            if let Some(name) = path.last().cloned() {
                let path = absolute(&root, within, &path);
                let alias = Some(alias.unwrap_or(name));
                self.exports.push(Export { within: within.to_vec(), path, alias });
            }
        }
    }
}

/// `path` as written in the module at `within`, from the crate's name on.
fn absolute(root: &[String], within: &[String], path: &[String]) -> Vec<String> {
    let (from, rest) = match path.first().map(String::as_str) {
        Some("crate") => (root, &path[1..]),
        Some("self") => (within, &path[1..]),
        Some("super") => (&within[..within.len().saturating_sub(1)], &path[1..]),
        _ => (within, path),
    };
    from.iter().chain(rest).cloned().collect()
}

/// An item without its attributes and its visibility.
struct Item {
    is_public: bool,
    is_test: bool,
    /// The file that `#[path = "…"]` names.
    file: Option<String>,
    tokens: Vec<TokenTree>,
}

fn items(tokens: TokenStream) -> Vec<Item> {
    let mut items = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while tokens.peek().is_some() {
        let mut item = Item { is_public: false, is_test: false, file: None, tokens: Vec::new() };
        for token in tokens.by_ref() {
            let is_end = match &token {
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                _ => false,
            };
            // Braces of `use a::{b, c};` are followed by the end.
            let is_use = item.tokens.first().is_some_and(|first| first.to_string() == "use");
            match &token {
                TokenTree::Punct(punct)
                    if item.tokens.is_empty() && ['#', '!'].contains(&punct.as_char()) => {}
                TokenTree::Group(group) if item.tokens.is_empty() => match group.delimiter() {
                    Delimiter::Bracket => item.attribute(group.stream()),
                    // `pub(crate)`
                    _ => item.is_public = false,
                },
                TokenTree::Ident(ident) if ident == "pub" && item.tokens.is_empty() => {
                    item.is_public = true;
                }
                _ => item.tokens.push(token.clone()),
            }
            if is_end && !(is_use && matches!(token, TokenTree::Group(_))) {
                break;
            }
        }
        items.push(item);
    }
    items
}

impl Item {
    fn attribute(&mut self, tokens: TokenStream) {
        let words: Vec<String> = tokens.into_iter().map(|token| token.to_string()).collect();
        let is = |name: &str| words.first().is_some_and(|word| word == name);
        self.is_test |= is("test") || (is("cfg") && words[1..].join("").contains("test"));
        if is("path") {
            self.file = words.last().map(|text| text.trim_matches('"').to_owned());
        }
    }
}
