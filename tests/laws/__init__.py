"""Property tests of the numbered laws, and the planted faults that prove that the tests can fail."""
