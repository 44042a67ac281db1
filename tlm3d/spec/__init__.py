"""Text → validated frozen descriptions, with file:line:column on every problem. Never imports SimPy."""
