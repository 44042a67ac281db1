"""Physics and published envelopes as pure functions: what a part of a technology spends, whoever uses it."""
