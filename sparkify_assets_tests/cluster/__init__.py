"""Tests on a real, small cluster: see `machines`."""
