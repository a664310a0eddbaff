"""Coverage-guided fuzzing: `make fuzz`. Not part of the package; the corpus is replayed by the tests."""
