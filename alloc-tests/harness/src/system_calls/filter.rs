//! Programs of seccomp, for the kernel's answer to a system call: linux/filter.h, seccomp(2).

use std::io;
use std::mem::offset_of;

/// Where a call's number is, and the address behind its instruction, in halves.
pub(super) const NUMBER: usize = offset_of!(libc::seccomp_data, nr);
#[cfg(target_arch = "x86_64")]
pub(super) const INSTRUCTION: usize = offset_of!(libc::seccomp_data, instruction_pointer);

/// Reads and writes of streams, which the streams count themselves; waits, also for locks; accepts, which may find no
/// connection or several (each is registered with epoll_ctl); closes; growth of the allocator's heap.
pub(super) const UNCOUNTED: &[libc::c_long] = &[
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_futex,
    libc::SYS_accept4,
    libc::SYS_sched_yield,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_mprotect,
    libc::SYS_madvise,
];

/// One instruction.
#[derive(Clone, Copy)]
pub(super) struct Step(libc::sock_filter);

impl Step {
    pub(super) const ALLOW: Self = Self::end(libc::SECCOMP_RET_ALLOW);
    pub(super) const NOTIFY: Self = Self::end(libc::SECCOMP_RET_USER_NOTIF);
    #[cfg(target_arch = "x86_64")]
    pub(super) const TRAP: Self = Self::end(libc::SECCOMP_RET_TRAP);

    const fn end(answer: u32) -> Self {
        Self::new(libc::BPF_RET | libc::BPF_K, answer, 0, 0)
    }

    const fn new(code: u32, k: u32, jt: u8, jf: u8) -> Self {
        Self(libc::sock_filter { code: code as u16, jt, jf, k })
    }

    /// Loads a word of the call's data.
    pub(super) fn load(offset: usize) -> Self {
        Self::new(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset as u32, 0, 0)
    }

    /// Leaves out the next `steps` unless the loaded word is `value`.
    pub(super) fn unless(value: u32, steps: u8) -> Self {
        Self::new(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value, 0, steps)
    }

    /// After the call's number: allows `calls`, and gives all others the `other` answer.
    pub(super) fn allow_all<'a>(
        calls: impl Iterator<Item = &'a libc::c_long>,
        other: Self,
    ) -> Vec<Self> {
        let each = calls.flat_map(|call| [Self::unless(*call as u32, 1), Self::ALLOW]);
        each.chain([other]).collect()
    }
}

/// Gives this thread, and those that it starts from now on, a filter. Returns what the kernel does: with the flag for a
/// listener, its descriptor.
pub(super) fn install(steps: &[Step], flags: libc::c_ulong) -> io::Result<i32> {
    let mut filter: Vec<libc::sock_filter> = steps.iter().map(|step| step.0).collect();
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the first call has no pointer; the second reads `program` and its instructions, which outlive it.
    let answer = unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    };
    match i32::try_from(answer) {
        Ok(answer) if answer >= 0 => Ok(answer),
        _ => Err(io::Error::last_os_error()),
    }
}
