"""Published figures of chips, held against the model: one module a chip, and what they share."""
