//! A server with a limit of address space (`ulimit -v`).
//!
//! The allocator of the GNU C library reserves 64 MiB of addresses for nearly every thread, and keeps what long
//! requests took. Where addresses are few, an allocation then fails although little memory is in use, and a failed
//! allocation ends the process. How it works is set by variables that it reads only when a process starts.

/// What the allocator is told: few reservations, and long requests are given back to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ALLOCATOR: [(&str, &str); 2] =
    [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// Starts this program again in the same process, with an allocator that needs few addresses, if they are limited
/// and nobody has set the allocator. Returns if there is no need, or if it cannot be started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn economize() {
    use std::os::unix::process::CommandExt as _;

    let is_limited = rlimit::Resource::AS.get_soft().is_ok_and(|limit| limit < rlimit::INFINITY);
    let is_set = ALLOCATOR.iter().any(|(name, _)| std::env::var_os(name).is_some());
    if !is_limited || is_set {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let mut arguments = std::env::args_os();
        let mut command = std::process::Command::new(program);
        // The program's name as it was called, then its arguments.
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        let error = command.args(arguments).envs(ALLOCATOR).exec();
        crate::output::note(&format!("the allocator could not be set: {error}"));
    }
}

/// Other systems' allocators take addresses as they need them.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn economize() {}
