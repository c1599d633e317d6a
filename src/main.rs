//! The one executable of Gander; see [`gander::main`].

/// Requests and answers are made of many small pieces: a busy server does a tenth more than with the C library's own
/// (bench/RESULTS.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gander::main()
}
