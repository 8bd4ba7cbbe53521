//! The library in a process that knows its own counts: each test runs again in a process that has it loaded.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::env;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Barrier;
use std::{fs, ptr, thread};

use plimsoll_preload::counts::{self, Counts};
use plimsoll_preload::{LIBRARY, layout};

unsafe extern "C" {
    fn calloc(number: usize, size: usize) -> *mut c_void;
    fn fork() -> c_int;
    fn free(block: *mut c_void);
    fn malloc(size: usize) -> *mut c_void;
    fn mmap(
        at: *mut c_void,
        len: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: isize,
    ) -> *mut c_void;
    fn munmap(at: *mut c_void, len: usize) -> c_int;
    fn malloc_usable_size(block: *mut c_void) -> usize;
    fn posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int;
    fn pvalloc(size: usize) -> *mut c_void;
    #[link_name = "realloc"]
    fn c_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn reallocarray(block: *mut c_void, number: usize, size: usize) -> *mut c_void;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

/// Returns once the main thread waits for this test, because what it allocates until then would be counted.
fn until_main_waits() {
    let main = format!("/proc/self/task/{}/stat", std::process::id());
    let waits = |stat: &str| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S"));
    while !waits(&fs::read_to_string(&main).expect("the main thread is there")) {
        thread::yield_now();
    }
}

/// Runs `inside` in a process that has the library loaded, with the file of its counts.
#[track_caller]
fn check(test: &str, inside: impl FnOnce(&File)) {
    if let Some(file) = env::var_os(layout::VARIABLE) {
        until_main_waits();
        return inside(&File::open(file).expect("the parent made it"));
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(format!("{test}.so"));
    fs::write(&library, LIBRARY).expect("the folder can be written");
    let file = folder.join(format!("{test}.counts"));
    counts::prepare(&File::create(&file).expect("the folder can be written")).expect("it grows");
    let mut child = Command::new(env::current_exe().expect("it runs"));
    child.args(["--exact", test, "--test-threads", "1"]);
    let output = child.env("LD_PRELOAD", library).env(layout::VARIABLE, file).output();
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// The counts of `work`, and by how much it raised the live bytes of this process.
fn counted(file: &File, work: impl FnOnce()) -> (Counts, i64) {
    let read = || Counts::read(file).expect("the file has counts");
    let (live, before) = (live(file), read());
    work();
    let counts = read().since(before);
    (counts, self::live(file) - live)
}

/// The live bytes of this process. It frees what it allocates.
fn live(file: &File) -> i64 {
    let processes = counts::processes(file, 0).expect("the file has slots").expect("they are few");
    let own = processes.iter().find(|process| process.pid == std::process::id());
    // The list itself is alive while it is read, but was not when its own slot was.
    own.expect("this process has a slot").live_bytes
}

#[test]
fn blocks_are_counted_as_they_were_requested() {
    check("blocks_are_counted_as_they_were_requested", |file| {
        let (counts, live) = counted(file, || {
            let layout = Layout::from_size_align(100, 8).expect("it is valid");
            let wide = Layout::from_size_align(128, 64).expect("it is valid");
            // SAFETY: each block is freed with its last layout.
            unsafe {
                let block = black_box(alloc(layout));
                let block = black_box(realloc(block, layout, 300));
                let zeroed = black_box(alloc_zeroed(layout));
                assert!((0..100).all(|at| *zeroed.add(at) == 0));
                let aligned = black_box(alloc(wide));
                assert_eq!(aligned.addr() % 64, 0);
                dealloc(block, Layout::from_size_align(300, 8).expect("it is valid"));
                dealloc(zeroed, layout);
                dealloc(aligned, wide);
                black_box(malloc(7));
            }
        });
        assert_eq!((counts.blocks, counts.bytes), (5, 100 + 300 + 100 + 128 + 7));
        assert_eq!(live, 7);
    });
}

#[test]
fn a_block_of_another_thread_is_counted() {
    check("a_block_of_another_thread_is_counted", |file| {
        // It starts and ends outside of what is counted.
        let steps = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                steps.wait();
                steps.wait();
                // SAFETY: it is never freed.
                black_box(unsafe { malloc(50) });
                steps.wait();
                steps.wait();
            });
            steps.wait();
            let (counts, live) = counted(file, || {
                steps.wait();
                steps.wait();
            });
            steps.wait();
            assert_eq!((counts.blocks, counts.bytes, live), (1, 50, 50));
        });
    });
}

