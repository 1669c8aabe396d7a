//! `enforcer completions`: what shells need to complete the command line.

use std::process::ExitCode;

use clap_complete::Shell;

use super::output;

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Examples:
  enforcer completions bash > /etc/bash_completion.d/enforcer
  enforcer completions zsh > /usr/local/share/zsh/site-functions/_enforcer
  enforcer completions fish > /etc/fish/completions/enforcer.fish";

/// The arguments of `enforcer completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a script for a shell.
///
/// # Errors
///
/// If it cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    output::print(&script(args.shell))?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> String {
    let mut command = super::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::script;
    use crate::cli::command;

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in command().get_subcommands().filter(|one| !one.is_hide_set()) {
                let name = command.get_name();
                assert!(script.contains(name), "{shell}: {name}");
            }
            assert!(script.contains("allow-degraded"), "{shell}");
        }
    }
}
