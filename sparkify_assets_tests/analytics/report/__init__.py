"""Tests of the monthly listening report."""