#[test]
fn the_corners_of_the_allocator_are_those_of_the_c_library() {
    check("the_corners_of_the_allocator_are_those_of_the_c_library", |_| {
        // SAFETY: as each comment of the C library's manual says.
        unsafe {
            let block = c_realloc(ptr::null_mut(), 10);
            assert_eq!(malloc_usable_size(block), 10);
            assert!(c_realloc(block, 0).is_null());
            free(ptr::null_mut());
            assert!(calloc(black_box(usize::MAX), 2).is_null());
            assert!(malloc(black_box(usize::MAX - 3)).is_null());
            assert!(reallocarray(ptr::null_mut(), black_box(usize::MAX), 2).is_null());
            let mut block = ptr::null_mut();
            assert_eq!(posix_memalign(&mut block, 24, 8), 22);
            assert_eq!(posix_memalign(&mut block, 0, 8), 22);
            assert_eq!(posix_memalign(&mut block, 1 << 21, 100), 0);
            assert_eq!(block.addr() % (1 << 21), 0);
            let text: *mut u8 = block.cast();
            (0..100).for_each(|at| *text.add(at) = at as u8);
            let grown: *mut u8 = c_realloc(block, 5000).cast();
            assert!((0..100).all(|at| *grown.add(at) == at as u8));
            free(grown.cast());
            let page = pvalloc(1);
            page.cast::<u8>().write_bytes(1, 4096);
            free(page);
        }
    });
}

#[test]
fn a_forked_process_frees_nothing_that_its_parent_holds() {
    check("a_forked_process_frees_nothing_that_its_parent_holds", |file| {
        // SAFETY: the child makes no call that another thread could have locked.
        unsafe {
            let block = malloc(1000);
            let (counts, live) = counted(file, || {
                let child = fork();
                if child == 0 {
                    free(black_box(block));
                    black_box(malloc(30));
                    _exit(0);
                }
                let mut status = 0;
                assert_eq!(waitpid(child, &mut status, 0), child);
                assert_eq!(status, 0);
            });
            assert_eq!((counts.blocks, counts.bytes, live), (1, 30, 0));
            let processes = counts::processes(file, 0).expect("there are slots").expect("they fit");
            assert_eq!(processes.len(), 2);
            assert_eq!(processes[1].live_bytes, 30);
        }
    });
}

#[test]
fn reads_and_writes_of_internet_sockets_alone_are_counted() {
    check("reads_and_writes_of_internet_sockets_alone_are_counted", |file| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let mut near =
            TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
        let (mut far, _) = listener.accept().expect("a client has connected");
        let (mut left, mut right) = UnixStream::pair().expect("there are descriptors");
        let mut zeros = File::open("/dev/zero").expect("every Linux has it");
        let mut buffer = [0; 16];
        let (counts, _) = counted(file, || {
            near.write_all(b"three").expect("it is open");
            assert_eq!(far.peek(&mut buffer).expect("it is open"), 5);
            far.read_exact(&mut buffer[..2]).expect("it is open");
            far.read_exact(&mut buffer[..3]).expect("it is open");
            left.write_all(b"unix").expect("it is open");
            right.read_exact(&mut buffer[..4]).expect("it is open");
            zeros.read_exact(&mut buffer).expect("it never ends");
            far.set_nonblocking(true).expect("it is open");
            let error = far.read(&mut buffer).expect_err("there is nothing to read");
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        });
        assert_eq!((counts.reads, counts.read_bytes), (2, 5));
        assert_eq!((counts.writes, counts.written_bytes), (1, 5));
        assert_eq!(counts.blocks, 0);
    });
}

#[test]
fn memory_that_a_program_maps_itself_is_told() {
    check("memory_that_a_program_maps_itself_is_told", |file| {
        let mapped = || counts::mapped_bytes(file).expect("the file has counts");
        let before = mapped();
        // More than the C library takes from its heap, so that it maps memory of its own.
        let block = black_box(vec![1_u8; 1 << 20]);
        assert_eq!(mapped(), before);
        // SAFETY: the kernel chooses a free address.
        unsafe {
            let len = 1 << 20;
            let [private, read_only] = [(3, 0x22), (1, 0x22)]
                .map(|(protection, flags)| mmap(ptr::null_mut(), len, protection, flags, -1, 0));
            assert_eq!(mapped(), before + len as u64);
            assert_eq!(munmap(private, len), 0);
            assert_eq!(mapped(), before);
            black_box(read_only);
        }
        drop(block);
    });
}

#[test]
fn a_program_without_a_file_of_counts_runs_as_before() {
    let library = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-file.so");
    fs::write(&library, LIBRARY).expect("the folder can be written");
    for file in [None, Some("/proc/no/such/file"), Some("/dev/null")] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo $((6 * 7))"]).env("LD_PRELOAD", &library);
        shell.envs(file.map(|file| (layout::VARIABLE, file)));
        assert_eq!(shell.output().expect("there is a shell").stdout, b"42\n");
    }
}
