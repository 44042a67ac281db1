"""Many runs of one pair of files, each with some values changed."""
