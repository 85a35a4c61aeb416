"""symgrad (being assembled)."""
