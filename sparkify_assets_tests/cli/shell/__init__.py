"""`sparkify sql`."""
