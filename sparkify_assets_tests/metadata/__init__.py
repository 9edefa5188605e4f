"""What the assets tell of themselves."""
