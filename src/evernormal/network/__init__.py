"""What is modelled? Forms, chains, the balanced base-year network, measures and scenarios."""
