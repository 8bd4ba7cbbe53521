//! Texts in programs and libraries that tell which allocator or runtime is linked into them. Stripping keeps them.

use std::io::{self, Read};
use std::path::Path;

/// Something that a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// An allocator of its own, beside `malloc`.
    Allocator(&'static str),
    /// A heap that a garbage collector manages, beside `malloc`.
    Collector(&'static str),
}

/// Go's own allocator.
pub(super) const GO: &str = "the runtime of Go";

/// The texts that real builds hold.
const TEXTS: [(&[u8], Marker); 6] = [
    (b"<jemalloc>", Marker::Allocator("jemalloc")),
    (b"mimalloc: ", Marker::Allocator("mimalloc")),
    (b"runtime.mallocgc", Marker::Allocator(GO)),
    (b"tcmalloc.max_total_thread_cache_bytes", Marker::Allocator("tcmalloc")),
    (b"Failed to initialise snmalloc", Marker::Allocator("snmalloc")),
    (b"node:internal/", Marker::Collector("V8")),
];

/// The beginnings of names of libraries that hold a garbage-collected heap.
const LIBRARIES: [(&str, Marker); 6] = [
    ("libjvm.so", Marker::Collector("the JVM")),
    ("libcoreclr.so", Marker::Collector(".NET")),
    ("libmono", Marker::Collector("Mono")),
    ("libnode.so", Marker::Collector("V8")),
    ("libpypy", Marker::Collector("PyPy")),
    ("libruby", Marker::Collector("Ruby")),
];

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// The markers that `file` holds, each once.
pub(super) fn of_text(mut file: impl Read) -> io::Result<Vec<Marker>> {
    let longest = TEXTS.iter().map(|(text, _)| text.len()).max().unwrap_or_default();
    let mut buffer = vec![0; BLOCK + longest];
    let (mut found, mut kept) = (Vec::new(), 0);
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            return Ok(found);
        }
        let bytes = &buffer[..kept + read];
        for (text, marker) in TEXTS {
            if !found.contains(&marker) && holds(bytes, text) {
                found.push(marker);
            }
        }
        // A text may lie across two blocks.
        let rest = bytes.len().saturating_sub(longest - 1);
        let end = bytes.len();
        buffer.copy_within(rest..end, 0);
        kept = end - rest;
    }
}

/// The marker that the name of a library is.
pub(super) fn of_name(library: &Path) -> Option<Marker> {
    let name = library.file_name()?.to_str()?;
    LIBRARIES.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, marker)| *marker)
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    let (first, rest) = (text[0], &text[1..]);
    let mut bytes = bytes;
    while let Some(at) = bytes.iter().position(|byte| *byte == first) {
        bytes = &bytes[at + 1..];
        if bytes.starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_wherever_it_lies() -> io::Result<()> {
        for before in [0, 1, BLOCK - 3, BLOCK, BLOCK + 12, 2 * BLOCK + 7] {
            let mut file = vec![b'<'; before];
            file.extend(b"<jemalloc>: Invalid conf");
            assert_eq!(
                of_text(&file[..])?,
                [Marker::Allocator("jemalloc")],
                "behind {before} bytes"
            );
        }
        Ok(())
    }

    #[test]
    fn a_marker_is_found_in_a_file_that_comes_byte_by_byte() -> io::Result<()> {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let len = self.0.len().min(1);
                buffer[..len].copy_from_slice(&self.0[..len]);
                self.0 = &self.0[len..];
                Ok(len)
            }
        }
        let found = of_text(Slow(b"a node:internal/b runtime.mallocgc"))?;
        assert_eq!(found, [Marker::Collector("V8"), Marker::Allocator(GO)]);
        assert_eq!(of_text(Slow(b"runtime.malloc runtime.gc"))?, []);
        Ok(())
    }

    #[test]
    fn a_runtime_is_known_by_the_name_of_its_library() {
        let path = Path::new("/usr/lib/jvm/lib/server/libjvm.so");
        assert_eq!(of_name(path), Some(Marker::Collector("the JVM")));
        assert_eq!(of_name(Path::new("/usr/lib/libc.so.6")), None);
    }
}
