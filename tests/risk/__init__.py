"""Tests of the room that says what can go wrong."""
