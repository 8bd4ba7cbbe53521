//! How a program is linked, by the first bytes of its file; pure.

/// Bytes that hold the program headers of every usual program.
pub(super) const HEAD: u64 = 8192;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Linkage {
    /// Nothing is loaded beside it.
    Static,
    /// The dynamic linker at this path starts it.
    Dynamic(String),
}

/// The linkage of a 64-bit program of this machine's byte order; none of anything else.
pub(super) fn linkage(head: &[u8]) -> Option<Linkage> {
    if !head.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let number = |at: usize, len: usize| -> Option<usize> {
        let mut bytes = [0; 8];
        let from = if cfg!(target_endian = "little") { 0 } else { 8 - len };
        bytes[from..from + len].copy_from_slice(head.get(at..at + len)?);
        Some(u64::from_ne_bytes(bytes) as usize)
    };
    let (headers, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    const INTERPRETER: usize = 3;
    for header in (0..count).map(|nth| headers + nth * size) {
        if number(header, 4)? == INTERPRETER {
            let (at, len) = (number(header + 8, 8)?, number(header + 32, 8)?);
            let path = head.get(at..at.checked_add(len)?)?;
            let path = String::from_utf8_lossy(path);
            return Some(Linkage::Dynamic(path.trim_end_matches('\0').to_owned()));
        }
    }
    Some(Linkage::Static)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_started_by_the_dynamic_linker() {
        let own = std::env::current_exe().and_then(std::fs::read).expect("it runs");
        let Some(Linkage::Dynamic(linker)) = linkage(&own) else { panic!("it is dynamic") };
        assert!(linker.contains("/ld"), "{linker}");
    }

    #[test]
    fn a_program_without_an_interpreter_is_static() {
        let mut program = vec![0; 200];
        program[..5].copy_from_slice(b"\x7fELF\x02");
        program[32..40].copy_from_slice(&64_u64.to_ne_bytes());
        program[54..56].copy_from_slice(&56_u16.to_ne_bytes());
        program[56..58].copy_from_slice(&2_u16.to_ne_bytes());
        assert_eq!(linkage(&program), Some(Linkage::Static));
        assert_eq!(linkage(&program[..90]), None);
    }

    #[test]
    fn a_script_has_no_linkage() {
        assert_eq!(linkage(b"#!/bin/sh\n"), None);
    }
}
