//! The files beside the suite: `plimsoll.toml`, a conversation, the workflow and `.gitattributes`.

use std::path::Path;

use anyhow::{Context, Result};
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

use super::plan::Plan;
use super::service::Service;

/// The repository of the action: `owner/name` of this package's address, or a name to replace.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// What stands in the workflow as long as the address is not known.
pub(crate) const UNKNOWN: &str = "OWNER/plimsoll";

/// What `plimsoll.toml` says of a service.
pub(super) struct Entry<'a> {
    pub(super) command: &'a str,
    pub(super) path: &'a str,
    pub(super) conversation: Option<String>,
}

/// Adds the service to `plimsoll.toml` in `root`.
pub(super) fn configure(
    plan: &mut Plan,
    root: &Path,
    service: &Service<'_>,
    entry: Entry<'_>,
) -> Result<()> {
    let Some((package, program)) = &service.program else {
        plan.notes.push(format!(
            "no program serves {}, so plimsoll.toml is not written: `compare` and `ci` need one",
            service.name()
        ));
        return Ok(());
    };
    let manifest = plan.text(&root.join("Cargo.toml"))?.unwrap_or_default();
    let manifest: DocumentMut = manifest.parse().context("Cargo.toml is no TOML")?;
    let is_configured =
        |table: &str| manifest.get(table)?.get("metadata")?.get("plimsoll").map(|_| ());
    if is_configured("workspace").or_else(|| is_configured("package")).is_some() {
        plan.left("metadata.plimsoll in Cargo.toml; each service has an entry there");
        return Ok(());
    }
    let path = root.join("plimsoll.toml");
    let text = plan.text(&path)?;
    let mut document: DocumentMut =
        text.as_deref().unwrap_or_default().parse().context("plimsoll.toml is no TOML")?;
    let services = document.entry("service").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let services = services
        .as_array_of_tables_mut()
        .context("service in plimsoll.toml is no list of tables")?;
    let is_own = |table: &Table| {
        let named = |table: Option<&Item>, key: &str| {
            table.and_then(|one| one.get(key)).and_then(Item::as_str).map(str::to_owned)
        };
        let tested =
            named(table.get("test"), "package").or_else(|| named(table.get("server"), "package"));
        tested.as_deref() == Some(service.name())
    };
    if services.iter().any(is_own) {
        plan.left(&format!("the service of {} in plimsoll.toml", service.name()));
        return Ok(());
    }
    let mut table = Table::new();
    table.insert("name", value(service.name()));
    let mut server = InlineTable::new();
    server.insert("package", package.as_str().into());
    server.insert("bin", program.as_str().into());
    table.insert("server", value(server));
    table.insert("command", value(entry.command));
    table.insert("path", value(entry.path));
    if let Some(conversation) = &entry.conversation {
        table.insert("conversation", value(conversation.as_str()));
    }
    if package != service.name() {
        let mut test = InlineTable::new();
        test.insert("package", service.name().into());
        table.insert("test", value(test));
    }
    if text.is_some() && !services.is_empty() {
        table.decor_mut().set_prefix("\n");
    }
    services.push(table);
    plan.set(&path, document.to_string())
}

/// A conversation of one request and its answer.
pub(super) fn conversation(send: &str, reply: &str) -> String {
    let mut exchange = Table::new();
    exchange.insert("send", value(send));
    let mut expect = InlineTable::new();
    expect.insert("contains", reply.into());
    exchange.insert("expect", value(expect));
    let mut exchanges = ArrayOfTables::new();
    exchanges.push(exchange);
    let mut document = DocumentMut::new();
    document.insert("exchange", Item::ArrayOfTables(exchanges));
    format!("# What a client says, for count and compare.\n{document}")
}

/// The workflow of a workspace in `folder` below the repository's root, with no folder for the root itself.
pub(super) fn workflow(folder: Option<&str>) -> String {
    // scripts/check-action.sh lints the template.
    let template = include_str!("../../templates/plimsoll.yml").replace(UNKNOWN, action());
    let folder =
        folder.map(|folder| format!("        with:\n          working-directory: {folder:?}\n"));
    template + &folder.unwrap_or_default()
}

/// The workflow that comments on what the other one measured.
pub(super) fn comment() -> String {
    include_str!("../../templates/plimsoll-comment.yml").replace(UNKNOWN, action())
}

/// `owner/name` of the action.
pub(super) fn action() -> &'static str {
    let name = REPOSITORY.split_once("github.com/").map(|(_, name)| name.trim_end_matches(".git"));
    name.unwrap_or(UNKNOWN)
}

/// Call sites are generated: a review shows them folded.
pub(super) fn attributes(plan: &mut Plan, repository: &Path) -> Result<()> {
    const LINE: &str = "**/baselines/alloc/sites/*.txt linguist-generated";
    let path = repository.join(".gitattributes");
    let mut text = plan.text(&path)?.unwrap_or_default();
    if text.lines().any(|line| line.trim() == LINE) {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    plan.set(&path, format!("{text}{LINE}\n"))
}
