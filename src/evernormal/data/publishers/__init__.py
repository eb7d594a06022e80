"""One adapter per publisher: what its file looks like, and how it becomes rows of our schema."""
