"""What to do during? Alert levels, ledger, allocation, release and licence desk."""
