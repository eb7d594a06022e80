"""Publishers that are asked over the network: the caller brings the client, the clock and the patience."""
