"""The commands, one file for each group; they call the other rooms and print what those return."""
