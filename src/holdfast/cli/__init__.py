"""The holdfast command, one file a subcommand."""
