"""Parts of a sensor: front end, converters, and the arithmetic before them; each with its keys and its cost, pure."""
