"""reference body."""
