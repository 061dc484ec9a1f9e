"""SEAL: representative cases, lines, and scores relative to them. Nothing here trains."""
