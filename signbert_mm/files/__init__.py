"""Handling of files that everything else shares."""
