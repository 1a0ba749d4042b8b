"""Following runs: they are read again and again, and shown as frames, lines of a log, or JSON."""
