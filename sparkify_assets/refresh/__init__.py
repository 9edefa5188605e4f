"""Keeping the tables current: what is out of date (`freshness`) and making one table (`build`)."""
