//! `draw COMMAND`: stdin, which is what the command printed, as a picture on stdout.

use std::io::{Error, Read, Write, stdin, stdout};

fn main() -> Result<(), Error> {
    let typed = std::env::args().nth(1).ok_or_else(|| Error::other("say what was typed"))?;
    let mut shown = String::new();
    stdin().read_to_string(&mut shown)?;
    stdout().write_all(bench_show::picture::svg(&typed, &shown).as_bytes())
}
