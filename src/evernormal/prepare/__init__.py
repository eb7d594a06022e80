"""What to do before? Stockpile sizing, pooling, portfolio, recycling and strategy."""
