"""Tests with lakes that former versions of the project wrote."""
