"""How does the world react? The equilibrium engine, prices and losses."""
