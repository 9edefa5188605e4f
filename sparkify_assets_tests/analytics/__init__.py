"""Tests of SQL over a release, and of what is made of it."""
