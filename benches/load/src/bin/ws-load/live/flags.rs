use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use load_engine::problem::Problem;
use server::Access;
use server::access::{HostName, Origin, Token};

/// Where a live page is served, and who may see it.
#[derive(clap::Args)]
#[command(next_help_heading = "Live page")]
pub(crate) struct LiveFlags {
    /// Serve a live page here; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT")]
    live: Option<SocketAddr>,
    /// Let pages of this origin read the live page's numbers;
    /// may be given several times
    #[arg(long, value_name = "ORIGIN", requires = "live")]
    live_allow_origin: Vec<Origin>,
    /// Serve the live page under this host, too; may be given
    /// several times
    #[arg(long, value_name = "HOST", requires = "live")]
    live_allow_host: Vec<HostName>,
    /// Show the live page's numbers only with the token in this
    /// file; make one with openssl rand -hex 16
    #[arg(long, value_name = "FILE", requires = "live")]
    live_token_file: Option<PathBuf>,
    /// Show the live page to everyone who reaches it
    #[arg(long, requires = "live")]
    live_insecure: bool,
}

impl LiveFlags {
    /// The address of the page with its guard, if a page is asked for.
    pub(crate) fn page(&self) -> Result<Option<(SocketAddr, Access)>> {
        let Some(addr) = self.live else { return Ok(None) };
        let token = self.live_token_file.as_deref().map(Token::read).transpose();
        let access = Access {
            origins: self.live_allow_origin.clone(),
            hosts: self.live_allow_host.clone(),
            token: token.map_err(|bad| Problem::usage(bad.to_string()))?,
            insecure: self.live_insecure,
        };
        if let Some(missing) = access.lacks(addr.ip()).map(|flags| flags.replace("--", "--live-")) {
            if !access.insecure {
                return Err(Problem::usage(format!(
                    "--live {addr} can be reached from other machines, so the page needs {missing}; \
                     or give it --live-insecure to show the run to everyone who reaches it"
                ))
                .into());
            }
            eprintln!("everyone who reaches {addr} may see this run: it has no {missing}");
        }
        Ok(Some((addr, access)))
    }
}
