"""Plain models that the tests hold the production code against."""
