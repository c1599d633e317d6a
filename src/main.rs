//! The one executable of Gander; see [`gander::main`].

fn main() -> std::process::ExitCode {
    gander::main()
}
