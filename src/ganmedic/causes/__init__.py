"""Why: one file a root cause, each a pure function over the record."""
