"""One format a file: each turns a Result into text for people or for programs."""
