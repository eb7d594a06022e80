"""What is known? Sources, schema, checks, the shipped snapshot and the store."""
