"""What can go wrong? Indicators, hazards and warning signals."""
