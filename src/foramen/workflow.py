"""The chain as functions over data."""
